//! The results of filters and templates for the last events of each subscription. They are kept in memory only and
//! lost on restart.

use std::collections::HashMap;

use parking_lot::Mutex;

use crate::domain::{DeliveryId, OutgoingEvent, Timestamp};

/// The number of events remembered per subscription.
const REMEMBERED: u32 = 100;

/// The evaluated part of a subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The filter, evaluated when the message is created.
    Filter,
    /// The template, evaluated at the first attempt.
    Template,
}

impl Part {
    /// Its name in the API and in metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Filter => "filter",
            Self::Template => "template",
        }
    }
}

/// The last failed evaluation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastFailure {
    /// The reason.
    pub why: String,
    /// The time.
    pub at: Timestamp,
    /// The type of the event.
    pub event_type: String,
    /// Its id.
    pub event_id: Option<String>,
    /// The delivery that contained it.
    pub delivery: Option<DeliveryId>,
}

/// The last evaluations of one part of a subscription.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Evaluations {
    /// One bit per evaluation, set if it failed; the latest is the lowest bit.
    bits: u128,
    count: u32,
    /// The last failure, while it is among the remembered evaluations.
    pub last: Option<LastFailure>,
}

impl Evaluations {
    /// The number of failures.
    #[must_use]
    pub const fn failed(&self) -> u32 {
        self.bits.count_ones()
    }

    /// The number of remembered evaluations, at most a hundred.
    #[must_use]
    pub const fn of(&self) -> u32 {
        self.count
    }

    fn add(&mut self, failure: Option<LastFailure>) {
        let kept = (1_u128 << REMEMBERED).wrapping_sub(1);
        self.bits = ((self.bits << 1) | u128::from(failure.is_some())) & kept;
        self.count = self.count.saturating_add(1).min(REMEMBERED);
        self.last = failure.or(self.last.take()).filter(|_| self.bits > 0);
    }
}

/// The evaluations of every subscription.
#[derive(Debug, Default)]
pub struct AllEvaluations(Mutex<HashMap<String, [Evaluations; 2]>>);

impl AllEvaluations {
    /// Records the result of `part` of a subscription on `event`; `failure` is the error, if any. Returns whether the
    /// failure is new: the previous evaluation succeeded, or failed for another reason.
    pub fn add(
        &self,
        subscription: &str,
        part: Part,
        event: &OutgoingEvent,
        failure: Option<&str>,
        at: Timestamp,
    ) -> bool {
        let failure = failure.map(|why| LastFailure {
            why: why.to_owned(),
            at,
            event_type: event.event_type.clone(),
            event_id: event.event_id.clone(),
            delivery: event.delivery,
        });
        let mut all = self.0.lock();
        if !all.contains_key(subscription) {
            all.insert(subscription.to_owned(), Default::default());
        }
        let Some([filter, template]) = all.get_mut(subscription) else { return false };
        let evaluations = if part == Part::Filter { filter } else { template };
        let is_news = failure.as_ref().is_some_and(|failure| {
            evaluations.bits & 1 == 0 || evaluations.last.as_ref().is_none_or(|last| last.why != failure.why)
        });
        evaluations.add(failure);
        is_news
    }

    /// The results of both parts of a subscription.
    #[must_use]
    pub fn of(&self, subscription: &str) -> [(Part, Evaluations); 2] {
        let [filter, template] = self.0.lock().get(subscription).cloned().unwrap_or_default();
        [(Part::Filter, filter), (Part::Template, template)]
    }

    /// Clears the results of a subscription that was changed or removed.
    pub fn forget(&self, subscription: &str) {
        self.0.lock().remove(subscription);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event() -> OutgoingEvent {
        OutgoingEvent {
            source: "s".to_owned(),
            event_id: Some("e1".to_owned()),
            event_type: "data.received".to_owned(),
            entity: None,
            received_at: Timestamp::from_secs(0),
            body: bytes::Bytes::new(),
            delivery: None,
            lineage: Vec::new(),
        }
    }

    #[test]
    fn the_last_hundred_are_counted_and_the_last_failure_is_told_while_it_is_one_of_them() {
        let all = AllEvaluations::default();
        let add = |why: Option<&str>| all.add("a", Part::Filter, &event(), why, Timestamp::from_secs(7));
        assert!(add(Some("x")) && !add(Some("x")) && add(Some("y")));
        assert!(!add(None) && add(Some("y")), "after a good one it is news again");
        let [(_, filter), (_, template)] = all.of("a");
        assert_eq!((filter.failed(), filter.of(), template.of()), (4, 5, 0));
        assert_eq!(filter.last.unwrap().why, "y");
        for _ in 0..99 {
            add(None);
        }
        assert_eq!((all.of("a")[0].1.failed(), all.of("a")[0].1.of()), (1, 100));
        add(None);
        assert_eq!(all.of("a")[0].1, Evaluations { bits: 0, count: 100, last: None });
        all.forget("a");
        assert_eq!(all.of("a")[0].1.of(), 0);
    }
}
