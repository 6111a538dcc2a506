-- Deliveries that were sent again, and what came of it. The id tells the time (UUID version 7).
CREATE TABLE replays (
    id         BLOB PRIMARY KEY,           -- 16 bytes
    original   BLOB NOT NULL,              -- the delivery that was sent again
    target     TEXT NOT NULL,              -- "receiver", a URL, or the id of a subscription
    signature  TEXT NOT NULL,              -- fresh, original, none
    is_edited  INTEGER NOT NULL,
    run        BLOB,                       -- the run of many that it belongs to
    status     INTEGER,                    -- what was answered
    delivery   BLOB,                       -- what became of it at our own receiver
    message    BLOB,                       -- the message that it became
    error      TEXT,                       -- why there was no answer
    answer     BLOB NOT NULL               -- the first 16 KiB of the answer's body
) WITHOUT ROWID;
CREATE INDEX replays_original ON replays (original);
CREATE INDEX replays_delivery ON replays (delivery) WHERE delivery IS NOT NULL;
