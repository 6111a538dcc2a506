-- Tokens for the API. Only a digest of each is kept.
CREATE TABLE api_tokens (
    id           TEXT COLLATE "C" PRIMARY KEY,
    name         TEXT COLLATE "C" NOT NULL,
    scope        BIGINT NOT NULL,                  -- 0 read, 1 replay, 2 admin
    digest       BYTEA NOT NULL UNIQUE,            -- SHA-256 of the token
    tail         TEXT NOT NULL,                    -- its last characters, to recognise it
    created_at   BIGINT NOT NULL,
    last_used_at BIGINT                            -- within a minute
);
