//! Selects the deliveries in a list or a stream.

use ipnet::IpNet;

use super::{Condition, DeliveryId, Moment, Pattern, Query, Reason, Timestamp, Verdict};

/// Conditions on deliveries; every field that is set must match.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeliveryFilter {
    /// One of these deliveries.
    pub ids: Option<Vec<DeliveryId>>,
    /// Exactly this source.
    pub source: Option<String>,
    /// This verdict.
    pub verdict: Option<Verdict>,
    /// This reason.
    pub reason: Option<Reason>,
    /// Exactly this event type, canonical or as sent.
    pub event_type: Option<String>,
    /// Exactly this event id.
    pub event_id: Option<String>,
    /// Exactly this entity.
    pub entity: Option<String>,
    /// Exactly this method.
    pub method: Option<String>,
    /// This status.
    pub status: Option<u16>,
    /// A client address in this range (a single address is a /32 or /128).
    pub client_ip: Option<IpNet>,
    /// Whether it is pinned.
    pub pinned: Option<bool>,
    /// One of its tags, exactly.
    pub tag: Option<String>,
    /// The query from the search box.
    pub q: Option<Query>,
    /// Received at this instant or later.
    pub from: Option<Timestamp>,
    /// Received before this instant.
    pub to: Option<Timestamp>,
}

impl DeliveryFilter {
    /// All conditions as one query.
    #[must_use]
    pub fn query(&self) -> Query {
        let exactly = |text: &Option<String>| text.as_deref().map(Pattern::exactly);
        // Rare values come first: if a segment of the log has none, nothing else is looked up.
        let conditions = [
            self.ids.clone().map(Condition::Delivery),
            exactly(&self.event_id).map(Condition::EventId),
            exactly(&self.entity).map(Condition::Entity),
            exactly(&self.source).map(Condition::Source),
            self.verdict.map(Condition::Verdict),
            self.reason.map(Condition::Reason),
            exactly(&self.event_type).map(Condition::EventType),
            exactly(&self.method).map(Condition::Method),
            self.status.map(|status| Condition::Status(status..=status)),
            self.client_ip.map(Condition::ClientIp),
            self.pinned.map(Condition::Pinned),
            exactly(&self.tag).map(Condition::Tag),
            self.from.map(|from| Condition::From(Moment::At(from))),
            self.to.map(|to| Condition::To(Moment::At(to))),
        ];
        let mut all: Vec<Query> = conditions.into_iter().flatten().map(Query::Is).collect();
        all.extend(self.q.clone());
        match all.len() {
            1 => all.remove(0),
            _ => Query::All(all),
        }
    }
}
