//! The move: pages from one end to the other, then a comparison of both.

use super::digest::TableDigest;
use super::end::End;
use super::fault::MoveFault;
use super::tables::{FACTS, TABLES, Table};
use super::value::{Cell, Progress, Row};
use crate::store::StoreError;

/// What a move is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// It copies rows.
    Copying,
    /// It reads both ends and compares them.
    Verifying,
}

/// How far a move is.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// What it is doing.
    pub phase: Phase,
    /// The table.
    pub table: &'static str,
    /// Rows that are done, of all tables.
    pub done: u64,
    /// Rows of all tables.
    pub total: u64,
}

/// Sees each step.
pub type Watch<'w> = &'w mut (dyn FnMut(Step) + Send);

/// What was moved.
#[derive(Debug)]
pub struct Moved {
    /// The number of rows in each table.
    pub rows: Vec<(&'static str, u64)>,
}

/// Both ends of a move.
pub struct Ends {
    pub from: Box<dyn End>,
    pub to: Box<dyn End>,
    /// The destination, for messages.
    pub shown: String,
}

impl Ends {
    /// Moves everything, from where an earlier move stopped.
    pub async fn run(&mut self, start_over: bool, watch: Watch<'_>) -> Result<Moved, MoveFault> {
        let begun = self.begin(start_over).await?;
        let mut total = 0_u64;
        for table in TABLES {
            total = total.saturating_add(self.from.count(table).await?);
        }
        self.copy(begun, total, watch).await?;
        let counters = self.from.counters().await?;
        self.to.settle(&counters).await?;
        let rows = self.verify(total, watch).await?;
        self.to.finish().await?;
        Ok(Moved { rows })
    }

    /// Marks the destination, or finds how far an earlier move came.
    async fn begin(&mut self, start_over: bool) -> Result<Option<Progress>, MoveFault> {
        let source = self.from.state().await?;
        match self.to.unfinished().await? {
            Some(_) if start_over => self.to.clear().await?,
            Some((begun_from, progress)) if begun_from == source => return Ok(progress),
            Some(_) => return Err(MoveFault::Changed(self.shown.clone())),
            None if start_over => return Err(MoveFault::NothingToStartOver(self.shown.clone())),
            None => {
                for table in TABLES.iter().filter(|table| table.name != FACTS) {
                    if !self.to.page(table, None).await?.is_empty() {
                        return Err(MoveFault::NotEmpty { place: self.shown.clone(), table: table.name });
                    }
                }
            }
        }
        self.to.begin(&source).await?;
        Ok(None)
    }

    async fn copy(
        &mut self,
        begun: Option<Progress>,
        total: u64,
        watch: Watch<'_>,
    ) -> Result<(), StoreError> {
        let at = |progress: &Progress| TABLES.iter().position(|table| table.name == progress.table);
        let first = begun.as_ref().and_then(at).unwrap_or(0);
        let mut done = 0_u64;
        for table in TABLES.iter().take(first.saturating_add(1)) {
            done = done.saturating_add(self.to.count(table).await?);
        }
        let mut after = begun.map(|progress| progress.after);
        for table in TABLES.iter().skip(first) {
            loop {
                watch(Step { phase: Phase::Copying, table: table.name, done, total });
                let rows = self.from.page(table, after.as_deref()).await?;
                let Some(key) = rows.last().map(|row| key(table, row)) else { break };
                done = done.saturating_add(u64::try_from(rows.len()).unwrap_or(u64::MAX));
                let progress = Progress { table: table.name.to_owned(), after: key };
                self.to.write(table, rows, &progress).await?;
                after = Some(progress.after);
                // So that Ctrl-C is noticed.
                tokio::task::yield_now().await;
            }
            after = None;
        }
        Ok(())
    }

    /// Compares each table of both ends.
    async fn verify(&mut self, total: u64, watch: Watch<'_>) -> Result<Vec<(&'static str, u64)>, MoveFault> {
        let (mut rows, mut different, mut done) = (Vec::new(), Vec::new(), 0_u64);
        for table in TABLES {
            watch(Step { phase: Phase::Verifying, table: table.name, done, total });
            let mut count = |read: u64| {
                let done = done.saturating_add(read);
                watch(Step { phase: Phase::Verifying, table: table.name, done, total });
            };
            let (from, to) = (
                digest(&mut *self.from, table, &mut count).await?,
                digest(&mut *self.to, table, &mut |_| ()).await?,
            );
            if from == to {
                rows.push((table.name, from.rows));
            } else if from.rows == to.rows {
                different.push(format!("{} (the same number of rows, other content)", table.name));
            } else {
                different.push(format!("{} ({} and {} rows)", table.name, from.rows, to.rows));
            }
            done = done.saturating_add(from.rows);
        }
        if different.is_empty() { Ok(rows) } else { Err(MoveFault::Different { tables: different }) }
    }
}

/// The key of a row.
fn key(table: &Table, row: &Row) -> Row {
    row.iter().take(table.keys).cloned().collect()
}

async fn digest(
    end: &mut dyn End,
    table: &Table,
    count: &mut (dyn FnMut(u64) + Send),
) -> Result<TableDigest, StoreError> {
    let mut digest = TableDigest::default();
    let mut after: Option<Vec<Cell>> = None;
    loop {
        let rows = end.page(table, after.as_deref()).await?;
        let Some(last) = rows.last() else { return Ok(digest) };
        after = Some(key(table, last));
        rows.iter().for_each(|row| digest.add(table, row));
        count(digest.rows);
        tokio::task::yield_now().await;
    }
}
