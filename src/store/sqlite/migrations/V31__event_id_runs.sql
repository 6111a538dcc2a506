-- Event ids lie in runs, so that a new one is written at the end of a table and not to a page of its own.

-- The newest ids, as they came.
CREATE TABLE fresh_event_ids (
    id                INTEGER PRIMARY KEY,  -- the number of its run << 20, and its place there
    identity          BLOB NOT NULL,        -- 16 bytes of the SHA-256 of source and key
    source            TEXT NOT NULL,
    key               BLOB NOT NULL,        -- a letter for the kind, then the id or the digest
    body_digest       BLOB NOT NULL,
    delivery_id       BLOB NOT NULL,
    first_received_at INTEGER NOT NULL,
    expires_at        INTEGER NOT NULL      -- less event_ids_shift
);

-- Older ids, run by run. Those of a run that is not listed are still fresh.
CREATE TABLE sorted_event_ids (
    run               INTEGER NOT NULL,
    identity          BLOB NOT NULL,
    source            TEXT NOT NULL,
    key               BLOB NOT NULL,
    body_digest       BLOB NOT NULL,
    delivery_id       BLOB NOT NULL,
    first_received_at INTEGER NOT NULL,
    expires_at        INTEGER NOT NULL,
    PRIMARY KEY (run, identity)
) WITHOUT ROWID;

CREATE TABLE event_id_runs (
    run           INTEGER PRIMARY KEY AUTOINCREMENT,
    latest_expiry INTEGER NOT NULL,
    filter        BLOB NOT NULL             -- a split block Bloom filter of the identities
);

-- How far stored times are behind, in microseconds.
INSERT INTO facts (name, value) VALUES ('event_ids_shift', 0);

-- The next start makes runs of what lies in event_ids.
DROP INDEX event_ids_expiry;
