-- The deliveries of an event, and those of a device. Numbers are compared several times as fast as texts, and take less room.
CREATE INDEX deliveries_event ON deliveries (hashtext(event_id), seq) WHERE event_id IS NOT NULL;
CREATE INDEX deliveries_entity ON deliveries (hashtext(entity), seq) WHERE entity IS NOT NULL;
