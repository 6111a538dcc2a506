-- Tokens for the API. Only a digest of each is kept.
CREATE TABLE api_tokens (
    id           TEXT PRIMARY KEY,
    name         TEXT NOT NULL,
    scope        INTEGER NOT NULL,         -- 0 read, 1 replay, 2 admin
    digest       BLOB NOT NULL UNIQUE,     -- SHA-256 of the token
    tail         TEXT NOT NULL,            -- its last characters, to recognise it
    created_at   INTEGER NOT NULL,
    last_used_at INTEGER                   -- within a minute
) WITHOUT ROWID;
