-- Two roles for tagohook in PostgreSQL: one that owns the tables, and one with which the nodes run.
--
--   psql -v ON_ERROR_STOP=1 -d tagohook -f roles.sql       as a superuser, in the database of tagohook
--   \password tagohook_owner and \password tagohook        then give both a password
--
-- Create the database first: CREATE DATABASE tagohook ENCODING 'UTF8' TEMPLATE template0. After each update of the program,
-- let the owner create or change the tables, then start the nodes with the other role:
--
--   TAGOHOOK_STORE_URL=postgres://tagohook_owner@HOST/tagohook tagohook prepare-store
--
-- This file may be run again; it changes nothing then.

DO $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'tagohook_owner') THEN
        CREATE ROLE tagohook_owner LOGIN;
    END IF;
    IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'tagohook') THEN
        CREATE ROLE tagohook LOGIN;
    END IF;
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO tagohook_owner, tagohook', current_database());
END $$;

-- A schema of its own, found first by both roles: they use nothing of others, and others nothing of theirs.
CREATE SCHEMA IF NOT EXISTS tagohook AUTHORIZATION tagohook_owner;
GRANT USAGE ON SCHEMA tagohook TO tagohook;
DO $$
BEGIN
    EXECUTE format('ALTER ROLE tagohook_owner IN DATABASE %I SET search_path = tagohook', current_database());
    EXECUTE format('ALTER ROLE tagohook IN DATABASE %I SET search_path = tagohook', current_database());
END $$;

-- What the owner creates, now and later, the nodes may use: rows, but not tables. Days of the log are added and removed by
-- two functions of the owner.
ALTER DEFAULT PRIVILEGES FOR ROLE tagohook_owner IN SCHEMA tagohook
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO tagohook;
ALTER DEFAULT PRIVILEGES FOR ROLE tagohook_owner IN SCHEMA tagohook
    GRANT EXECUTE ON FUNCTIONS TO tagohook;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA tagohook TO tagohook;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA tagohook TO tagohook;

-- To see whether a standby is connected, and which transaction holds readers back.
GRANT pg_read_all_stats TO tagohook;

-- No acknowledged delivery is lost in a crash, whatever the server's default is.
ALTER ROLE tagohook SET synchronous_commit = on;
