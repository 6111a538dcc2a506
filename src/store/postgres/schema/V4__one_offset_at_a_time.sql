-- Whoever raises positions waits for the transactions whose positions are not raised yet, see `on_timeline`: else a reader
-- passes them before they commit.
CREATE OR REPLACE FUNCTION take_event_ids(
    wanted new_event_id[], now_us BIGINT,
    OUT first_position BIGINT, OUT sources TEXT[], OUT keys BYTEA[]
) LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(8386097709533459054);
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
