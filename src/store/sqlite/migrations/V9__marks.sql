-- What people put on deliveries: a pin, a note, tags. A pinned delivery leaves the totals, and no retention takes it.
CREATE TABLE delivery_marks (
    seq       INTEGER PRIMARY KEY,
    is_pinned INTEGER NOT NULL,
    note      TEXT,
    tags      TEXT NOT NULL                -- JSON, ["a", "b"]
);
CREATE INDEX delivery_marks_pinned ON delivery_marks (seq) WHERE is_pinned;
