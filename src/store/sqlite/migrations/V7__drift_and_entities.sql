-- What payloads look like, learnt from the log: one row an event type of a source.
CREATE TABLE drift_types (
    id         INTEGER PRIMARY KEY,
    source     TEXT NOT NULL,
    event_type TEXT NOT NULL,
    deliveries INTEGER NOT NULL,          -- accepted, or refused for their schema
    refused    INTEGER NOT NULL,          -- of those
    samples    INTEGER NOT NULL,          -- of those, read field by field
    fields     INTEGER NOT NULL,          -- rows in drift_fields
    is_cut     INTEGER NOT NULL,          -- whether there were more fields than are kept
    first_seen INTEGER NOT NULL,          -- microseconds UTC
    first_in   BLOB NOT NULL,             -- a delivery's id
    last_seen  INTEGER NOT NULL,
    through    INTEGER NOT NULL,          -- the last delivery's position
    UNIQUE (source, event_type)
);

CREATE TABLE drift_fields (
    type_id      INTEGER NOT NULL,
    pointer      TEXT NOT NULL,           -- items of arrays as *
    types        INTEGER NOT NULL,        -- bits: null, boolean, integer, number, string, array, object
    counts       TEXT NOT NULL,           -- JSON: how often each was seen, in that order
    first_seen   INTEGER NOT NULL,
    first_in     BLOB NOT NULL,
    first_sample INTEGER NOT NULL,        -- in which sample of its type
    last_seen    INTEGER NOT NULL,
    types_before INTEGER NOT NULL,        -- before the last change; 0: there was none
    changed_at   INTEGER,
    changed_in   BLOB,
    PRIMARY KEY (type_id, pointer)
) WITHOUT ROWID;

-- What deliveries are about, usually devices.
CREATE TABLE entities (
    source          TEXT NOT NULL,
    entity          TEXT NOT NULL,
    name            TEXT,
    first_seen      INTEGER NOT NULL,
    last_seen       INTEGER NOT NULL,
    last_delivery   BLOB NOT NULL,
    last_event_type TEXT,
    deliveries      INTEGER NOT NULL,
    newest_event_at INTEGER,
    out_of_order    INTEGER NOT NULL,
    late            INTEGER NOT NULL,
    silent_at       INTEGER,              -- since when it is known to be silent
    due_at          INTEGER,              -- when it will be; NULL: nobody asks, or it is
    due_rule        INTEGER NOT NULL,     -- by which rule that was reckoned
    habits          TEXT NOT NULL,        -- JSON
    through         INTEGER NOT NULL,     -- the last delivery's position
    PRIMARY KEY (source, entity)
) WITHOUT ROWID;
CREATE INDEX entities_last_seen ON entities (last_seen, source, entity, name);
CREATE INDEX entities_silent ON entities (last_seen, source, entity, name) WHERE silent_at IS NOT NULL;
CREATE INDEX entities_due ON entities (due_at) WHERE due_at IS NOT NULL;

-- Times at which nobody listened, so that nobody was silent.
CREATE TABLE outages (
    since INTEGER PRIMARY KEY,
    until INTEGER NOT NULL
);

-- What there was before is learnt too; but nobody is told of silences that are long past.
INSERT INTO facts VALUES ('lens_cursor', 0), ('lens_since', 0), ('lens_heard_at', 0), ('entities', 0), ('drift_left_out', 0);
UPDATE facts SET value = (SELECT coalesce(max(seq), 0) FROM deliveries) WHERE name = 'lens_since';
