//! The subscriptions in force: read by everything that sends, changed one at a time.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use parking_lot::RwLock;

use super::compiled::Compiled;
use super::parked::Parked;
use crate::domain::Timestamp;

/// A subscription in force, with fields that only the store knows.
#[derive(Clone, Debug)]
pub struct Active {
    /// The compiled subscription, with the current `enabled` and `disabled_reason`.
    pub compiled: Compiled,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// It gets deliveries after this position.
    pub since: i64,
}

impl Active {
    /// Whether it accepts events and sends messages.
    #[must_use]
    pub const fn is_enabled(&self) -> bool {
        self.compiled.subscription.enabled
    }
}

/// Every subscription, by id: those in force, and those that are only stored.
#[derive(Debug, Default)]
struct Map {
    active: BTreeMap<String, Arc<Active>>,
    parked: BTreeMap<String, Arc<Parked>>,
    /// Those in force, newest first, once somebody asked for them.
    newest_first: OnceLock<Arc<[Arc<Active>]>>,
}

impl Map {
    fn put(&mut self, active: Arc<Active>) {
        let id = active.compiled.id();
        self.parked.remove(id);
        self.active.insert(id.to_owned(), active);
        self.newest_first.take();
    }

    fn park(&mut self, parked: Arc<Parked>) {
        self.active.remove(&parked.id);
        self.parked.insert(parked.id.clone(), parked);
        self.newest_first.take();
    }

    fn remove(&mut self, id: &str) {
        self.active.remove(id);
        self.parked.remove(id);
        self.newest_first.take();
    }
}

/// Every subscription, by id. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Subscriptions(Arc<RwLock<Map>>);

impl Subscriptions {
    /// All of them, newest first. The same list as long as nothing changes.
    #[must_use]
    pub fn all(&self) -> Arc<[Arc<Active>]> {
        let map = self.0.read();
        let newest_first = map.newest_first.get_or_init(|| {
            let mut all: Vec<Arc<Active>> = map.active.values().cloned().collect();
            all.sort_by(|one, other| {
                other.created_at.cmp(&one.created_at).then_with(|| other.compiled.id().cmp(one.compiled.id()))
            });
            all.into()
        });
        Arc::clone(newest_first)
    }

    /// The subscription with this id.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<Arc<Active>> {
        self.0.read().active.get(id).cloned()
    }

    /// The subscription with this id, or else with this name.
    #[must_use]
    pub fn find(&self, id_or_name: &str) -> Option<Arc<Active>> {
        let all = self.0.read();
        let by_name = || all.active.values().find(|active| active.compiled.subscription.name == id_or_name);
        all.active.get(id_or_name).or_else(by_name).cloned()
    }

    /// Puts a subscription in force.
    pub fn put(&self, active: Active) {
        self.0.write().put(Arc::new(active));
    }

    /// Takes a subscription out of force but keeps it.
    pub fn park(&self, parked: Parked) {
        self.0.write().park(Arc::new(parked));
    }

    /// The parked subscription with this id.
    #[must_use]
    pub fn parked(&self, id: &str) -> Option<Arc<Parked>> {
        self.0.read().parked.get(id).cloned()
    }

    /// The parked subscriptions, by id.
    #[must_use]
    pub fn all_parked(&self) -> Vec<Arc<Parked>> {
        self.0.read().parked.values().cloned().collect()
    }

    /// Removes a subscription.
    pub fn remove(&self, id: &str) {
        self.0.write().remove(id);
    }

    /// Marks a subscription as disabled automatically.
    pub fn disable(&self, id: &str, reason: &str) {
        let mut map = self.0.write();
        if let Some(active) = map.active.get(id) {
            let mut active = Active::clone(active);
            active.compiled.subscription.enabled = false;
            active.compiled.subscription.disabled_reason = Some(reason.to_owned());
            map.put(Arc::new(active));
        }
    }

    /// The fallback of a subscription, if it exists and is enabled.
    #[must_use]
    pub fn fallback_of(&self, active: &Active) -> Option<Arc<Active>> {
        let fallback = self.find(active.compiled.subscription.fallback.as_deref()?)?;
        (fallback.is_enabled() && fallback.compiled.id() != active.compiled.id()).then_some(fallback)
    }
}
