-- The name that somebody gave a device, what trouble its clock is in, and from when on it is quiet.
ALTER TABLE entities ADD COLUMN own_name TEXT;
ALTER TABLE entities ADD COLUMN trouble INTEGER NOT NULL DEFAULT 0; -- 0: none, 1: late, 2: clock ahead
ALTER TABLE entities ADD COLUMN quiet_at INTEGER;                   -- NULL: its usual interval is not known

-- Deliveries within two seconds are one occasion: intervals below are none.
UPDATE entities SET habits = json_set(habits, '$.gaps',
    json((SELECT json_group_array(value) FROM json_each(entities.habits, '$.gaps') WHERE value >= 2000)));
-- The median of at least three intervals is the usual one.
UPDATE entities SET quiet_at = last_seen + max(60000000, 3000 *
    (SELECT value FROM (SELECT value, row_number() OVER (ORDER BY value) AS place, count(*) OVER () AS total
                        FROM json_each(entities.habits, '$.gaps')) WHERE place = (total + 1) / 2))
    WHERE json_array_length(habits, '$.gaps') >= 3;
CREATE TEMP TABLE lags AS
    SELECT source, entity, (SELECT value FROM (SELECT value, row_number() OVER (ORDER BY value) AS place,
        count(*) OVER () AS total FROM json_each(e.habits, '$.lags')) WHERE place = (total + 1) / 2) AS lag
    FROM entities e WHERE json_array_length(e.habits, '$.lags') > 0;
UPDATE entities SET trouble = CASE
        WHEN lags.lag < -5000 THEN 2
        WHEN (SELECT count(*) FROM json_each(entities.habits, '$.lags') WHERE value - lags.lag > 60000) >= 3 THEN 1
        ELSE 0 END
    FROM lags WHERE lags.source = entities.source AND lags.entity = entities.entity;
DROP TABLE lags;

CREATE INDEX entities_trouble ON entities (trouble, last_seen, source, entity) WHERE trouble > 0;
CREATE INDEX entities_quiet ON entities (quiet_at, source, entity) WHERE quiet_at IS NOT NULL;
CREATE INDEX entities_named ON entities (source, entity, own_name) WHERE own_name IS NOT NULL;
-- The same id at several sources is one device, where it is an id of the whole world.
CREATE INDEX entities_joined ON entities (entity) WHERE length(entity) >= 12;
