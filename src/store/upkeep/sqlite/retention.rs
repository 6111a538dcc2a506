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

/// A step ends after this time, whatever the disk has to read.
const STEP_TIME: Duration = Duration::from_millis(1);
/// The most deliveries, event ids, or messages that are removed before the time is looked at.
const PORTION: usize = 32;
/// The most bytes of deliveries in a portion, except for the last one.
const PORTION_BYTES: u64 = 1024 * 1024;
/// The number of pages returned to the disk before the time is looked at.
const PORTION_PAGES: u32 = 4;
/// The most pages returned to the disk at once.
const GIVE_BACK_PAGES: u32 = 2_000;

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

/// Runs one step: a transaction that removes what it can in a short time, portion by portion. Returns zeros if there was
/// nothing to remove.
///
/// The wall-clock time in `now` is the instant from which ages are computed.
pub fn step(
    connection: &mut Connection,
    event_ids: &mut EventIds,
    retention: &Retention,
    now: Now,
) -> rusqlite::Result<Pruned> {
    let began = Instant::now();
    let transaction = Transaction::new(connection, TransactionBehavior::Immediate)?;
    event_ids.follow(&transaction)?;
    let mut removed = Pruned::default();
    loop {
        let portion = portion(&transaction, event_ids, retention, now)?;
        removed.add(portion);
        if portion.is_nothing() || began.elapsed() >= STEP_TIME {
            break;
        }
    }
    transaction.commit()?;
    Ok(removed)
}

/// The first rule with something to remove removes a little.
fn portion(
    transaction: &Transaction<'_>,
    event_ids: &mut EventIds,
    retention: &Retention,
    now: Now,
) -> rusqlite::Result<Pruned> {
    let deliveries = remove_deliveries(transaction, retention, now.wall)?;
    if deliveries > 0 {
        return Ok(Pruned { deliveries, ..Pruned::default() });
    }
    let event_ids = event_ids.remove_expired(transaction, now.due, PORTION)?;
    let event_ids = u64::try_from(event_ids).unwrap_or(u64::MAX);
    let messages = remove_messages(transaction, retention, now.wall)?;
    Ok(Pruned { deliveries, event_ids, messages })
}

fn remove_deliveries(
    transaction: &Transaction<'_>,
    retention: &Retention,
    now: Timestamp,
) -> rusqlite::Result<u64> {
    let totals = Verdict::ALL
        .into_iter()
        .map(|verdict| Ok((verdict, total(transaction, verdict)?)))
        .collect::<rusqlite::Result<Vec<_>>>()?;
    let total_of = |wanted| {
        totals.iter().find(|(verdict, _)| *verdict == wanted).map_or_else(Total::default, |(_, total)| *total)
    };
    for (whose, surplus) in surpluses(total_of, used_bytes(transaction)?, retention, now) {
        let verdict = match whose {
            Whose::One(verdict) => verdict,
            Whose::Accepted => oldest_of_the_accepted(transaction)?,
        };
        let doomed = doomed(transaction, verdict, surplus)?;
        if !doomed.is_empty() {
            remove(transaction, verdict, &doomed)?;
            return Ok(u64::try_from(doomed.len()).unwrap_or(u64::MAX));
        }
    }
    Ok(0)
}

