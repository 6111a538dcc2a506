//! The looks at endpoints that are under way, so that our own receiver does not take one for a capture.
//!
//! A look carries a mark that is used once, and counts only while it is under way and at the target it was made for.
//! Whoever receives one elsewhere cannot hide a request of theirs behind it.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use url::Url;

/// The header of a look that carries its mark.
pub const PROBE_HEADER: &str = "X-Tagohook-Probe";

/// The looks that are under way; clones share them.
#[derive(Clone, Debug, Default)]
pub struct OwnProbes(Arc<Mutex<HashMap<String, String>>>);

/// A look that is under way. It ends when this is dropped.
#[derive(Debug)]
pub struct OwnProbe {
    probes: OwnProbes,
    mark: String,
}

impl OwnProbes {
    /// Begins a look at `url`.
    #[must_use]
    pub fn begin(&self, url: &Url) -> OwnProbe {
        let mark = format!("{:032x}", rand::random::<u128>());
        self.0.lock().insert(mark.clone(), target(url));
        OwnProbe { probes: self.clone(), mark }
    }

    /// Whether a request for `target` with this mark is a look of ours. It is one only once.
    #[must_use]
    pub fn take(&self, mark: &str, target: &str) -> bool {
        let mut under_way = self.0.lock();
        let is_ours = under_way.get(mark).is_some_and(|known| known == target);
        if is_ours {
            under_way.remove(mark);
        }
        is_ours
    }
}

impl OwnProbe {
    /// The mark that the look carries.
    #[must_use]
    pub fn mark(&self) -> &str {
        &self.mark
    }
}

impl Drop for OwnProbe {
    fn drop(&mut self) {
        self.probes.0.lock().remove(&self.mark);
    }
}

/// Path and query, as they are on the request line.
fn target(url: &Url) -> String {
    match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_counts_once_at_its_own_target_and_while_its_look_is_under_way() {
        let probes = OwnProbes::default();
        let url = Url::parse("http://127.0.0.1:8080/webhook-test/a?status=500").unwrap();
        let probe = probes.begin(&url);
        let mark = probe.mark().to_owned();
        assert!(!probes.take(&mark, "/webhook-test/a"), "another target");
        assert!(!probes.take("x", "/webhook-test/a?status=500"), "another mark");
        assert!(probes.take(&mark, "/webhook-test/a?status=500"));
        assert!(!probes.take(&mark, "/webhook-test/a?status=500"), "a second time");
        let probe = probes.begin(&url);
        let mark = probe.mark().to_owned();
        drop(probe);
        assert!(!probes.take(&mark, "/webhook-test/a?status=500"), "after its end");
    }
}
