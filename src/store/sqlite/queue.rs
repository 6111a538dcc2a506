//! The queue of the writer, and the room its entries take.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::sync::oneshot;

use super::shared::Shared;
use crate::store::log::sqlite::Prepared;
use crate::store::{StoreError, Written};

/// How a waiting caller gets its result.
pub type Answer<T> = oneshot::Sender<Result<T, StoreError>>;

/// An entry that waits to be written.
pub struct Waiting {
    /// The entry.
    pub prepared: Box<Prepared>,
    /// The caller that waits.
    pub answer: Answer<Written>,
    /// Its place in the queue.
    pub place: Place,
}

/// A place in the queue, given back when dropped.
pub struct Place {
    shared: Arc<Shared>,
    weight: usize,
}

impl Place {
    /// Takes a place; `None` if an entry of this weight does not fit into the `most` bytes of the queue.
    pub fn take(shared: &Arc<Shared>, weight: usize, most: usize) -> Option<Self> {
        let before = shared.queued_bytes.fetch_add(weight, Ordering::AcqRel);
        shared.queued.fetch_add(1, Ordering::AcqRel);
        let place = Self { shared: Arc::clone(shared), weight };
        (before == 0 || before.saturating_add(weight) <= most).then_some(place)
    }
}

impl Waiting {
    /// Reports the result to the waiting caller. The place is released first, so that the next caller finds it free.
    pub fn tell(self, written: Result<Written, StoreError>) {
        let Self { answer, place, .. } = self;
        drop(place);
        // A caller that is gone needs no result.
        let _ = answer.send(written);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.shared.queued.fetch_sub(1, Ordering::AcqRel);
        self.shared.queued_bytes.fetch_sub(self.weight, Ordering::AcqRel);
    }
}
