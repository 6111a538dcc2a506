//! Valid filters that are most likely a mistake.

use super::filters::{Filters, Rule, overlap};
use crate::catalog;
use crate::domain::suggestion;

impl Filters {
    /// The warnings about them in a subscription that accepts `events`, one sentence each.
    #[must_use]
    pub fn warnings(&self, events: &[String]) -> Vec<String> {
        let mut warnings = Vec::new();
        for (event, rule) in self.entries() {
            warnings.extend(unused(event, events).or_else(|| misspelt(event)));
            if let Rule::Conditions(conditions) = rule {
                let odd = conditions.iter().filter(|condition| !condition.can_hold());
                warnings.extend(odd.map(|condition| {
                    format!("filters: the condition of {event:?} on {:?} can never match", condition.field())
                }));
                let mut roots: Vec<&str> = conditions.iter().map(|condition| condition.root()).collect();
                roots.sort_unstable();
                roots.dedup();
                warnings.extend(roots.into_iter().filter_map(|root| unknown_root(event, root)));
            }
        }
        warnings
    }
}

/// A filter for an event that the subscription does not accept.
fn unused(event: &str, events: &[String]) -> Option<String> {
    let is_taken = events.iter().any(|taken| overlap(taken, event));
    let near = suggestion(event, events.iter().map(String::as_str));
    (!is_taken).then(|| {
        format!("filters: the filter of {event:?} is never used: \"events\" does not name that event{near}")
    })
}

/// A name that is not in the catalogue but close to one that is.
fn misspelt(event: &str) -> Option<String> {
    if event.contains('*') || catalog::names().any(|name| name == event) {
        return None;
    }
    let near = suggestion(event, catalog::names());
    (!near.is_empty()).then(|| format!("filters: the catalogue does not know {event:?}{near}"))
}

fn unknown_root(event: &str, root: &str) -> Option<String> {
    let known = catalog::top_level_names();
    let near = suggestion(root, known.iter().map(String::as_str));
    (!known.contains(root))
        .then(|| format!("filters: {event:?}: no event of the catalogue has {root:?} at its top{near}"))
}
