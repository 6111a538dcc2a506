-- What a body that was refused unread says of its event: shown, and used for nothing else. JSON: event, id, device, its name.
ALTER TABLE deliveries ADD COLUMN unverified TEXT;
-- Why deliveries were refused or repeated, as it was found out after they were stored.
CREATE TABLE delivery_causes (
    seq      INTEGER PRIMARY KEY,
    source   TEXT NOT NULL,
    code     TEXT NOT NULL,                -- the same for the same cause
    headline TEXT NOT NULL
);
CREATE INDEX delivery_causes_alike ON delivery_causes (source, code, seq);
