-- Event ids stay where they were written. A full run only gets a list of its places, by identity.

ALTER TABLE fresh_event_ids RENAME TO taken_event_ids;

CREATE TABLE event_id_places (
    part   INTEGER PRIMARY KEY,  -- the number of the run << 8, and the first byte of the identities
    places BLOB NOT NULL         -- for each id the next four bytes of its identity, and its place in the run: two bytes, little endian
);

-- Runs of the version before lie in sorted_event_ids until they expire. One that is not listed is still in taken_event_ids.
DELETE FROM sorted_event_ids
WHERE run > (SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'event_id_runs');
