-- A batch whose event ids are all free is written by one statement. Its deliveries come with places, from 0 on, and
-- `first` makes positions of them. Nodes of the version before give none.
DROP FUNCTION add_deliveries(TEXT, new_delivery[], BIGINT, BIGINT[], BIGINT[], BIGINT[], BIGINT[]);
CREATE FUNCTION add_deliveries(
    by_node TEXT, made new_delivery[],
    by_writer BIGINT, days BIGINT[], verdicts BIGINT[], more_rows BIGINT[], more_bytes BIGINT[],
    first BIGINT DEFAULT 0
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
    SELECT by_node, first + new.seq, new.id, new.source, new.received_at, new.method, new.path, new.client_ip,
        new.event_type, new.event_name, new.event_id, new.entity,
        new.verdict, new.reason, new.status,
        new.size_bytes, new.duration_us, new.duplicate_of, new.row_bytes, new.unverified,
        new.http_version, new.peer_ip, new.explanation, new.headers, new.body, new.body_end, new.checks,
        new.first_received_at, new.peer_port, new.connection_deliveries
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

-- Takes the events of a batch like `take_event_ids`, and adds its deliveries if every event was free. `added` is how many,
-- or NULL if some event has another delivery: then nothing is added.
CREATE FUNCTION append_batch(
    wanted new_event_id[], now_us BIGINT,
    by_node TEXT, made new_delivery[],
    by_writer BIGINT, days BIGINT[], verdicts BIGINT[], more_rows BIGINT[], more_bytes BIGINT[],
    OUT first_position BIGINT, OUT sources TEXT[], OUT keys BYTEA[], OUT added BIGINT
) LANGUAGE plpgsql AS $$
BEGIN
    SELECT taken.first_position, taken.sources, taken.keys
    INTO first_position, sources, keys
    FROM take_event_ids(wanted, now_us) AS taken;
    IF sources IS NULL OR cardinality(wanted) = 0 THEN
        added := add_deliveries(by_node, made, by_writer, days, verdicts, more_rows, more_bytes, first_position);
    END IF;
END $$;
