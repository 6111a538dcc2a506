-- The deliveries of an event, and those of a device.
CREATE INDEX deliveries_event ON deliveries (event_id, seq) WHERE event_id IS NOT NULL;
CREATE INDEX deliveries_entity ON deliveries (entity, seq) WHERE entity IS NOT NULL;
