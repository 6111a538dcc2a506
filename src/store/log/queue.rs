//! The queue of an engine that writes deliveries, and the room its entries take.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::oneshot;

use super::prepared::{Plain, Prepared};
use crate::store::{StoreError, Written};

/// How a waiting caller gets its result.
pub type Answer<T> = oneshot::Sender<Result<T, StoreError>>;

/// An entry that waits to be written.
pub struct Waiting<T = Plain> {
    /// The entry.
    pub prepared: Box<Prepared<T>>,
    /// The caller that waits. It also gets the entry back: memory is freed fastest by the thread that allocated it.
    pub answer: Answer<(Written, Box<Prepared<T>>)>,
    /// Its place in the queue.
    pub place: Place,
}

/// What is in the queue.
#[derive(Default)]
pub struct Queued {
    entries: AtomicUsize,
    bytes: AtomicUsize,
}

impl Queued {
    /// The number of entries.
    pub fn entries(&self) -> usize {
        self.entries.load(Ordering::Relaxed)
    }
}

/// A place in the queue, given back when dropped.
pub struct Place {
    queued: Arc<Queued>,
    weight: usize,
}

impl Place {
    /// Takes a place; `None` if an entry of this weight does not fit into the `most` bytes of the queue.
    pub fn take(queued: &Arc<Queued>, weight: usize, most: usize) -> Option<Self> {
        let before = queued.bytes.fetch_add(weight, Ordering::AcqRel);
        queued.entries.fetch_add(1, Ordering::AcqRel);
        let place = Self { queued: Arc::clone(queued), weight };
        (before == 0 || before.saturating_add(weight) <= most).then_some(place)
    }
}

impl<T> Waiting<T> {
    /// Reports the result to the waiting caller. The place is released first, so that the next caller finds it free.
    pub fn tell(self, written: Result<Written, StoreError>) {
        let Self { prepared, answer, place } = self;
        drop(place);
        // A caller that is gone needs no result.
        let _ = answer.send(written.map(|written| (written, prepared)));
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.queued.entries.fetch_sub(1, Ordering::AcqRel);
        self.queued.bytes.fetch_sub(self.weight, Ordering::AcqRel);
    }
}
