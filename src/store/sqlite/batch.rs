//! The contents of one transaction of the writer.

use super::job::Job;
use crate::store::log::queue::Waiting;
use crate::store::log::sqlite::Packed;

/// The most entries and jobs of one transaction.
const MOST_ENTRIES: usize = 1_000;
/// The most bytes of one transaction.
const MOST_BYTES: usize = 16 * 1024 * 1024;

/// The contents of one transaction.
#[derive(Default)]
pub struct Batch {
    /// The deliveries to append.
    pub entries: Vec<Waiting<Packed>>,
    /// The other work.
    pub jobs: Vec<Box<dyn Job>>,
    /// The size of the entries.
    pub bytes: usize,
}

impl Batch {
    /// Adds a delivery.
    pub fn add(&mut self, waiting: Waiting<Packed>) {
        self.bytes = self.bytes.saturating_add(waiting.prepared.weight);
        self.entries.push(waiting);
    }

    /// Whether more fits into the transaction.
    pub fn has_room(&self) -> bool {
        self.entries.len().saturating_add(self.jobs.len()) < MOST_ENTRIES && self.bytes < MOST_BYTES
    }
}
