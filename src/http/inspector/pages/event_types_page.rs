//! `/event-types` and `/event-types/{name}`: what the catalogue knows, and what was seen of it.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;

use super::lens::{TypeView, of_event_type};
use super::page::{self, Frame};
use crate::catalog::EventType;
use crate::domain::{Timestamp, counted, grouped, plain};
use crate::http::inspector::state::InspectorState;
use crate::http::inspector::words::When;
use crate::send::OWN_EVENTS;
use crate::store::StoreError;

/// The heading over our own events.
const OWN: &str = "Sent by tagohook";
/// The heading over events that the catalogue does not know.
const UNKNOWN: &str = "Seen, not in the catalogue";

/// What was seen of an event type.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    received: u64,
    published: u64,
    last: Option<Timestamp>,
}

/// What was seen of every event type.
struct AllSeen(BTreeMap<String, Seen>);

impl AllSeen {
    async fn read(state: &InspectorState) -> Result<Self, StoreError> {
        let mut all: BTreeMap<String, Seen> = BTreeMap::new();
        for received in state.store.drift_types().await? {
            let seen = all.entry(received.event_type.clone()).or_default();
            seen.received = seen.received.saturating_add(received.deliveries);
            seen.last = seen.last.max(Some(received.last_seen));
        }
        for published in state.store.published_types().await? {
            let seen = all.entry(published.event_type.clone()).or_default();
            seen.published = published.count;
            seen.last = seen.last.max(Some(published.last));
        }
        Ok(Self(all))
    }

    fn of(&self, event_type: &str) -> Seen {
        self.0.get(event_type).copied().unwrap_or_default()
    }
}

struct Card {
    name: String,
    title: String,
    aliases: Vec<&'static str>,
    is_user: bool,
    url: String,
    received: u64,
    published: u64,
    last: When,
}

impl Card {
    fn of(event_type: &EventType, seen: Seen, now: Timestamp) -> Self {
        let name = event_type.name().to_owned();
        let segment: String = form_urlencoded::byte_serialize(name.as_bytes()).collect();
        Self {
            title: event_type.title().trim_end_matches(" (our own)").to_owned(),
            aliases: event_type.aliases().to_vec(),
            is_user: event_type.origin() == crate::catalog::Origin::User,
            url: format!("/event-types/{segment}"),
            received: seen.received,
            published: seen.published,
            last: When::maybe(seen.last, now),
            name,
        }
    }

    /// One that only traffic knows: its row leads to its deliveries.
    fn unknown(name: &str, seen: Seen, now: Timestamp) -> Self {
        let query: String = form_urlencoded::byte_serialize(name.as_bytes()).collect();
        Self {
            name: plain(name),
            title: String::new(),
            aliases: Vec::new(),
            is_user: false,
            url: format!("/?event_type={query}"),
            received: seen.received,
            published: seen.published,
            last: When::maybe(seen.last, now),
        }
    }

    fn received_shown(&self) -> String {
        grouped(self.received)
    }

    fn published_shown(&self) -> String {
        grouped(self.published)
    }

    /// What was seen, in words.
    fn seen(&self) -> String {
        match (self.received, self.published) {
            (0, 0) => "Not seen yet".to_owned(),
            (received, 0) => format!("{} received", counted(received, "event")),
            (0, published) => format!("{} published", counted(published, "event")),
            (received, published) => {
                format!("{} received and {} published", grouped(received), grouped(published))
            }
        }
    }
}

struct Group {
    name: String,
    cards: Vec<Card>,
}

#[derive(Template)]
#[template(path = "event_types.html")]
struct ListPage {
    frame: Frame,
    groups: Vec<Group>,
}

#[derive(Template)]
#[template(path = "event_type.html")]
struct OnePage {
    frame: Frame,
    card: Card,
    example: Option<&'static str>,
    schema: String,
    shape: Option<String>,
    drift: Vec<TypeView>,
}

/// All event types.
pub async fn list(state: web::Data<InspectorState>) -> HttpResponse {
    let seen = match AllSeen::read(&state).await {
        Ok(seen) => seen,
        Err(fault) => return page::store_fault(&state, &fault),
    };
    let now = state.clock.wall();
    let mut groups: Vec<Group> = Vec::new();
    let mut own = Vec::new();
    for event_type in state.catalog.iter() {
        let card = Card::of(event_type, seen.of(event_type.name()), now);
        if OWN_EVENTS.contains(&event_type.name()) {
            own.push(card);
            continue;
        }
        let group = card.name.split('.').next().unwrap_or_default().to_owned();
        match groups.iter_mut().find(|known| known.name == group) {
            Some(known) => known.cards.push(card),
            None => groups.push(Group { name: group, cards: vec![card] }),
        }
    }
    let is_unknown = |name: &str| state.catalog.resolve(name).is_none();
    let unknown = seen.0.iter().filter(|(name, _)| is_unknown(name));
    let unknown: Vec<Card> = unknown.map(|(name, seen)| Card::unknown(name, *seen, now)).collect();
    for (name, cards) in [(OWN, own), (UNKNOWN, unknown)] {
        if !cards.is_empty() {
            groups.push(Group { name: name.to_owned(), cards });
        }
    }
    page::html(StatusCode::OK, &ListPage { frame: Frame::of(&state, "event-types"), groups })
}

/// One event type, by its name or an alias.
pub async fn one(name: web::Path<String>, state: web::Data<InspectorState>) -> HttpResponse {
    let Some(event_type) = state.catalog.resolve(&name) else {
        return page::not_found(&state, "The catalogue has no event type of this name.");
    };
    let found = async { Ok((of_event_type(&state, event_type.name()).await?, AllSeen::read(&state).await?)) };
    let (drift, seen) = match found.await {
        Ok(found) => found,
        Err(fault) => return page::store_fault(&state, &fault),
    };
    let page = OnePage {
        frame: Frame::of(&state, "event-types"),
        card: Card::of(event_type, seen.of(event_type.name()), state.clock.wall()),
        example: event_type.example(),
        schema: event_type.schema_of(&name).to_owned(),
        shape: event_type.shape().map(str::to_owned),
        drift,
    };
    page::html(StatusCode::OK, &page)
}
