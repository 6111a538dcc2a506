//! Lists the ids of a full run, so that each can be found by its identity.

use rusqlite::{Connection, params};

use super::filter::Filter;
use super::identity::Identity;
use super::places::{PARTS, entry, first_part, run_of};
use super::runs::Run;
use super::taking::EventIds;

/// The list of a run.
pub(super) struct Listing {
    run: Run,
    filter: Filter,
    parts: Vec<Vec<u8>>,
}

impl Listing {
    /// An empty list of run `number` for `rows` ids.
    pub(super) fn new(number: i64, rows: usize) -> Self {
        let run = Run { number, latest_expiry: i64::MIN };
        Self { run, filter: Filter::with_room(rows), parts: vec![Vec::new(); PARTS] }
    }

    /// Adds an id that lies in row `id` of the run.
    pub(super) fn add(&mut self, identity: Identity, id: i64, expires_at: i64) {
        self.run.latest_expiry = self.run.latest_expiry.max(expires_at);
        self.filter.add(identity);
        let (part, next) = identity.part();
        if let Some(part) = self.parts.get_mut(usize::from(part)) {
            part.extend_from_slice(&entry(next, id));
        }
    }

    /// Writes the list inside the open transaction.
    pub(super) fn write(self, connection: &Connection) -> rusqlite::Result<(Run, Filter)> {
        let Run { number, latest_expiry } = self.run;
        connection
            .prepare_cached("INSERT INTO event_id_runs (run, latest_expiry, filter) VALUES (?1, ?2, ?3)")?
            .execute(params![number, latest_expiry, self.filter.to_bytes()])?;
        let mut insert =
            connection.prepare_cached("INSERT INTO event_id_places (part, places) VALUES (?1, ?2)")?;
        for (part, places) in (first_part(number)..).zip(&self.parts) {
            insert.execute(params![part, places])?;
        }
        Ok((self.run, self.filter))
    }
}

impl EventIds {
    /// Lists the oldest run that is full, if there is one, inside the open transaction: from now on its ids are found there.
    pub fn list_full(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let number = self.listed.saturating_add(1);
        if run_of(self.next) <= number {
            return Ok(());
        }
        let ids = || self.fresh.iter().filter(|(_, fresh)| run_of(fresh.id) == number);
        // All have the same room, also where ids have expired: filters of one size become one.
        let mut listing = Listing::new(number, usize::try_from(self.run_rows).unwrap_or(0));
        ids().for_each(|(identity, fresh)| listing.add(*identity, fresh.id, fresh.expires_at));
        self.fresh.retain(|_, fresh| run_of(fresh.id) != number);
        // Also if all of its ids have expired.
        let (run, filter) = listing.write(connection)?;
        self.runs.add(run, filter);
        self.listed = number;
        Ok(())
    }
}
