//! Retention in small steps. Each step is a transaction of its own, so that no delivery waits long for it.

use std::time::{Duration, Instant};

use rusqlite::{Connection, Transaction, TransactionBehavior, params};

use crate::domain::{Now, Timestamp, Verdict};
use crate::store::log::encoding::verdict_number;
use crate::store::log::sqlite::event_ids::EventIds;
use crate::store::outbox::sqlite as outbox;
use crate::store::sqlite::whole;
use crate::store::upkeep::rules::{Surplus, Total, Whose, surpluses};
use crate::store::{Pruned, Retention};

/// The most rows that one step removes.
const STEP_ROWS: usize = 200;
/// The most bytes that one step removes, except for the last row.
const STEP_BYTES: u64 = 4 * 1024 * 1024;
/// A step ends after this time with what it has removed or returned: the disk may have to read each row and page first.
const STEP_TIME: Duration = Duration::from_millis(4);
/// The most event ids that one step removes.
const STEP_IDS: usize = 1_000;
/// The number of pages returned to the disk in a step while receiving, and the most steps in a row.
const GIVE_BACK_A_LITTLE: u32 = 4;
const GIVE_BACK_STEPS: usize = 50;
/// The most pages returned to the disk at once.
const GIVE_BACK_PAGES: u32 = 2_000;

/// The result of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// There was nothing to remove.
    Nothing,
    /// Something was removed; there may be more.
    Removed(Pruned),
}

/// Adds the rows of a batch to the totals of their verdicts.
pub fn add_to_totals(
    connection: &Connection,
    rows: impl Iterator<Item = (Verdict, usize)>,
) -> rusqlite::Result<()> {
    let mut sums = [(0_i64, 0_i64); Verdict::ALL.len()];
    for (verdict, bytes) in rows {
        let at = usize::try_from(verdict_number(verdict)).unwrap_or(0);
        if let Some((count, sum)) = sums.get_mut(at) {
            *count = count.saturating_add(1);
            *sum = sum.saturating_add(whole(bytes));
        }
    }
    for (verdict, (rows, bytes)) in Verdict::ALL.into_iter().zip(sums) {
        if rows != 0 {
            change_total(connection, verdict, rows, bytes)?;
        }
    }
    Ok(())
}

/// Changes the total of a verdict.
pub fn change_total(
    connection: &Connection,
    verdict: Verdict,
    rows: i64,
    bytes: i64,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached("UPDATE totals SET rows = rows + ?2, bytes = bytes + ?3 WHERE verdict = ?1")?
        .execute(params![verdict_number(verdict), rows, bytes])?;
    Ok(())
}

/// Runs one step: the first rule with something to remove removes a little.
///
/// The wall-clock time in `now` is the instant from which ages are computed.
pub fn step(
    connection: &mut Connection,
    event_ids: &mut EventIds,
    retention: &Retention,
    now: Now,
) -> rusqlite::Result<Step> {
    let totals = Verdict::ALL
        .into_iter()
        .map(|verdict| Ok((verdict, total(connection, verdict)?)))
        .collect::<rusqlite::Result<Vec<_>>>()?;
    let total_of = |wanted| {
        totals.iter().find(|(verdict, _)| *verdict == wanted).map_or_else(Total::default, |(_, total)| *total)
    };
    for (whose, surplus) in surpluses(total_of, used_bytes(connection)?, retention, now.wall) {
        let verdict = match whose {
            Whose::One(verdict) => verdict,
            Whose::Accepted => oldest_of_the_accepted(connection)?,
        };
        let doomed = doomed(connection, verdict, surplus)?;
        if !doomed.is_empty() {
            return remove(connection, verdict, &doomed);
        }
    }
    let event_ids = remove_expired_ids(connection, event_ids, now.due)?;
    let messages = remove_messages(connection, retention, now.wall)?;
    if event_ids > 0 || messages > 0 {
        return Ok(Step::Removed(Pruned { deliveries: 0, event_ids, messages }));
    }
    Ok(Step::Nothing)
}

