-- Searches that people gave a name.
CREATE TABLE saved_searches (
    name  TEXT PRIMARY KEY,
    query TEXT NOT NULL                    -- as parameters of a list: verdict=rejected&q=…
) WITHOUT ROWID;
