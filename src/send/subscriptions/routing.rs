//! Which subscriptions an event is sent to, and why.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::sync::Arc;

use super::active::Active;
use super::compiled::{Compiled, scope_of};
use crate::domain::OutgoingEvent;
use crate::send::language::Scope;
use crate::store::NewMessage;

/// The most subscriptions that an event may pass through by way of our own receiver.
const MOST_HOPS: usize = 4;

/// Why an event is sent, or not sent, to a subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Routing {
    /// It is sent.
    Sent,
    /// The subscription is disabled.
    Disabled,
    /// The subscription does not accept events of this source.
    OtherSource,
    /// The subscription does not accept events of this type.
    OtherType,
    /// Its filter did not match.
    Filtered,
    /// Its filter could not be evaluated on the event; contains the error.
    FilterFailed(String),
    /// The event came from one of the subscription's own messages: the loop ends here.
    Loop,
    /// The subscription was created after the event arrived.
    Later,
}

impl Routing {
    /// The word in the API.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Disabled => "disabled",
            Self::OtherSource => "other_source",
            Self::OtherType => "other_type",
            Self::Filtered => "filtered",
            Self::FilterFailed(_) => "filter_failed",
            Self::Loop => "loop",
            Self::Later => "later",
        }
    }

    /// The same as a sentence.
    #[must_use]
    pub fn sentence(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::FilterFailed(why) => return Cow::Owned(format!("The filter failed on this event: {why}")),
            Self::Sent => "The event is forwarded.",
            Self::Disabled => "The subscription is disabled.",
            Self::OtherSource => "Not subscribed to this source.",
            Self::OtherType => "Not subscribed to this event type.",
            Self::Filtered => "The filter does not match.",
            Self::Loop => "The event comes from a message of this subscription: the loop ends here.",
            Self::Later => "Created or enabled after the event arrived.",
        })
    }
}

/// An event and its routing to each subscription. It is parsed once, however many filters read it.
pub struct Candidate<'a> {
    event: &'a OutgoingEvent,
    seq: Option<i64>,
    scope: OnceCell<Result<Scope, String>>,
}

impl<'a> Candidate<'a> {
    /// A candidate for `event`; `seq` is the position of its delivery, if it has one.
    #[must_use]
    pub const fn new(event: &'a OutgoingEvent, seq: Option<i64>) -> Self {
        Self { event, seq, scope: OnceCell::new() }
    }

    /// Its routing to `active`.
    #[must_use]
    pub fn routing(&self, active: &Active) -> Routing {
        let (compiled, event) = (&active.compiled, self.event);
        if !active.is_enabled() {
            Routing::Disabled
        } else if !compiled.takes_source(&event.source) {
            Routing::OtherSource
        } else if !compiled.takes_type(&event.event_type) {
            Routing::OtherType
        } else if event.lineage.len() > MOST_HOPS || event.lineage.iter().any(|id| id == compiled.id()) {
            Routing::Loop
        } else if self.seq.is_some_and(|seq| seq <= active.since) {
            Routing::Later
        } else if compiled.subscription.filters.is_none() {
            Routing::Sent
        } else {
            self.filtered(compiled)
        }
    }

    fn filtered(&self, compiled: &Compiled) -> Routing {
        let scope = self.scope.get_or_init(|| scope_of(self.event).map_err(|fault| fault.to_string()));
        let scope = match scope {
            Ok(scope) => scope,
            Err(why) => return Routing::FilterFailed(why.clone()),
        };
        match compiled.matches(&self.event.event_type, scope) {
            Ok(true) => Routing::Sent,
            Ok(false) => Routing::Filtered,
            Err(why) => Routing::FilterFailed(why),
        }
    }
}

/// A message for this subscription with this event.
#[must_use]
pub fn message_for(active: &Active, event: &OutgoingEvent) -> NewMessage {
    let subscription = &active.compiled.subscription;
    let in_order = if subscription.ordered { event.entity.clone() } else { None };
    NewMessage { subscription: subscription.id.clone(), in_order }
}

/// The result of routing an event.
#[derive(Debug, Default)]
pub struct Reach {
    /// Its messages.
    pub messages: Vec<NewMessage>,
    /// The subscriptions whose filter was evaluated, each with its error, if any.
    pub asked: Vec<(Arc<Active>, Option<String>)>,
}

impl Reach {
    /// Routes `event` to `actives`; `seq` is the position of its delivery, if it has one.
    #[must_use]
    pub fn of(actives: &[Arc<Active>], event: &OutgoingEvent, seq: Option<i64>) -> Self {
        let candidate = Candidate::new(event, seq);
        let mut reach = Self::default();
        for active in actives {
            let routing = candidate.routing(active);
            let has_filter = active.compiled.subscription.filters.is_some();
            match routing {
                Routing::Sent => reach.messages.push(message_for(active, event)),
                Routing::Filtered | Routing::FilterFailed(_) => {}
                _ => continue,
            }
            if has_filter {
                let why = if let Routing::FilterFailed(why) = routing { Some(why) } else { None };
                reach.asked.push((Arc::clone(active), why));
            }
        }
        reach
    }

    /// A sentence for each failed filter.
    pub fn warnings(&self) -> impl Iterator<Item = String> {
        self.asked.iter().filter_map(|(active, why)| {
            let name = &active.compiled.subscription.name;
            why.as_ref().map(|why| format!("not sent to {name:?}: its filter failed on this event: {why}"))
        })
    }
}
