-- Times are microseconds UTC, ids 16 bytes, addresses 16 bytes with IPv4 mapped to IPv6: as in SQLite, so that both engines
-- share their encodings. A NUL in a text is escaped by the program.

-- Every delivery: what lists show, then what only its own page needs. A position tells its transaction. One partition is
-- one day (UTC) of `received_at`, named `deliveries_20261129`; nodes make them ahead, and retention drops them.
CREATE TABLE deliveries (
    seq                   BIGINT NOT NULL,
    id                    BYTEA NOT NULL,
    source                TEXT NOT NULL,
    received_at           BIGINT NOT NULL,
    method                TEXT NOT NULL,
    path                  TEXT NOT NULL,
    client_ip             BYTEA NOT NULL,
    event_type            TEXT,
    event_name            TEXT,
    event_id              TEXT,
    entity                TEXT,
    verdict               BIGINT NOT NULL,         -- 0 accepted, 1 duplicate, 2 rejected, 3 captured, 4 handshake
    reason                TEXT,
    status                BIGINT NOT NULL,
    size_bytes            BIGINT NOT NULL,
    duration_us           BIGINT NOT NULL,
    duplicate_of          BYTEA,
    row_bytes             BIGINT NOT NULL,         -- what it weighs in the budgets
    unverified            TEXT,                    -- JSON: event, id, device, its name, of a body that was refused unread
    hung_up_us            BIGINT,
    node                  TEXT NOT NULL,           -- which node took it
    http_version          TEXT NOT NULL,
    peer_ip               BYTEA NOT NULL,
    peer_port             BIGINT,
    connection_deliveries BIGINT,
    explanation           TEXT NOT NULL,
    headers               BYTEA NOT NULL,          -- "Name: value\r\n" in wire order
    body                  BYTEA NOT NULL,
    body_end              TEXT NOT NULL,
    checks                TEXT NOT NULL,           -- JSON
    first_received_at     BIGINT,                  -- of the delivery in duplicate_of
    PRIMARY KEY (seq, received_at)
) PARTITION BY RANGE (received_at);
CREATE INDEX deliveries_id ON deliveries (id);
CREATE INDEX deliveries_verdict ON deliveries (verdict, seq);
CREATE INDEX deliveries_received ON deliveries (received_at);

-- A delivery as a node sends it, many at a time.
CREATE TYPE new_delivery AS (
    seq                   BIGINT,
    id                    BYTEA,
    source                TEXT,
    received_at           BIGINT,
    method                TEXT,
    path                  TEXT,
    client_ip             BYTEA,
    event_type            TEXT,
    event_name            TEXT,
    event_id              TEXT,
    entity                TEXT,
    verdict               BIGINT,
    reason                TEXT,
    status                BIGINT,
    size_bytes            BIGINT,
    duration_us           BIGINT,
    duplicate_of          BYTEA,
    row_bytes             BIGINT,
    unverified            TEXT,
    http_version          TEXT,
    peer_ip               BYTEA,
    explanation           TEXT,
    headers               BYTEA,
    body                  BYTEA,
    body_end              TEXT,
    checks                TEXT,
    first_received_at     BIGINT,
    peer_port             BIGINT,
    connection_deliveries BIGINT
);

-- Makes the partition of a day, in microseconds. It runs with the rights of the owner, so that the role of a node needs
-- none to create tables. First a table, attached then: made as a partition, it would wait for every open transaction that
-- appends, and the next ones would wait for it.
CREATE FUNCTION add_day(name TEXT, first BIGINT, past BIGINT) RETURNS VOID LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    IF name !~ '^deliveries_[0-9]{8}$' THEN
        RAISE invalid_parameter_value USING MESSAGE = 'not the name of a day';
    END IF;
    EXECUTE format('CREATE TABLE %I (LIKE deliveries INCLUDING ALL)', name);
    EXECUTE format('ALTER TABLE deliveries ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)', name, first, past);
END $$;
-- Removes a day with everything in it.
CREATE FUNCTION drop_day(name TEXT) RETURNS VOID LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    IF name !~ '^deliveries_[0-9]{8}$' THEN
        RAISE invalid_parameter_value USING MESSAGE = 'not the name of a day';
    END IF;
    EXECUTE format('DROP TABLE %I', name);
