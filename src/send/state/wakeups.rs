//! Lanes in which something may be due. Code that creates a message or changes a subscription reports its lane, and
//! the dispatcher queries only reported lanes.

use std::collections::HashSet;

use parking_lot::Mutex;
use tokio::sync::Notify;

/// The lanes in which something may be due.
#[derive(Debug, PartialEq, Eq)]
pub enum Woken {
    /// Possibly all of them.
    All,
    /// Only these.
    Some(HashSet<String>),
}

/// Reported lanes that were not taken yet.
#[derive(Debug)]
pub struct Wakeups {
    lanes: Mutex<Woken>,
    told: Notify,
}

impl Default for Wakeups {
    fn default() -> Self {
        Self { lanes: Mutex::new(Woken::Some(HashSet::new())), told: Notify::new() }
    }
}

impl Wakeups {
    /// Something may be due in any lane.
    pub fn tell_all(&self) {
        *self.lanes.lock() = Woken::All;
        self.told.notify_one();
    }

    /// Something is due in these lanes.
    pub fn tell<'a>(&self, targets: impl Iterator<Item = &'a str>) {
        if let Woken::Some(lanes) = &mut *self.lanes.lock() {
            lanes.extend(targets.map(str::to_owned));
        }
        self.told.notify_one();
    }

    /// Waits until a lane is reported.
    pub async fn wait(&self) {
        self.told.notified().await;
    }

    /// Takes the reported lanes.
    pub fn take(&self) -> Woken {
        let mut lanes = self.lanes.lock();
        std::mem::replace(&mut lanes, Woken::Some(HashSet::new()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_told_is_taken_once_and_all_outweighs_some() {
        let wakeups = Wakeups::default();
        wakeups.tell(["a", "b", "a"].into_iter());
        assert_eq!(wakeups.take(), Woken::Some(["a".to_owned(), "b".to_owned()].into()));
        wakeups.tell_all();
        wakeups.tell(["a"].into_iter());
        assert_eq!(wakeups.take(), Woken::All);
        assert_eq!(wakeups.take(), Woken::Some(HashSet::new()));
    }
}
