-- The form of http_version, explanation, headers, body_end and checks: NULL for texts as they are, 1 for packed ones
-- (src/store/log/sqlite/packing.rs). In a packed row, an empty peer_ip is the client_ip.
ALTER TABLE delivery_bytes ADD COLUMN packed INTEGER;
