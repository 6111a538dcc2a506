-- What came in, minute by minute, as the receiver counted it: what the overview is drawn from.
CREATE TABLE minutes (
    minute  INTEGER NOT NULL,              -- since 1970, UTC
    source  TEXT NOT NULL,
    verdict INTEGER NOT NULL,
    reason  TEXT NOT NULL,                 -- '' where there is none
    count   INTEGER NOT NULL,
    times   TEXT NOT NULL,                 -- JSON: how many took at most each bound, and longer
    PRIMARY KEY (minute, source, verdict, reason)
) WITHOUT ROWID;
