//! Removes event ids that have expired.

use rusqlite::Connection;

use super::identity::Identity;
use super::places::{first_of, first_part};
use super::taking::EventIds;
use crate::domain::Timestamp;

impl EventIds {
    /// Removes at most `most` ids inside the open transaction; returns how many. A run goes as a whole, when the last of its
    /// ids has expired.
    pub fn remove_expired(
        &mut self,
        connection: &Connection,
        now: Timestamp,
        most: usize,
    ) -> rusqlite::Result<usize> {
        let now = self.stored(now);
        let expired: Vec<(Identity, i64)> = self
            .fresh
            .iter()
            .filter(|(_, fresh)| fresh.expires_at <= now)
            .map(|(identity, fresh)| (*identity, fresh.id))
            .take(most)
            .collect();
        let mut remove = connection.prepare_cached("DELETE FROM taken_event_ids WHERE id = ?1")?;
        for (identity, id) in &expired {
            remove.execute([id])?;
            self.fresh.remove(identity);
        }
        let room = most.saturating_sub(expired.len());
        Ok(expired.len().saturating_add(self.remove_of_runs(connection, now, room)?))
    }

    fn oldest_expired(&self, now: i64) -> Option<i64> {
        self.runs.iter().filter(|run| run.latest_expiry <= now).map(|run| run.number).min()
    }

    fn remove_of_runs(&mut self, connection: &Connection, now: i64, most: usize) -> rusqlite::Result<usize> {
        let mut removed = 0_usize;
        while removed < most
            && let Some(number) = self.oldest_expired(now)
        {
            let room = i64::try_from(most.saturating_sub(removed)).unwrap_or(i64::MAX);
            let now_removed = remove_rows(connection, number, room)?;
            if now_removed == 0 {
                connection
                    .prepare_cached("DELETE FROM event_id_places WHERE part >= ?1 AND part < ?2")?
                    .execute([first_part(number), first_part(number.saturating_add(1))])?;
                connection.prepare_cached("DELETE FROM event_id_runs WHERE run = ?1")?.execute([number])?;
                self.runs.retain(|run| run != number);
            }
            removed = removed.saturating_add(now_removed);
        }
        Ok(removed)
    }
}

/// Removes at most `most` rows of a listed run, also of one of the version before.
fn remove_rows(connection: &Connection, run: i64, most: i64) -> rusqlite::Result<usize> {
    let removed = connection
        .prepare_cached(
            r"
            DELETE FROM taken_event_ids
            WHERE id IN (SELECT id FROM taken_event_ids WHERE id >= ?1 AND id < ?2 ORDER BY id LIMIT ?3)
            ",
        )?
        .execute([first_of(run), first_of(run.saturating_add(1)), most])?;
    let room = most.saturating_sub(i64::try_from(removed).unwrap_or(i64::MAX));
    let sorted = connection
        .prepare_cached(
            r"
            DELETE FROM sorted_event_ids
            WHERE run = ?1
              AND identity IN (SELECT identity FROM sorted_event_ids WHERE run = ?1 ORDER BY identity LIMIT ?2)
            ",
        )?
        .execute([run, room])?;
    Ok(removed.saturating_add(sorted))
}