/// Removes messages by age, and above `max_size` delivered messages of any age; never a waiting message.
fn remove_messages(
    connection: &mut Connection,
    retention: &Retention,
    now: Timestamp,
) -> rusqlite::Result<u64> {
    let transaction = Transaction::new(connection, TransactionBehavior::Immediate)?;
    let mut removed = outbox::prune_outbox(&transaction, retention, now)?;
    if removed == 0 && used_bytes(&transaction)? > retention.max_size {
        removed = outbox::retire(&transaction)?;
    }
    transaction.commit()?;
    Ok(removed)
}

/// Accepted and duplicate deliveries share one rule: the older one is removed first.
fn oldest_of_the_accepted(connection: &Connection) -> rusqlite::Result<Verdict> {
    let first = |verdict: Verdict| {
        connection
            .prepare_cached(
                "SELECT coalesce((SELECT seq FROM deliveries WHERE verdict = ?1 AND seq NOT IN (SELECT seq FROM delivery_marks WHERE is_pinned)
                 ORDER BY seq LIMIT 1), 9223372036854775807)",
            )?
            .query_row([verdict_number(verdict)], |row| row.get::<_, i64>(0))
    };
    let is_duplicate = first(Verdict::Duplicate)? < first(Verdict::Accepted)?;
    Ok(if is_duplicate { Verdict::Duplicate } else { Verdict::Accepted })
}

fn total(connection: &Connection, verdict: Verdict) -> rusqlite::Result<Total> {
    connection.prepare_cached("SELECT rows, bytes FROM totals WHERE verdict = ?1")?.query_row(
        [verdict_number(verdict)],
        |row| {
            Ok(Total {
                rows: u64::try_from(row.get::<_, i64>(0)?).unwrap_or(0),
                bytes: u64::try_from(row.get::<_, i64>(1)?).unwrap_or(0),
            })
        },
    )
}

/// The oldest rows of `verdict` that this step removes: position and weight.
fn doomed(connection: &Connection, verdict: Verdict, surplus: Surplus) -> rusqlite::Result<Vec<(i64, u64)>> {
    let mut statement = connection.prepare_cached(
        "SELECT seq, received_at, row_bytes FROM deliveries WHERE verdict = ?1
         AND seq NOT IN (SELECT seq FROM delivery_marks WHERE is_pinned) ORDER BY seq LIMIT ?2",
    )?;
    let mut oldest = statement.query(params![verdict_number(verdict), whole(STEP_ROWS)])?;
    let mut doomed = Vec::new();
    let mut sum = Total::default();
    while let Some(row) = oldest.next()? {
        if !surplus.covers(row.get(1)?, sum) || sum.bytes >= STEP_BYTES {
            break;
        }
        let weight = u64::try_from(row.get::<_, i64>(2)?).unwrap_or(0);
        sum = Total { rows: sum.rows.saturating_add(1), bytes: sum.bytes.saturating_add(weight) };
        doomed.push((row.get(0)?, weight));
    }
    Ok(doomed)
}

fn remove(connection: &mut Connection, verdict: Verdict, doomed: &[(i64, u64)]) -> rusqlite::Result<Step> {
    let transaction = Transaction::new(connection, TransactionBehavior::Immediate)?;
    let began = Instant::now();
    let (mut deliveries, mut bytes) = (0_u64, 0_u64);
    let mut through = 0;
    for (seq, weight) in doomed {
        if deliveries > 0 && began.elapsed() >= STEP_TIME {
            break;
        }
        transaction.prepare_cached("DELETE FROM deliveries WHERE seq = ?1")?.execute([seq])?;
        transaction.prepare_cached("DELETE FROM delivery_bytes WHERE seq = ?1")?.execute([seq])?;
        transaction.prepare_cached("DELETE FROM delivery_marks WHERE seq = ?1")?.execute([seq])?;
        transaction.prepare_cached("DELETE FROM delivery_causes WHERE seq = ?1")?.execute([seq])?;
        deliveries = deliveries.saturating_add(1);
        bytes = bytes.saturating_add(*weight);
        through = through.max(*seq);
    }
    let total = |sum: u64| i64::try_from(sum).unwrap_or(i64::MAX);
    change_total(&transaction, verdict, -total(deliveries), -total(bytes))?;
    transaction
        .execute("UPDATE facts SET value = max(value, ?1) WHERE name = 'pruned_through'", [through])?;
    transaction.commit()?;
    Ok(Step::Removed(Pruned { deliveries, ..Pruned::default() }))
}

