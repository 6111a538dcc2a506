-- What lists show and retention looks at: narrow rows.
CREATE TABLE deliveries (
    seq          INTEGER PRIMARY KEY AUTOINCREMENT,
    id           BLOB NOT NULL UNIQUE,      -- 16 bytes
    source       TEXT NOT NULL,
    received_at  INTEGER NOT NULL,          -- microseconds UTC
    method       TEXT NOT NULL,
    path         TEXT NOT NULL,
    client_ip    BLOB NOT NULL,             -- 16 bytes, IPv4 mapped
    event_type   TEXT,
    event_name   TEXT,
    event_id     TEXT,
    entity       TEXT,
    verdict      INTEGER NOT NULL,          -- 0 accepted, 1 duplicate, 2 rejected, 3 captured
    reason       TEXT,
    status       INTEGER NOT NULL,
    size_bytes   INTEGER NOT NULL,
    duration_us  INTEGER NOT NULL,
    duplicate_of BLOB,
    row_bytes    INTEGER NOT NULL           -- what it weighs in the budgets
);
CREATE INDEX deliveries_verdict ON deliveries (verdict);
CREATE INDEX deliveries_event_type ON deliveries (event_type) WHERE event_type IS NOT NULL;
CREATE INDEX deliveries_event_id ON deliveries (event_id) WHERE event_id IS NOT NULL;
CREATE INDEX deliveries_entity ON deliveries (entity) WHERE entity IS NOT NULL;
CREATE INDEX deliveries_reason ON deliveries (reason) WHERE reason IS NOT NULL;

-- What only a delivery's own page needs: fat rows.
CREATE TABLE delivery_bytes (
    seq          INTEGER PRIMARY KEY,
    http_version TEXT NOT NULL,
    peer_ip      BLOB NOT NULL,
    explanation  TEXT NOT NULL,
    headers      BLOB NOT NULL,             -- "Name: value\r\n" in wire order
    body         BLOB NOT NULL,
    body_end     TEXT NOT NULL,
    checks       TEXT NOT NULL,             -- JSON
    first_received_at INTEGER               -- of the delivery in duplicate_of
);

-- Events that were taken; one row an event of a source.
CREATE TABLE event_ids (
    source            TEXT NOT NULL,
    key               BLOB NOT NULL,        -- a letter for the kind, then the id or the digest
    body_digest       BLOB NOT NULL,
    delivery_id       BLOB NOT NULL,
    first_received_at INTEGER NOT NULL,
    expires_at        INTEGER NOT NULL,
    PRIMARY KEY (source, key)
) WITHOUT ROWID;
CREATE INDEX event_ids_expiry ON event_ids (expires_at);

-- Rows and bytes of each verdict, kept in step by every transaction.
CREATE TABLE totals (
    verdict INTEGER PRIMARY KEY,
    rows    INTEGER NOT NULL,
    bytes   INTEGER NOT NULL
);
INSERT INTO totals VALUES (0, 0, 0), (1, 0, 0), (2, 0, 0), (3, 0, 0);

CREATE TABLE facts (
    name  TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) WITHOUT ROWID;
INSERT INTO facts VALUES ('pruned_through', 0), ('probe', 0);
