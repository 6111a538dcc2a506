//! A run of event ids until it is listed.

use rusqlite::{Connection, params};

use super::filter::Filter;
use super::identity::Identity;

/// A run that is being built.
pub(super) struct Building {
    /// Its number.
    pub(super) number: i64,
    /// When the last of its ids expires, as stored.
    pub(super) latest_expiry: i64,
    /// The filter of all of its ids.
    pub(super) filter: Filter,
    /// The rows that are left, the first one last.
    pub(super) left: Vec<(Identity, i64)>,
}

impl Building {
    /// Copies the next rows.
    pub(super) fn copy(&mut self, connection: &Connection, rows: usize) -> rusqlite::Result<()> {
        let mut copy = connection.prepare_cached(
            r"
            INSERT INTO sorted_event_ids (
                run, identity, source, key,
                body_digest, delivery_id, first_received_at, expires_at
            )
            SELECT ?1, identity, source, key, body_digest, delivery_id, first_received_at, expires_at
            FROM fresh_event_ids
            WHERE id = ?2
            ",
        )?;
        let rest = self.left.len().saturating_sub(rows);
        for (_, id) in self.left.drain(rest..).rev() {
            copy.execute(params![self.number, id])?;
        }
        Ok(())
    }
}