/// Bytes in use in the file.
pub fn used_bytes(connection: &Connection) -> rusqlite::Result<u64> {
    let number = |pragma: &str| connection.query_row(pragma, [], |row| row.get::<_, i64>(0));
    let pages = number("PRAGMA page_count")?.saturating_sub(number("PRAGMA freelist_count")?);
    Ok(pages.saturating_mul(number("PRAGMA page_size")?).unsigned_abs())
}

/// The highest position ever removed.
pub fn pruned_through(connection: &Connection) -> rusqlite::Result<i64> {
    connection
        .prepare_cached("SELECT value FROM facts WHERE name = 'pruned_through'")?
        .query_row([], |row| row.get(0))
}

fn remove_expired_ids(
    connection: &mut Connection,
    event_ids: &mut EventIds,
    now: Timestamp,
) -> rusqlite::Result<u64> {
    let transaction = Transaction::new(connection, TransactionBehavior::Immediate)?;
    event_ids.follow(&transaction)?;
    let removed = event_ids.remove_expired(&transaction, now, STEP_IDS)?;
    transaction.commit()?;
    Ok(u64::try_from(removed).unwrap_or(u64::MAX))
}

/// Returns a few free pages to the disk if more than a quarter of the file is free. For each, a page from the end of the file
/// takes its place, and the disk may have to read that first.
pub fn give_back_a_little(connection: &Connection) -> rusqlite::Result<()> {
    let number = |pragma: &str| connection.query_row(pragma, [], |row| row.get::<_, i64>(0));
    if number("PRAGMA freelist_count")? <= number("PRAGMA page_count")? / 4 {
        return Ok(());
    }
    let began = Instant::now();
    let transaction = connection.unchecked_transaction()?;
    for _ in 0..GIVE_BACK_STEPS {
        transaction.execute_batch(&format!("PRAGMA incremental_vacuum({GIVE_BACK_A_LITTLE})"))?;
        if began.elapsed() >= STEP_TIME {
            break;
        }
    }
    transaction.commit()
}

/// Returns free pages to the disk.
pub fn give_back(connection: &Connection) -> rusqlite::Result<()> {
    loop {
        let free: i64 = connection.query_row("PRAGMA freelist_count", [], |row| row.get(0))?;
        if free == 0 {
            return Ok(());
        }
        connection.execute_batch(&format!("PRAGMA incremental_vacuum({GIVE_BACK_PAGES})"))?;
        let left: i64 = connection.query_row("PRAGMA freelist_count", [], |row| row.get(0))?;
        if left >= free {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sqlite::shared;

    #[test]
    fn free_pages_go_back_little_by_little() {
        let folder = tempfile::tempdir().unwrap();
        let connection = shared::open_writer(&folder.path().join("t.db")).unwrap();
        connection
            .execute_batch(
                r"
                CREATE TABLE t (a INTEGER PRIMARY KEY, b BLOB);
                INSERT INTO t (b)
                SELECT randomblob(7000)
                FROM (WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 900) SELECT i FROM n);
                DELETE FROM t WHERE a <= 800;
                ",
            )
            .unwrap();
        let number = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
        let pages = || (number("PRAGMA page_count"), number("PRAGMA freelist_count"));
        let before = pages();
        give_back_a_little(&connection).unwrap();
        assert!(pages().0 < before.0 && pages().0 >= before.0 - 200);
        for _ in 0..800 {
            give_back_a_little(&connection).unwrap();
        }
        let (all, free) = pages();
        assert!(free <= all / 4, "{free} of {all}");
        assert_eq!(number("SELECT count(*) FROM t WHERE length(b) = 7000"), 100);
    }
}
