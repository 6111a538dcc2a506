//! `/event-types` and `/event-types/{name}`: what the catalogue knows.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;

use super::lens::{TypeView, of_event_type};
use super::page::{self, Frame};
use super::state::InspectorState;
use crate::catalog::EventType;

struct Card {
    name: String,
    title: String,
    aliases: Vec<&'static str>,
    is_user: bool,
}

impl From<&EventType> for Card {
    fn from(event_type: &EventType) -> Self {
        Self {
            name: event_type.name().to_owned(),
            title: event_type.title().to_owned(),
            aliases: event_type.aliases().to_vec(),
            is_user: event_type.origin() == crate::catalog::Origin::User,
        }
    }
}

#[derive(Template)]
#[template(path = "event_types.html")]
struct ListPage {
    frame: Frame,
    /// The first word of a name, and its event types.
    groups: Vec<(String, Vec<Card>)>,
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
    let mut groups: Vec<(String, Vec<Card>)> = Vec::new();
    for event_type in state.catalog.iter() {
        let card = Card::from(event_type);
        let group = card.name.split('.').next().unwrap_or_default().to_owned();
        match groups.iter_mut().find(|(name, _)| *name == group) {
            Some((_, cards)) => cards.push(card),
            None => groups.push((group, vec![card])),
        }
    }
    page::html(StatusCode::OK, &ListPage { frame: Frame::of(&state, "event-types"), groups })
}

/// One event type, by its name or an alias.
pub async fn one(name: web::Path<String>, state: web::Data<InspectorState>) -> HttpResponse {
    let Some(event_type) = state.catalog.resolve(&name) else {
        return page::not_found(&state, "The catalogue has no event type of this name.");
    };
    let drift = match of_event_type(&state, event_type.name()).await {
        Ok(drift) => drift,
        Err(fault) => return page::store_fault(&state, &fault),
    };
    let page = OnePage {
        frame: Frame::of(&state, "event-types"),
        card: Card::from(event_type),
        example: event_type.example(),
        schema: event_type.schema_of(&name).to_owned(),
        shape: event_type.shape().map(str::to_owned),
        drift,
    };
    page::html(StatusCode::OK, &page)
}
