-- Dead letters are shown by subscription and error.
CREATE INDEX dead_letters_groups ON dead_letters (subscription_id, error, failed_at);

-- How the last attempts of each subscription ended, the newest first: + arrived, - failed.
ALTER TABLE sender_totals ADD COLUMN recent TEXT NOT NULL DEFAULT '';

-- What was published is counted by its type.
CREATE INDEX events_published_types ON events (event_type, received_at) WHERE posted IS NOT NULL;
