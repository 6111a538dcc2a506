-- A subscription that is not in force keeps its row; what waits for it is parked.
ALTER TABLE subscriptions ADD COLUMN parked_since INTEGER;
ALTER TABLE messages ADD COLUMN replayed_at INTEGER;
