-- The search index finds these. Here each cost a page of the log a delivery.
DROP INDEX deliveries_event_type;
DROP INDEX deliveries_event_id;
DROP INDEX deliveries_entity;
DROP INDEX deliveries_reason;