/// Removes messages by age, and above `max_size` delivered messages of any age; never a waiting message.
fn remove_messages(
    transaction: &Transaction<'_>,
    retention: &Retention,
    now: Timestamp,
) -> rusqlite::Result<u64> {
    let removed = outbox::prune_outbox(transaction, retention, now, PORTION)?;
    if removed == 0 && used_bytes(transaction)? > retention.max_size {
        return outbox::retire(transaction, PORTION);
    }
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

/// The oldest rows of `verdict` that go next: position and weight.
fn doomed(connection: &Connection, verdict: Verdict, surplus: Surplus) -> rusqlite::Result<Vec<(i64, u64)>> {
    let mut statement = connection.prepare_cached(
        "SELECT seq, received_at, row_bytes FROM deliveries WHERE verdict = ?1
         AND seq NOT IN (SELECT seq FROM delivery_marks WHERE is_pinned) ORDER BY seq LIMIT ?2",
    )?;
    let mut oldest = statement.query(params![verdict_number(verdict), whole(PORTION)])?;
    let mut doomed = Vec::new();
    let mut sum = Total::default();
    while let Some(row) = oldest.next()? {
        if !surplus.covers(row.get(1)?, sum) || sum.bytes >= PORTION_BYTES {
            break;
        }
        let weight = u64::try_from(row.get::<_, i64>(2)?).unwrap_or(0);
        sum = Total { rows: sum.rows.saturating_add(1), bytes: sum.bytes.saturating_add(weight) };
        doomed.push((row.get(0)?, weight));
    }
    Ok(doomed)
}

fn remove(transaction: &Transaction<'_>, verdict: Verdict, doomed: &[(i64, u64)]) -> rusqlite::Result<()> {
    let (mut bytes, mut through) = (0_u64, 0);
    for (seq, weight) in doomed {
        transaction.prepare_cached("DELETE FROM deliveries WHERE seq = ?1")?.execute([seq])?;
        transaction.prepare_cached("DELETE FROM delivery_bytes WHERE seq = ?1")?.execute([seq])?;
        transaction.prepare_cached("DELETE FROM delivery_marks WHERE seq = ?1")?.execute([seq])?;
        transaction.prepare_cached("DELETE FROM delivery_causes WHERE seq = ?1")?.execute([seq])?;
        bytes = bytes.saturating_add(*weight);
        through = through.max(*seq);
    }
    let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
    change_total(transaction, verdict, -whole(doomed.len()), -bytes)?;
    transaction
        .prepare_cached("UPDATE facts SET value = max(value, ?1) WHERE name = 'pruned_through'")?
        .execute([through])?;
    Ok(())
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

/// Returns a few free pages to the disk if more than a quarter of the file is free; `false` if not. For each, a page from the
/// end of the file takes its place, and the disk may have to read that first.
pub fn give_back_a_little(connection: &Connection) -> rusqlite::Result<bool> {
    let number = |pragma: &str| connection.query_row(pragma, [], |row| row.get::<_, i64>(0));
    if number("PRAGMA freelist_count")? <= number("PRAGMA page_count")? / 4 {
        return Ok(false);
    }
    let began = Instant::now();
    let transaction = connection.unchecked_transaction()?;
    while began.elapsed() < STEP_TIME {
        transaction.execute_batch(&format!("PRAGMA incremental_vacuum({PORTION_PAGES})"))?;
    }
    transaction.commit()?;
    Ok(true)
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
    use crate::store::sqlite::migrate;
    use crate::store::sqlite::shared;

    const ROWS: u64 = 20_000;

    #[test]
    fn a_step_is_short_however_much_there_is_to_remove() {
        let folder = tempfile::tempdir().unwrap();
        let mut connection = shared::open_writer(&folder.path().join("t.db")).unwrap();
        migrate(&mut connection, "t.db").unwrap();
        connection
            .execute_batch(&format!(
                r"
                INSERT INTO deliveries (id, source, received_at, method, path, client_ip, verdict, status, size_bytes,
                                        duration_us, row_bytes)
                SELECT randomblob(16), 's', 0, 'POST', '/', x'', 0, 200, 1, 1, 10
                FROM (WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {ROWS}) SELECT i FROM n);
                UPDATE totals SET rows = {ROWS}, bytes = 10 * {ROWS} WHERE verdict = 0;
                ",
            ))
            .unwrap();
        let minute = Duration::from_secs(60);
        let retention = Retention {
            keep_deliveries: minute,
            keep_rejected: minute,
            keep_captured: 10,
            keep_event_ids: minute,
            keep_messages: minute,
            keep_dead_letters: minute,
            max_size: u64::MAX,
            max_refused: u64::MAX,
        };
        let mut event_ids = EventIds::new(100);
        let now = Now::at(Timestamp::from_micros(3_600_000_000));
        let mut step = || step(&mut connection, &mut event_ids, &retention, now).unwrap().deliveries;
        let first = step();
        assert!((1..ROWS).contains(&first), "{first}");
        let mut removed = first;
        while removed < ROWS {
            removed += step();
        }
        assert_eq!((removed, step()), (ROWS, 0));
        let (total, through) = (total(&connection, Verdict::Accepted).unwrap(), pruned_through(&connection));
        assert_eq!((total, through.unwrap()), (Total::default(), whole(usize::try_from(ROWS).unwrap())));
    }

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
                FROM (WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2900) SELECT i FROM n);
                DELETE FROM t WHERE a <= 2800;
                ",
            )
            .unwrap();
        let number = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
        let pages = || (number("PRAGMA page_count"), number("PRAGMA freelist_count"));
        let before = pages();
        assert!(give_back_a_little(&connection).unwrap());
        assert!((1..2_000).contains(&(before.0 - pages().0)), "a step is short");
        while give_back_a_little(&connection).unwrap() {}
        let (all, free) = pages();
        assert!(free <= all / 4, "{free} of {all}");
        assert_eq!(number("SELECT count(*) FROM t WHERE length(b) = 7000"), 100);
    }
}
