-- The verdict 4: a platform's question before it sends, answered.
INSERT INTO totals VALUES (4, 0, 0);
