//! The replays on their way to our own receiver, which recognises them by their mark.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::domain::ClientAddress;

/// The replays that are under way, with the client of each original. All clones share them.
#[derive(Clone, Debug, Default)]
pub struct OwnReplays(Arc<Mutex<HashMap<String, ClientAddress>>>);

/// A replay that is under way. It ends when this is dropped.
#[derive(Debug)]
pub struct OwnReplay {
    replays: OwnReplays,
    mark: String,
}

impl OwnReplays {
    /// Begins the replay with that mark of a delivery from `client`.
    #[must_use]
    pub fn begin(&self, mark: &str, client: ClientAddress) -> OwnReplay {
        self.0.lock().insert(mark.to_owned(), client);
        OwnReplay { replays: self.clone(), mark: mark.to_owned() }
    }

    /// The client of the original, if a replay with this mark is under way. A mark counts only once.
    #[must_use]
    pub fn take(&self, mark: &[u8]) -> Option<ClientAddress> {
        self.0.lock().remove(std::str::from_utf8(mark).ok()?)
    }
}

impl Drop for OwnReplay {
    fn drop(&mut self) {
        self.replays.0.lock().remove(&self.mark);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_counts_once_and_only_while_its_replay_is_under_way() {
        let replays = OwnReplays::default();
        let ip = "203.0.113.7".parse().unwrap();
        let client = ClientAddress { ip, peer: ip, explanation: "direct connection".into() };
        let under_way = replays.begin("a", client.clone());
        assert_eq!(replays.take(b"b"), None);
        assert_eq!(replays.take(b"a"), Some(client.clone()));
        assert_eq!(replays.take(b"a"), None);
        drop(under_way);
        drop(replays.begin("c", client));
        assert_eq!(replays.take(b"c"), None);
    }
}