END $$;
-- What runs with the rights of the owner looks nowhere else for tables, and is not for everybody.
DO $$
BEGIN
    EXECUTE format('ALTER FUNCTION add_day SET search_path = %I, pg_temp', current_schema());
    EXECUTE format('ALTER FUNCTION drop_day SET search_path = %I, pg_temp', current_schema());
END $$;
REVOKE ALL ON FUNCTION add_day, drop_day FROM PUBLIC;

-- Rows and bytes of deliveries. Each node has rows of its own, one for each of its writers at a time, so that none waits
-- for another; the sum counts. Retention removes the rows of a day with its partition, and otherwise subtracts.
CREATE TABLE delivery_totals (
    day     BIGINT NOT NULL,                       -- of received_at: days since 1970-01-01
    verdict BIGINT NOT NULL,
    node    TEXT COLLATE "C" NOT NULL,
    writer  BIGINT NOT NULL,
    rows    BIGINT NOT NULL,
    bytes   BIGINT NOT NULL,
    PRIMARY KEY (day, verdict, node, writer)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

-- Appends deliveries of a node, and adds them to the totals of their days and verdicts. No other writer changes those rows.
-- A function keeps the plans of its statements, behind a pooler too. Returns how many deliveries were added.
CREATE FUNCTION add_deliveries(
    by_node TEXT, made new_delivery[],
    by_writer BIGINT, days BIGINT[], verdicts BIGINT[], more_rows BIGINT[], more_bytes BIGINT[]
) RETURNS BIGINT LANGUAGE plpgsql AS $$
DECLARE
    added BIGINT;
BEGIN
    INSERT INTO deliveries (
        node, seq, id, source, received_at, method, path, client_ip,
        event_type, event_name, event_id, entity,
        verdict, reason, status,
        size_bytes, duration_us, duplicate_of, row_bytes, unverified,
        http_version, peer_ip, explanation, headers, body, body_end, checks,
        first_received_at, peer_port, connection_deliveries
    )
    SELECT by_node, new.*
    FROM unnest(made) AS new;
    GET DIAGNOSTICS added = ROW_COUNT;
    INSERT INTO delivery_totals AS known (day, verdict, node, writer, rows, bytes)
    SELECT more.day, more.verdict, by_node, by_writer, more.rows, more.bytes
    FROM unnest(days, verdicts, more_rows, more_bytes) AS more (day, verdict, rows, bytes)
    ON CONFLICT (day, verdict, node, writer) DO UPDATE SET
        rows = known.rows + excluded.rows,
        bytes = known.bytes + excluded.bytes;
    RETURN added;
END $$;

-- Events that were taken; one row an event of a source. The key decides between new, duplicate and conflict over all nodes.
CREATE TABLE event_ids (
    source            TEXT NOT NULL,
    key               BYTEA NOT NULL,              -- a letter for the kind, then the id or the digest
    body_digest       BYTEA NOT NULL,
    delivery_id       BYTEA NOT NULL,
    first_received_at BIGINT NOT NULL,
    expires_at        BIGINT NOT NULL,
    PRIMARY KEY (source, key)
) PARTITION BY HASH (source, key);
CREATE TABLE event_ids_0 PARTITION OF event_ids FOR VALUES WITH (MODULUS 8, REMAINDER 0);
CREATE TABLE event_ids_1 PARTITION OF event_ids FOR VALUES WITH (MODULUS 8, REMAINDER 1);
CREATE TABLE event_ids_2 PARTITION OF event_ids FOR VALUES WITH (MODULUS 8, REMAINDER 2);
CREATE TABLE event_ids_3 PARTITION OF event_ids FOR VALUES WITH (MODULUS 8, REMAINDER 3);
CREATE TABLE event_ids_4 PARTITION OF event_ids FOR VALUES WITH (MODULUS 8, REMAINDER 4);
CREATE TABLE event_ids_5 PARTITION OF event_ids FOR VALUES WITH (MODULUS 8, REMAINDER 5);
CREATE TABLE event_ids_6 PARTITION OF event_ids FOR VALUES WITH (MODULUS 8, REMAINDER 6);
CREATE TABLE event_ids_7 PARTITION OF event_ids FOR VALUES WITH (MODULUS 8, REMAINDER 7);
CREATE INDEX event_ids_expiry ON event_ids (expires_at);
-- An event as a node sends it, many at a time.
CREATE TYPE new_event_id AS (
    source            TEXT,
    key               BYTEA,
    body_digest       BYTEA,
    delivery_id       BYTEA,
    first_received_at BIGINT,
    expires_at        BIGINT
);
-- Takes the events that are free, or expired at `now_us`, and locks the others. Returns the events that were taken, or NULL
-- for all of them, and the first position of this transaction.
CREATE FUNCTION take_event_ids(
    wanted new_event_id[], now_us BIGINT,
    OUT first_position BIGINT, OUT sources TEXT[], OUT keys BYTEA[]
) LANGUAGE plpgsql AS $$
BEGIN
    first_position :=
        (pg_current_xact_id()::text::bigint + (SELECT value FROM facts WHERE name = 'xid_offset')) * 1024;
    WITH taken AS (
        INSERT INTO event_ids AS known
            (source, key, body_digest, delivery_id, first_received_at, expires_at)
        SELECT new.*
        FROM unnest(wanted) AS new
        ON CONFLICT (source, key) DO UPDATE SET
            body_digest = excluded.body_digest,
            delivery_id = excluded.delivery_id,
            first_received_at = excluded.first_received_at,
            expires_at = excluded.expires_at
        WHERE known.expires_at <= now_us
        RETURNING known.source, known.key
    )
    SELECT array_agg(taken.source), array_agg(taken.key)
    INTO sources, keys
    FROM taken;
    IF cardinality(keys) = cardinality(wanted) THEN
        sources := NULL;
        keys := NULL;
    ELSE
        sources := coalesce(sources, '{}');
        keys := coalesce(keys, '{}');
    END IF;
END $$;

CREATE TABLE delivery_marks (
    seq       BIGINT PRIMARY KEY,
    is_pinned BOOLEAN NOT NULL,
    note      TEXT,
    tags      TEXT NOT NULL                        -- JSON, ["a", "b"]
);
CREATE INDEX delivery_marks_pinned ON delivery_marks (seq) WHERE is_pinned;

CREATE TABLE delivery_causes (
    seq      BIGINT PRIMARY KEY,
    source   TEXT NOT NULL,
    code     TEXT NOT NULL,                        -- the same for the same cause
    headline TEXT NOT NULL
);
CREATE INDEX delivery_causes_alike ON delivery_causes (source, code, seq);

CREATE TABLE facts (
    name  TEXT PRIMARY KEY,
    value BIGINT NOT NULL
);
INSERT INTO facts VALUES ('pruned_through', 0), ('probe', 0), ('xid_offset', 0), ('fanout_cursor', 0), ('lens_cursor', 0),
    ('lens_since', 0), ('lens_heard_at', 0), ('entities', 0), ('drift_left_out', 0),
    ('pruned_at', 0),                              -- when retention ran last, by the server's clock
    ('is_full', 0),                                -- 1: max_size is reached and nothing can be removed
    ('subscriptions', 1);                          -- raised by each change of a subscription

-- A row that each node writes to see whether a delivery could be written now. It is as large as a page, so that a disk
-- without room is noticed.
CREATE TABLE probes (
    node   TEXT COLLATE "C" PRIMARY KEY,
    at     BIGINT NOT NULL,
    filler BYTEA NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20);
ALTER TABLE probes ALTER COLUMN filler SET STORAGE PLAIN;

-- Tasks that one node at a time does, such as the fan-out. `until` is by the server's clock.
CREATE TABLE duties (
    name  TEXT PRIMARY KEY,
    node  TEXT COLLATE "C" NOT NULL,
    until BIGINT NOT NULL
);

-- The nodes that use this store. Times are by the server's clock.
CREATE TABLE nodes (
    name       TEXT COLLATE "C" PRIMARY KEY,
    instance   BYTEA NOT NULL,                     -- of its data directory
    start      BIGINT NOT NULL,                    -- drawn at each start of the program
    started_at BIGINT NOT NULL,
    seen_at    BIGINT NOT NULL,
    is_gone    BOOLEAN NOT NULL                    -- it was stopped properly
);

CREATE TABLE subscriptions (
    id              TEXT COLLATE "C" PRIMARY KEY,
    origin          BIGINT NOT NULL,               -- 0 API, 1 configuration
    document        TEXT NOT NULL,                 -- JSON, secrets sealed
    is_ordered      BOOLEAN NOT NULL,              -- as the document says
    enabled         BOOLEAN NOT NULL,
    disabled_reason TEXT,
    since_seq       BIGINT NOT NULL,               -- deliveries after this position are its own
    created_at      BIGINT NOT NULL,
    updated_at      BIGINT NOT NULL,
    parked_since    BIGINT
);

CREATE TABLE events (
    seq         BIGINT PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    source      TEXT NOT NULL,
    event_id    TEXT COLLATE "C",
    event_type  TEXT COLLATE "C" NOT NULL,
    entity      TEXT COLLATE "C",
    received_at BIGINT NOT NULL,
    body        BYTEA NOT NULL,
    delivery_id BYTEA,
    lineage     TEXT NOT NULL,                     -- JSON array of subscription ids
    posted      BYTEA,                             -- of a published one: SHA-256 of what was posted
    messages    BIGINT NOT NULL                    -- how many messages are about it
);
CREATE UNIQUE INDEX events_published ON events (event_id) WHERE posted IS NOT NULL;
CREATE INDEX events_without_messages ON events (received_at) WHERE messages = 0;
CREATE INDEX events_published_types ON events (event_type, received_at) WHERE posted IS NOT NULL;

CREATE TABLE messages (
    seq             BIGINT PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    id              BYTEA NOT NULL UNIQUE,
    subscription_id TEXT COLLATE "C" NOT NULL,
    target_id       TEXT COLLATE "C" NOT NULL,     -- through which subscription it is sent: its own, or the fallback
    event_seq       BIGINT NOT NULL,
    event_id        TEXT COLLATE "C",
    event_type      TEXT COLLATE "C" NOT NULL,
    entity          TEXT COLLATE "C",              -- of ordered messages only
    by_hand         BOOLEAN NOT NULL,
    status          BIGINT NOT NULL,               -- 0 pending, 1 sending, 2 delivered, 3 dead, 4 cancelled
    created_at      BIGINT NOT NULL,
    next_attempt_at BIGINT NOT NULL,               -- by the clock of the node that wrote it
    lease_until     BIGINT,                        -- by the server's clock
    claim           BIGINT NOT NULL DEFAULT 0,     -- raised by each claim and each end of one: who has another number
                                                   -- changes nothing
    claimed_by      TEXT COLLATE "C",              -- the node that claimed it last
    claimed_at      BIGINT,
    attempts        BIGINT NOT NULL,
    attempts_before BIGINT NOT NULL,               -- made before the present round
    primary_error   TEXT,
    finished_at     BIGINT,
    replayed_at     BIGINT
) WITH (
    -- Each claim and each outcome leaves a dead row behind in the partial indexes, which the next claims read: seen are
    -- claims a hundred times as slow. So vacuum comes by numbers, not by a part of the table, and does not pause.
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 2000,
    autovacuum_vacuum_cost_delay = 0,
    autovacuum_analyze_scale_factor = 0.02,
    fillfactor = 90
);
CREATE UNIQUE INDEX messages_once ON messages (subscription_id, event_id) WHERE event_id IS NOT NULL AND NOT by_hand;
CREATE INDEX messages_subscription ON messages (subscription_id, status, seq);
CREATE INDEX messages_event ON messages (event_id, seq) WHERE event_id IS NOT NULL;
CREATE INDEX messages_status ON messages (status, seq);
CREATE INDEX messages_due ON messages (target_id, next_attempt_at, seq) WHERE status = 0;
CREATE INDEX messages_leased ON messages (lease_until) WHERE status = 1;
CREATE INDEX messages_in_order ON messages (target_id, entity, seq) WHERE status < 2 AND entity IS NOT NULL;
CREATE INDEX messages_sent_in_order ON messages (target_id, entity) WHERE status = 1 AND entity IS NOT NULL;

-- Attempts are never replaced: those of a node whose message was taken over stay next to the other node's.
CREATE TABLE attempts (
    message_seq      BIGINT NOT NULL,
    number           BIGINT NOT NULL,
    claim            BIGINT NOT NULL,
    target_id        TEXT NOT NULL,
    started_at       BIGINT NOT NULL,
    duration_us      BIGINT NOT NULL,
    status           BIGINT,
    error            TEXT,
    error_detail     TEXT,
    response_headers TEXT NOT NULL,                -- JSON array of pairs
    response_body    BYTEA NOT NULL,
    truncated        BOOLEAN NOT NULL,
    missing          TEXT NOT NULL,                -- JSON array
    PRIMARY KEY (message_seq, number, claim)
);

CREATE TABLE dead_letters (
    message_seq     BIGINT PRIMARY KEY,
    subscription_id TEXT COLLATE "C" NOT NULL,
    url             TEXT NOT NULL,
    payload         BYTEA NOT NULL,
    error           TEXT COLLATE "C" NOT NULL,
    primary_error   TEXT,
    fallback_error  TEXT,
    failed_at       BIGINT NOT NULL,
    is_reported     BOOLEAN NOT NULL               -- whether administrators were notified
);
CREATE INDEX dead_letters_groups ON dead_letters (subscription_id, error, failed_at);
CREATE INDEX dead_letters_unreported ON dead_letters (subscription_id, message_seq) WHERE NOT is_reported;

-- Requests of lanes with a rate, written before they are made. `arrives_by` is by the server's clock: until then the
-- request may still be under way, and a window after that it counts. The end of the request brings it forward.
CREATE TABLE rate_marks (
    message_seq BIGINT NOT NULL,
    claim       BIGINT NOT NULL,
    target_id   TEXT COLLATE "C" NOT NULL,
    at          BIGINT NOT NULL,                   -- by the node's clock
    arrives_by  BIGINT NOT NULL,
    PRIMARY KEY (message_seq, claim)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0);
CREATE INDEX rate_marks_counting ON rate_marks (target_id, arrives_by);

CREATE TABLE sender_totals (
    subscription_id TEXT COLLATE "C" PRIMARY KEY,
    attempts        BIGINT NOT NULL,
    successful      BIGINT NOT NULL,
    retries         BIGINT NOT NULL,
    answered        BIGINT NOT NULL,
    answered_us     BIGINT NOT NULL,
    last_success_at BIGINT,
    last_failure_at BIGINT,
    recent          TEXT NOT NULL DEFAULT ''       -- how the last attempts ended, the newest first: + arrived, - failed
) WITH (fillfactor = 70);
CREATE TABLE sender_latency (
    subscription_id TEXT COLLATE "C" NOT NULL,
    bucket          BIGINT NOT NULL,               -- of durations a hundredth apart
    attempts        BIGINT NOT NULL,
    PRIMARY KEY (subscription_id, bucket)
) WITH (fillfactor = 70);

CREATE TABLE health_checks (
    seq             BIGINT PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    subscription_id TEXT COLLATE "C" NOT NULL,
    status          TEXT NOT NULL,
    response_code   BIGINT,
    response_us     BIGINT,
    error           TEXT,
    checked_at      BIGINT NOT NULL
);
CREATE INDEX health_checks_subscription ON health_checks (subscription_id, seq);

CREATE TABLE replays (
    id         BYTEA PRIMARY KEY,                  -- UUID version 7: it tells the time
    original   BYTEA NOT NULL,
    target     TEXT NOT NULL,                      -- "receiver", a URL, or the id of a subscription
    signature  TEXT NOT NULL,                      -- fresh, original, none
    is_edited  BOOLEAN NOT NULL,
    run        BYTEA,
    status     BIGINT,
    delivery   BYTEA,
    message    BYTEA,
    error      TEXT,
    answer     BYTEA NOT NULL
);
CREATE INDEX replays_original ON replays (original);
CREATE INDEX replays_delivery ON replays (delivery) WHERE delivery IS NOT NULL;
CREATE INDEX replays_run ON replays (run, id) WHERE run IS NOT NULL;
CREATE TABLE replay_runs (
    id              BYTEA PRIMARY KEY,
    filter          TEXT NOT NULL,
    target          TEXT NOT NULL,
    signature       TEXT NOT NULL,
    is_newest_first BOOLEAN NOT NULL,
    per_second      DOUBLE PRECISION,
    concurrency     BIGINT NOT NULL,
    stops_on_error  BOOLEAN NOT NULL,
    state           TEXT NOT NULL,                 -- running, stopped, done
    why             TEXT,
    total           BIGINT NOT NULL,
    done            BIGINT NOT NULL,
    failed          BIGINT NOT NULL,
    gone            BIGINT NOT NULL
);
CREATE TABLE replay_plan (
    run      BYTEA NOT NULL,
    place    BIGINT NOT NULL,
    delivery BYTEA NOT NULL,
    PRIMARY KEY (run, place)
);

CREATE TABLE drift_types (
    id         BIGINT PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    source     TEXT COLLATE "C" NOT NULL,
    event_type TEXT COLLATE "C" NOT NULL,
    deliveries BIGINT NOT NULL,
    refused    BIGINT NOT NULL,
    samples    BIGINT NOT NULL,
    fields     BIGINT NOT NULL,
    is_cut     BOOLEAN NOT NULL,
    first_seen BIGINT NOT NULL,
    first_in   BYTEA NOT NULL,
    last_seen  BIGINT NOT NULL,
    through    BIGINT NOT NULL,
    UNIQUE (source, event_type)
);
CREATE TABLE drift_fields (
    type_id      BIGINT NOT NULL,
    pointer      TEXT COLLATE "C" NOT NULL,
    types        BIGINT NOT NULL,
    counts       TEXT NOT NULL,
    first_seen   BIGINT NOT NULL,
    first_in     BYTEA NOT NULL,
    first_sample BIGINT NOT NULL,
    last_seen    BIGINT NOT NULL,
    types_before BIGINT NOT NULL,
    changed_at   BIGINT,
    changed_in   BYTEA,
    PRIMARY KEY (type_id, pointer)
);
CREATE TABLE entities (
    source          TEXT COLLATE "C" NOT NULL,
    entity          TEXT COLLATE "C" NOT NULL,
    name            TEXT COLLATE "C",
    first_seen      BIGINT NOT NULL,
    last_seen       BIGINT NOT NULL,
    last_delivery   BYTEA NOT NULL,
    last_event_type TEXT,
    deliveries      BIGINT NOT NULL,
    newest_event_at BIGINT,
    out_of_order    BIGINT NOT NULL,
    late            BIGINT NOT NULL,
    silent_at       BIGINT,
    due_at          BIGINT,
    due_rule        BIGINT NOT NULL,
    habits          TEXT NOT NULL,
    through         BIGINT NOT NULL,
    own_name        TEXT COLLATE "C",
    trouble         BIGINT NOT NULL DEFAULT 0,     -- 0: none, 1: late, 2: clock ahead
    quiet_at        BIGINT,
    PRIMARY KEY (source, entity)
);
CREATE INDEX entities_last_seen ON entities (last_seen, source, entity);
CREATE INDEX entities_silent ON entities (last_seen, source, entity) WHERE silent_at IS NOT NULL;
CREATE INDEX entities_due ON entities (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX entities_trouble ON entities (trouble, last_seen, source, entity) WHERE trouble > 0;
CREATE INDEX entities_quiet ON entities (quiet_at, source, entity) WHERE quiet_at IS NOT NULL;
CREATE INDEX entities_named ON entities (source, entity) WHERE own_name IS NOT NULL;
CREATE INDEX entities_joined ON entities (entity) WHERE length(entity) >= 12;
CREATE TABLE outages (
    since BIGINT PRIMARY KEY,
    until BIGINT NOT NULL
);

CREATE TABLE minutes (
    minute  BIGINT NOT NULL,
    source  TEXT COLLATE "C" NOT NULL,
    verdict BIGINT NOT NULL,
    reason  TEXT COLLATE "C" NOT NULL,                         -- '' where there is none
    count   BIGINT NOT NULL,
    times   TEXT NOT NULL,                         -- JSON: how many took at most each bound, and longer
    PRIMARY KEY (minute, source, verdict, reason)
);

CREATE TABLE saved_searches (
    name  TEXT COLLATE "C" PRIMARY KEY,
    query TEXT NOT NULL
);
