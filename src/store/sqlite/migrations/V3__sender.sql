-- Who gets what. A subscription of the configuration has a row too: it can be disabled by itself.
CREATE TABLE subscriptions (
    id              TEXT PRIMARY KEY,
    origin          INTEGER NOT NULL,          -- 0 API, 1 configuration
    document        TEXT NOT NULL,             -- JSON, secrets sealed
    enabled         INTEGER NOT NULL,
    disabled_reason TEXT,
    since_seq       INTEGER NOT NULL,          -- deliveries after this position are its own
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL
) WITHOUT ROWID;

-- What messages are about: the JSON, once for all its messages.
CREATE TABLE events (
    seq         INTEGER PRIMARY KEY AUTOINCREMENT,
    source      TEXT NOT NULL,
    event_id    TEXT,
    event_type  TEXT NOT NULL,
    entity      TEXT,
    received_at INTEGER NOT NULL,
    body        BLOB NOT NULL,
    delivery_id BLOB,
    lineage     TEXT NOT NULL,                 -- JSON array of subscription ids
    posted      BLOB,                          -- of a published one: SHA-256 of what was posted
    messages    INTEGER NOT NULL               -- how many messages are about it
);
CREATE UNIQUE INDEX events_published ON events (event_id) WHERE posted IS NOT NULL;
CREATE INDEX events_without_messages ON events (received_at) WHERE messages = 0;

CREATE TABLE messages (
    seq             INTEGER PRIMARY KEY AUTOINCREMENT,
    id              BLOB NOT NULL UNIQUE,      -- 16 bytes
    subscription_id TEXT NOT NULL,
    target_id       TEXT NOT NULL,             -- through which subscription it is sent: its own, or the fallback
    event_seq       INTEGER NOT NULL,
    event_id        TEXT,
    event_type      TEXT NOT NULL,
    entity          TEXT,                      -- of ordered messages only
    by_hand         INTEGER NOT NULL,
    status          INTEGER NOT NULL,          -- 0 pending, 1 sending, 2 delivered, 3 dead, 4 cancelled
    created_at      INTEGER NOT NULL,
    next_attempt_at INTEGER NOT NULL,
    lease_until     INTEGER,
    claimed_at      INTEGER,
    attempts        INTEGER NOT NULL,
    attempts_before INTEGER NOT NULL,          -- made before the present round
    primary_error   TEXT,
    finished_at     INTEGER
);
CREATE UNIQUE INDEX messages_once ON messages (subscription_id, event_id) WHERE event_id IS NOT NULL AND by_hand = 0;
CREATE INDEX messages_subscription ON messages (subscription_id, status);
CREATE INDEX messages_event ON messages (event_id) WHERE event_id IS NOT NULL;
CREATE INDEX messages_status ON messages (status);
CREATE INDEX messages_due ON messages (target_id, next_attempt_at) WHERE status = 0;
CREATE INDEX messages_in_order ON messages (target_id, entity) WHERE status < 2 AND entity IS NOT NULL;

CREATE TABLE attempts (
    key              INTEGER PRIMARY KEY,      -- the message's seq * 65536 + number
    target_id        TEXT NOT NULL,
    started_at       INTEGER NOT NULL,
    duration_us      INTEGER NOT NULL,
    status           INTEGER,
    error            TEXT,
    error_detail     TEXT,
    response_headers TEXT NOT NULL,            -- JSON array of pairs
    response_body    BLOB NOT NULL,
    truncated        INTEGER NOT NULL,
    missing          TEXT NOT NULL             -- JSON array
);

CREATE TABLE dead_letters (
    message_seq     INTEGER PRIMARY KEY,
    subscription_id TEXT NOT NULL,
    url             TEXT NOT NULL,
    payload         BLOB NOT NULL,
    error           TEXT NOT NULL,
    primary_error   TEXT,
    fallback_error  TEXT,
    failed_at       INTEGER NOT NULL,
    is_told         INTEGER NOT NULL           -- whether administrators were told
);
CREATE INDEX dead_letters_subscription ON dead_letters (subscription_id);
CREATE INDEX dead_letters_untold ON dead_letters (subscription_id) WHERE is_told = 0;

-- When requests of subscriptions with a rate were made, so that it holds over a restart.
CREATE TABLE rate_marks (
    target_id TEXT NOT NULL,
    at        INTEGER NOT NULL,
    requests  INTEGER NOT NULL,
    PRIMARY KEY (target_id, at)
) WITHOUT ROWID;

-- Attempts counted as they are made, so that figures cost nothing to ask for.
CREATE TABLE sender_totals (
    subscription_id TEXT PRIMARY KEY,
    attempts        INTEGER NOT NULL,
    successful      INTEGER NOT NULL,
    retries         INTEGER NOT NULL,
    answered        INTEGER NOT NULL,
    answered_us     INTEGER NOT NULL,
    last_success_at INTEGER,
    last_failure_at INTEGER
) WITHOUT ROWID;
CREATE TABLE sender_latency (
    subscription_id TEXT NOT NULL,
    bucket          INTEGER NOT NULL,          -- of durations a hundredth apart
    attempts        INTEGER NOT NULL,
    PRIMARY KEY (subscription_id, bucket)
) WITHOUT ROWID;

CREATE TABLE health_checks (
    seq             INTEGER PRIMARY KEY AUTOINCREMENT,
    subscription_id TEXT NOT NULL,
    status          TEXT NOT NULL,
    response_code   INTEGER,
    response_us     INTEGER,
    error           TEXT,
    checked_at      INTEGER NOT NULL
);
CREATE INDEX health_checks_subscription ON health_checks (subscription_id);

INSERT INTO facts VALUES ('fanout_cursor', 0);
-- What was received before there was a sender is nobody's message.
UPDATE facts SET value = (SELECT coalesce(max(seq), 0) FROM deliveries) WHERE name = 'fanout_cursor';
