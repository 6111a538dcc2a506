-- Many deliveries sent again with one word, and those of each run that are still to be sent.
CREATE TABLE replay_runs (
    id              BLOB PRIMARY KEY,      -- 16 bytes, tells when it was started
    filter          TEXT NOT NULL,         -- what chose the deliveries, as parameters of a list
    target          TEXT NOT NULL,         -- "receiver", a URL, or the id of a subscription
    signature       TEXT NOT NULL,         -- fresh, original, none
    is_newest_first INTEGER NOT NULL,
    per_second      REAL,
    concurrency     INTEGER NOT NULL,
    stops_on_error  INTEGER NOT NULL,
    state           TEXT NOT NULL,         -- running, stopped, done
    why             TEXT,                  -- why it was stopped
    total           INTEGER NOT NULL,
    done            INTEGER NOT NULL,
    failed          INTEGER NOT NULL,
    gone            INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE replay_plan (
    run      BLOB NOT NULL,
    place    INTEGER NOT NULL,             -- the order of sending
    delivery BLOB NOT NULL,
    PRIMARY KEY (run, place)
) WITHOUT ROWID;
CREATE INDEX replays_run ON replays (run, id) WHERE run IS NOT NULL;
