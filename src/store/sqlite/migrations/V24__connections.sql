-- The connection that a delivery arrived on.
ALTER TABLE delivery_bytes ADD COLUMN peer_port INTEGER;
ALTER TABLE delivery_bytes ADD COLUMN connection_deliveries INTEGER;
-- When its client closed its side of it before our response, in microseconds since the head. Written afterwards, so it is in the narrow row.
ALTER TABLE deliveries ADD COLUMN hung_up_us INTEGER;
