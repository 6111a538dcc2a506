-- What a delivery of the bench leaves in the database, as one transaction of pgbench: the same two rows in the same tables, with
-- as many bytes. Ids rise, as those of the bench do.
\set event :client_id * 1000000000000 + :count
\set count :count + 1
BEGIN;
INSERT INTO event_ids (source, key, body_digest, delivery_id, first_received_at, expires_at)
VALUES (
    'tagorun', convert_to('ievt_' || lpad(CAST(CAST(:event AS bigint) AS text), 32, '0'), 'UTF8'),
    decode(repeat('5a', 32), 'hex'), int8send(CAST(:event AS bigint)) || int8send(CAST(1 AS bigint)),
    (extract(epoch FROM now()) * 1000000)::bigint, (extract(epoch FROM now()) * 1000000)::bigint + 2592000000000
)
ON CONFLICT DO NOTHING;
INSERT INTO deliveries (
    seq, id, source, received_at,
    method, path, client_ip, event_type, event_id,
    verdict, status, size_bytes, duration_us, row_bytes, node, http_version,
    peer_ip, peer_port, connection_deliveries, explanation,
    headers, body, body_end, checks
)
VALUES (
    pg_current_xact_id()::text::bigint * 1024, int8send(CAST(:event AS bigint)) || int8send(CAST(1 AS bigint)), 'tagorun',
    (extract(epoch FROM now()) * 1000000)::bigint,
    'POST', '/webhook/tagorun', '\x00000000000000000000ffff7f000001', 'user.login',
    'evt_' || lpad(CAST(CAST(:event AS bigint) AS text), 32, '0'),
    0, 200, 400, 2270, 1539, 'node-0', 'HTTP/1.1',
    '\x00000000000000000000ffff7f000001', 60142, 1, 'direct connection',
    '\x486f73743a206c6f63616c686f73740d0a436f6e74656e742d547970653a206170706c69636174696f6e2f6a736f6e0d0a557365722d4167656e743a2062656e63680d0a582d5461676f52554e2d5369676e61747572653a20636163616361636163616361636163616361636163616361636163616361636163616361636163616361636163616361636163616361636163616361636163610d0a436f6e74656e742d4c656e6774683a203430300d0a', '\x7b226964223a22737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373737373', 'complete',
    '[[2,4,"127.0.0.1 (direct connection)","any address",null,[],[]],[0,3,"400 bytes","at most 4 MiB, complete in time",null,[],[]],[2,1,"","no credentials asked for",null,[],[]],[0,18,"signed with file_signing-secret","tagorun signature made with file_signing-secret",null,[],[]],[0,13,"an object of 5 members, 400 bytes","one JSON object, or TagoIO''s array of data points",null,[],[]],[0,1953,"user.login","schema of user.login",null,[],[]],[0,5,"id evt_00000000000000000000000000000000","one event is taken once",null,[],[]]]'
);
COMMIT;
