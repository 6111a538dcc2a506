//! The timeline of a server, and what a new one needs. Each promotion of a standby begins one.

use tokio_postgres::{Client, SimpleQueryMessage};

/// The timeline of a primary. `pg_control_checkpoint` would name the old one until the next checkpoint.
const TIMELINE: &str = "SELECT substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)";
/// More transactions than a standby lacks when it is promoted.
const LACKING: u32 = 1 << 24;
/// The key of the lock that transactions with positions share, as in `take_event_ids`: "tagoturn" in bytes.
const TURN_LOCK: i64 = 0x7461_676f_7475_726e;

/// The timeline of a server; `None` if it does not tell it.
pub async fn timeline(client: &Client) -> Option<u32> {
    let answer = client.simple_query(TIMELINE).await.ok()?;
    let row = answer.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0),
        _ => None,
    });
    u32::from_str_radix(row?, 16).ok()
}

/// Statements that raise positions once on a new timeline, above those that only the former primary had: nodes, and pages
/// that are open, remember some. The revision of the subscriptions is raised too: it must not be one that a lost change
/// had. Every node runs them before anything else on that timeline, so that no row is written before. Behind a pooler,
/// other nodes may write already: they are waited for. The statements wait for no standby: if they are lost with this
/// primary, the next one has another timeline.
pub fn on_timeline(timeline: u32) -> String {
    format!(
        r"
        BEGIN;
        SET LOCAL synchronous_commit = local;
        SELECT pg_advisory_xact_lock({TURN_LOCK});
        INSERT INTO facts (name, value) VALUES ('timeline', {timeline}) ON CONFLICT (name) DO NOTHING;
        WITH turned AS (
            UPDATE facts SET value = {timeline}
            WHERE name = 'timeline' AND value <> {timeline}
            RETURNING value
        )
        UPDATE facts SET value = value + {LACKING}
        WHERE name IN ('xid_offset', 'subscriptions') AND EXISTS (SELECT FROM turned);
        COMMIT
        "
    )
}
