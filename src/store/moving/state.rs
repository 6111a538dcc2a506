//! What changes whenever a program has run on a store: its facts, its totals and the numbers of its newest rows.

use sha2::{Digest as _, Sha256};

/// SQL for names and values, in an order that is always the same. `id` is SQL for a delivery's id as a text.
pub fn sql(id: &str) -> String {
    format!(
        r"
        SELECT name, CAST(value AS TEXT) AS value FROM facts WHERE name NOT IN ('xid_offset', 'timeline')
        UNION ALL SELECT 'first', coalesce((SELECT {id} FROM deliveries ORDER BY seq LIMIT 1), '')
        UNION ALL SELECT 'last', coalesce((SELECT {id} FROM deliveries ORDER BY seq DESC LIMIT 1), '')
        UNION ALL SELECT 'events', CAST(coalesce((SELECT max(seq) FROM events), 0) AS TEXT)
        UNION ALL SELECT 'messages', CAST(coalesce((SELECT max(seq) FROM messages), 0) AS TEXT)
        UNION ALL SELECT 'attempts', CAST(coalesce((SELECT sum(attempts) FROM sender_totals), 0) AS TEXT)
        UNION ALL SELECT 'minutes', CAST(coalesce((SELECT sum(count) FROM minutes), 0) AS TEXT)
        UNION ALL SELECT 'changed', CAST(coalesce((SELECT max(updated_at) FROM subscriptions), 0) AS TEXT)
        "
    )
}

/// The digest of names and values.
pub fn digest(mut lines: Vec<(String, String)>) -> String {
    lines.sort_unstable();
    let mut hasher = Sha256::new();
    for (name, value) in lines {
        hasher.update(format!("{name}={value}\n"));
    }
    hex::encode(hasher.finalize())
}
