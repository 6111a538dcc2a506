//! Makes runs of fresh ids, a little in each transaction.

use rusqlite::{Connection, params};

use super::building::Building;
use super::filter::Filter;
use super::identity::Identity;
use super::taking::{EventIds, Run, first_of, run_of};

/// The fewest rows that a transaction copies or removes.
const FEWEST_ROWS: usize = 256;
/// How many rows a transaction copies or removes for each of its deliveries: a run is finished long before the next one is
/// full.
const ROWS_PER_DELIVERY: usize = 4;

/// The number of rows for `EventIds::move_on` in a transaction of `deliveries` deliveries.
pub fn share(deliveries: usize) -> usize {
    deliveries.saturating_mul(ROWS_PER_DELIVERY).max(FEWEST_ROWS)
}

impl EventIds {
    /// Goes on with the run that is being built, inside the open transaction: copies or removes at most `rows` rows.
    pub fn move_on(&mut self, connection: &Connection, rows: usize) -> rusqlite::Result<()> {
        if self.has_copied {
            return self.remove_copied(connection, rows);
        }
        if self.building.is_none() {
            self.building = self.begin(connection)?;
        }
        let Some(mut building) = self.building.take() else { return Ok(()) };
        building.copy(connection, rows)?;
        if building.left.is_empty() {
            return self.list(connection, building);
        }
        self.building = Some(building);
        Ok(())
    }

    /// Begins with the oldest run that is full.
    fn begin(&mut self, connection: &Connection) -> rusqlite::Result<Option<Building>> {
        let number = self.built.saturating_add(1);
        if run_of(self.next) <= number {
            return Ok(None);
        }
        clear(connection, number)?;
        let rows = || self.fresh.iter().filter(|(_, fresh)| run_of(fresh.id) == number);
        let latest_expiry = rows().map(|(_, fresh)| fresh.expires_at).max();
        let Some(latest_expiry) = latest_expiry else {
            // All of its ids have expired.
            self.built = number;
            self.has_copied = true;
            return Ok(None);
        };
        let mut left: Vec<(Identity, i64)> = rows().map(|(identity, fresh)| (*identity, fresh.id)).collect();
        left.sort_unstable_by(|one, other| other.cmp(one));
        let mut filter = Filter::with_room(left.len());
        left.iter().for_each(|(identity, _)| filter.add(*identity));
        Ok(Some(Building { number, latest_expiry, filter, left }))
    }

    /// Lists a run: from now on its ids are looked up there.
    fn list(&mut self, connection: &Connection, building: Building) -> rusqlite::Result<()> {
        let Building { number, latest_expiry, filter, .. } = building;
        connection
            .prepare_cached("INSERT INTO event_id_runs (run, latest_expiry, filter) VALUES (?1, ?2, ?3)")?
            .execute(params![number, latest_expiry, filter.to_bytes()])?;
        self.fresh.retain(|_, fresh| run_of(fresh.id) != number);
        self.runs.push(Run { number, latest_expiry, filter });
        self.built = number;
        self.has_copied = true;
        Ok(())
    }

    /// Removes fresh rows of listed runs.
    fn remove_copied(&mut self, connection: &Connection, rows: usize) -> rusqlite::Result<()> {
        let removed = connection
            .prepare_cached(
                r"
                DELETE FROM fresh_event_ids
                WHERE id IN (SELECT id FROM fresh_event_ids WHERE id < ?1 ORDER BY id LIMIT ?2)
                ",
            )?
            .execute(params![
                first_of(self.built.saturating_add(1)),
                i64::try_from(rows).unwrap_or(i64::MAX)
            ])?;
        self.has_copied = removed == rows;
        Ok(())
    }
}

/// Removes what an attempt that was not finished left of a run.
pub(super) fn clear(connection: &Connection, run: i64) -> rusqlite::Result<()> {
    connection.prepare_cached("DELETE FROM sorted_event_ids WHERE run = ?1")?.execute([run])?;
    Ok(())
}
