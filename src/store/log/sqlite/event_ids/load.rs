//! Reads what the file says about event ids, at the start and where another process has written.

use std::collections::BTreeSet;

use rusqlite::Connection;

use super::filter::Filter;
use super::places::first_of;
use super::runs::Run;
use super::taking::{EventIds, Fresh};

impl EventIds {
    /// Follows the file inside the open transaction: what others wrote, and how far the clock was set.
    pub fn follow(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let version = connection.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))?;
        if self.version != Some(version) {
            self.load(connection)?;
            self.version = Some(version);
        }
        self.shift = connection
            .prepare_cached("SELECT value FROM facts WHERE name = 'event_ids_shift'")?
            .query_row([], |row| row.get(0))?;
        self.newest_before = self.runs.iter().map(|run| run.number).max().unwrap_or(0);
        Ok(())
    }

    /// The file is read again before the next use: a transaction failed, so memory and file may differ.
    pub fn forget(&mut self) {
        self.version = None;
        // The number of a run that was not committed will be that of another one.
        let newest = self.newest_before;
        self.runs.retain(|run| run <= newest);
    }

    fn load(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        self.load_runs(connection)?;
        self.listed = newest_run(connection)?;
        let first = first_of(self.listed.saturating_add(1));
        self.fresh.clear();
        self.next = first;
        let mut read = connection.prepare_cached(
            "SELECT id, identity, expires_at FROM taken_event_ids WHERE id >= ?1 ORDER BY id",
        )?;
        let mut rows = read.query([first])?;
        while let Some(row) = rows.next()? {
            let fresh = Fresh { id: row.get(0)?, expires_at: row.get(2)? };
            self.fresh.insert(row.get(1)?, fresh);
            self.next = self.following(fresh.id);
        }
        Ok(())
    }

    /// Reads the list of runs, and the filters that are not known yet.
    fn load_runs(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let mut read = connection.prepare_cached("SELECT run FROM event_id_runs")?;
        let listed = read.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<BTreeSet<i64>>>()?;
        self.runs.retain(|run| listed.contains(&run));
        let known: BTreeSet<i64> = self.runs.iter().map(|run| run.number).collect();
        let mut read =
            connection.prepare_cached("SELECT latest_expiry, filter FROM event_id_runs WHERE run = ?1")?;
        for number in listed.difference(&known).copied() {
            let (latest_expiry, filter) = read.query_row([number], |row| {
                Ok((row.get(0)?, Filter::from_bytes(row.get_ref(1)?.as_blob()?)))
            })?;
            self.runs.add(Run { number, latest_expiry }, filter);
        }
        Ok(())
    }
}

/// The highest number of a run that was ever listed. No number is used twice.
pub(super) fn newest_run(connection: &Connection) -> rusqlite::Result<i64> {
    connection
        .prepare_cached("SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'event_id_runs'")?
        .query_row([], |row| row.get(0))
}
