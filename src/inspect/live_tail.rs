//! Follows the log: what was appended after a cursor, without a gap, at the reader's own speed.
//!
//! There is no broadcast and nothing to lag behind: a tail sleeps on the position of the last commit and then asks
//! the store for what came after its cursor. A slow reader reads later, and costs nobody anything.

use std::time::Duration;

use tokio::time::{Instant, timeout};

use crate::domain::{DeliveryFilter, DeliveryRow, Timestamp};
use crate::store::{Store, StoreError};

/// The most rows that are read at once. A client that does not read keeps this many in memory, as text: a row may have kilobytes.
const PAGE: usize = 32;
/// For a page, commits closer together than this are read together.
const COALESCE: Duration = Duration::from_millis(60);
/// The longest delay of a refusal, so that its cause can be named first.
const CAUSE: Duration = Duration::from_millis(300);
/// How often a row is read again meanwhile: another node may name its cause.
const LOOK_AGAIN: Duration = Duration::from_millis(75);
/// The longest time from reading a head to committing its row: the longest body, with a margin.
const LATEST_COMMIT: Duration = Duration::from_secs(600);

/// Where a reader continues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resumption {
    /// After this position; everything since is still there.
    After(i64),
    /// From this position on: what the reader had cannot be continued without a gap.
    Reset(i64),
}

impl Resumption {
    /// Where a reader continues that last saw `cursor`; without one, from now. Another node may have shown it a position
    /// that this node does not know yet.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn find(cursor: Option<&str>, store: &Store) -> Result<Self, StoreError> {
        if let Some(asked) = cursor.and_then(|cursor| cursor.parse::<i64>().ok()) {
            store.catch_up(asked).await?;
        }
        let newest = *store.newest().borrow();
        Ok(Self::of(cursor, newest, store.pruned_through()))
    }

    /// A cursor that is not a number, is ahead of the log, or is before the rows that retention removed cannot be continued.
    fn of(cursor: Option<&str>, newest: i64, pruned_through: i64) -> Self {
        let Some(cursor) = cursor else { return Self::After(newest) };
        let digits_only = !cursor.is_empty() && cursor.bytes().all(|byte| byte.is_ascii_digit());
        match cursor.parse::<i64>() {
            Ok(seq) if digits_only && seq <= newest && seq >= pruned_through => Self::After(seq),
            _ => Self::Reset(newest),
        }
    }
}

/// A reader of the log's end.
pub struct LiveTail {
    store: Store,
    filter: DeliveryFilter,
    newest: tokio::sync::watch::Receiver<i64>,
    /// Everything up to here was looked at.
    cursor: i64,
    coalesce: Duration,
}

impl LiveTail {
    /// A tail that continues after `cursor`.
    #[must_use]
    pub fn after(store: Store, filter: DeliveryFilter, cursor: i64) -> Self {
        let newest = store.newest();
        Self { store, filter, newest, cursor, coalesce: COALESCE }
    }

    /// Reads each commit at once, for a program that forwards what it reads.
    #[must_use]
    pub fn at_once(self) -> Self {
        Self { coalesce: Duration::ZERO, ..self }
    }

    /// The position up to which everything was looked at.
    #[must_use]
    pub const fn cursor(&self) -> i64 {
        self.cursor
    }

    /// Whether retention overtook this reader; then it continues from now, with a gap.
    pub fn skip_if_overtaken(&mut self) -> bool {
        let overtaken = self.cursor < self.store.pruned_through();
        if overtaken {
            self.cursor = *self.newest.borrow_and_update();
        }
        overtaken
    }

    /// Waits until something was appended and returns what matches, oldest first; the cursor has moved. It may be
    /// empty. `None`: the store was closed. Cancelling it loses nothing.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn next(&mut self) -> Option<Result<Vec<DeliveryRow>, StoreError>> {
        if *self.newest.borrow_and_update() <= self.cursor {
            self.newest.changed().await.ok()?;
            if !self.coalesce.is_zero() {
                tokio::time::sleep(self.coalesce).await;
            }
        }
        Some(self.read(PAGE).await)
    }

    async fn read(&mut self, limit: usize) -> Result<Vec<DeliveryRow>, StoreError> {
        let mut tail = self.store.since(&self.filter, self.cursor, limit).await?;
        // The cursor moves only when all is read: cancelling this loses nothing.
        let until = Instant::now() + CAUSE;
        let mut named = self.store.named_through();
        while let Some(last) = tail.rows.iter().rfind(|row| row.awaits_cause() && !row.id.is_imported())
            && Instant::now() < until
        {
            let is_named = timeout(LOOK_AGAIN, named.wait_for(|through| *through >= last.seq)).await.is_ok();
            tail = self.store.since(&self.filter, self.cursor, limit).await?;
            if is_named {
                break;
            }
        }
        self.cursor = self.cursor.max(tail.through);
        // What is imported did not arrive now.
        tail.rows.retain(|row| !row.id.is_imported());
        Ok(tail.rows)
    }
}

/// Waits for the first delivery that matches: received at `from` or later, or, without `from`, appended after this
/// call. `None`: none came until the store was closed. The caller sets the deadline by cancelling.
///
/// # Errors
/// When the store cannot be read.
pub async fn first_since(
    store: &Store,
    mut filter: DeliveryFilter,
    from: Option<Timestamp>,
) -> Result<Option<DeliveryRow>, StoreError> {
    let start = match from {
        None => *store.newest().borrow(),
        Some(from) => {
            // Rows are committed nearly, not exactly, in the order of their arrival.
            let earlier = DeliveryFilter { to: Some(from.minus(LATEST_COMMIT)), ..DeliveryFilter::default() };
            let before = store.list(&earlier, None, 1).await?;
            filter.from = Some(filter.from.map_or(from, |given| given.max(from)));
            before.first().map_or(0, |row| row.seq)
        }
    };
    let mut tail = LiveTail::after(store.clone(), filter, start);
    loop {
        match tail.next().await {
            None => return Ok(None),
            Some(rows) => {
                if let Some(row) = rows?.into_iter().next() {
                    return Ok(Some(row));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ui_11_a_cursor_that_cannot_be_continued_is_a_reset() {
        for (cursor, expected) in [
            (None, Resumption::After(100)),
            (Some("100"), Resumption::After(100)),
            (Some("40"), Resumption::After(40)),
            (Some("39"), Resumption::Reset(100)),
            (Some("101"), Resumption::Reset(100)),
            (Some("-50"), Resumption::Reset(100)),
            (Some("+50"), Resumption::Reset(100)),
            (Some("garbage"), Resumption::Reset(100)),
            (Some(""), Resumption::Reset(100)),
            (Some("99999999999999999999"), Resumption::Reset(100)),
        ] {
            assert_eq!(Resumption::of(cursor, 100, 40), expected, "{cursor:?}");
        }
    }
}
