//! The counts next to entries of the navigation; `badge_refresh` keeps them fresh.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// How old a count may be when a page shows it.
const FRESH: Duration = Duration::from_secs(3);

/// The counts, as they were a few seconds ago; clones share them.
#[derive(Clone, Debug, Default)]
pub struct Badges(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    dead_letters: AtomicU64,
    attention: AtomicU64,
    read_at: Mutex<Option<Instant>>,
}

impl Badges {
    /// The count next to that entry of the navigation; 0 if there is none.
    #[must_use]
    pub fn count(&self, entry: &str) -> u64 {
        match entry {
            "dead-letters" => self.0.dead_letters.load(Ordering::Relaxed),
            "overview" => self.0.attention.load(Ordering::Relaxed),
            _ => 0,
        }
    }

    /// The next page reads the counts, however fresh they are: an action may have changed them.
    pub fn forget(&self) {
        *self.0.read_at.lock() = None;
    }

    /// `Some(true)`: this page must read the counts first. `Some(false)`: they are old and can be read in the background.
    pub fn claim(&self) -> Option<bool> {
        let mut read_at = self.0.read_at.lock();
        let before = read_at.replace(Instant::now());
        match before {
            None => Some(true),
            Some(at) if at.elapsed() >= FRESH => Some(false),
            fresh => {
                *read_at = fresh;
                None
            }
        }
    }

    /// Sets the counts.
    pub fn set(&self, dead_letters: u64, attention: u64) {
        self.0.dead_letters.store(dead_letters, Ordering::Relaxed);
        self.0.attention.store(attention, Ordering::Relaxed);
    }
}
