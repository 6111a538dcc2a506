//! The days of the log: a partition each, made before the first delivery of the day.

use std::collections::BTreeSet;

use parking_lot::Mutex;

use crate::domain::Timestamp;
use crate::store::StoreError;
use crate::store::postgres::{Database, column, params};

/// Microseconds of a day.
const DAY: i64 = 86_400_000_000;
/// The key of the lock that nodes hold while they make or remove a day: "tagodays" in bytes.
pub const DAYS_LOCK: i64 = 0x7461_676f_6461_7973;

/// SQL for whether a table with the name `$1` is there. `to_regclass` would answer from what the server process knew
/// before it waited for `DAYS_LOCK`.
pub const IS_PARTITION_THERE: &str = "SELECT EXISTS (
    SELECT 1 FROM pg_class WHERE relname = $1 AND pg_table_is_visible(oid)
) AS is_there";

/// The day of an instant: days since 1970-01-01, in UTC.
pub const fn day(at: Timestamp) -> i64 {
    at.as_micros().div_euclid(DAY)
}

/// The first instant of a day, in microseconds.
pub const fn first_instant(day: i64) -> i64 {
    day.saturating_mul(DAY)
}

/// The name of a day's partition.
///
/// # Errors
/// `Unavailable` for a day that no calendar has.
pub fn partition(day: i64) -> Result<String, StoreError> {
    let midnight = jiff::Timestamp::from_microsecond(first_instant(day))
        .map_err(|fault| StoreError::Unavailable(format!("the clock shows an impossible time: {fault}")))?;
    let date = jiff::tz::Offset::UTC.to_datetime(midnight).date();
    Ok(format!("deliveries_{:04}{:02}{:02}", date.year(), date.month(), date.day()))
}

/// The day of the partition with this name; `None` if it is not one of a day.
pub fn day_of_partition(name: &str) -> Option<i64> {
    let date = jiff::civil::Date::strptime("%Y%m%d", name.strip_prefix("deliveries_")?).ok()?;
    let midnight =
        jiff::tz::Offset::UTC.to_timestamp(date.to_datetime(jiff::civil::Time::midnight())).ok()?;
    let day = day(Timestamp::from_micros(midnight.as_microsecond()));
    partition(day).is_ok_and(|known| known == name).then_some(day)
}

/// The days whose partition is known to be there.
#[derive(Default)]
pub struct Days(Mutex<BTreeSet<i64>>);

impl Days {
    /// Makes the partitions of `days` that are not known.
    ///
    /// # Errors
    /// `Unavailable` if one cannot be made.
    pub async fn make(
        &self,
        database: &Database,
        days: impl IntoIterator<Item = i64> + Send,
    ) -> Result<(), StoreError> {
        let missing: BTreeSet<i64> = {
            let known = self.0.lock();
            days.into_iter().filter(|day| !known.contains(day)).collect()
        };
        for day in missing {
            make(database, day).await?;
            self.0.lock().insert(day);
        }
        Ok(())
    }

    /// Whether all of these are known.
    pub fn are_known(&self, days: &[i64]) -> bool {
        let known = self.0.lock();
        days.iter().all(|day| known.contains(day))
    }

    /// Looks again before the next delivery: another node's retention may have removed a day.
    pub fn forget(&self) {
        self.0.lock().clear();
    }
}

/// Makes the partition of a day unless it is there. It is attached to the table afterwards: made as a partition, it
/// would wait for every open transaction that appends, and the next ones would wait for it.
async fn make(database: &Database, day: i64) -> Result<(), StoreError> {
    let name = &partition(day)?;
    let (first, end) = (first_instant(day), first_instant(day.saturating_add(1)));
    database
        .change(|to| async move {
            to.rows("SELECT pg_advisory_xact_lock($1)", &params![DAYS_LOCK]).await?;
            let row = to.one(IS_PARTITION_THERE, &params![name]).await?;
            if column(&row, "is_there")? {
                return Ok(());
            }
            // A function of the owner's: the role that runs the program may not change tables.
            to.rows("SELECT add_day($1, $2, $3)", &params![name, first, end]).await.map(drop)
        })
        .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_at_midnight_and_its_partition_is_named_by_its_date() {
        let noon = Timestamp::parse_rfc3339("2026-11-29T12:00:00Z").unwrap();
        assert_eq!(partition(day(noon)).unwrap(), "deliveries_20261129");
        let midnight = Timestamp::parse_rfc3339("2026-11-29T00:00:00Z").unwrap();
        assert_eq!((day(midnight), first_instant(day(midnight))), (day(noon), midnight.as_micros()));
        assert_eq!(day(midnight.moved(-1)), day(noon) - 1);
        assert_eq!(day(Timestamp::from_micros(-1)), -1);
        assert_eq!(day_of_partition("deliveries_20261129"), Some(day(noon)));
        assert_eq!(day_of_partition("deliveries_19691231"), Some(-1));
        for name in ["deliveries_2026112", "deliveries_20261329", "event_ids_0", "deliveries_20261129x"] {
            assert_eq!(day_of_partition(name), None);
        }
        assert!(partition(i64::MAX / DAY).is_err());
    }
}
