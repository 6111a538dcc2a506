//! `/entities`: the devices that send, those in trouble first.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use crate::domain::{Device, DeviceState, Timestamp, grouped, plain};
use crate::http::inspector::InspectorState;
use crate::http::inspector::operations::devices::{DeviceParams, place_of};
use crate::http::inspector::pages::page::{self, Frame};
use crate::http::inspector::request::{Blank, Fields};
use crate::http::inspector::words::shown_time;
use crate::inspect::duration::{signed_span, span};
use crate::inspect::entities::entity_url;
use crate::store::EntityOrder;

/// Rows of a page.
const ROWS: usize = 50;
/// How many letters of a long id are shown next to a name.
const END_OF_ID: usize = 4;
/// A longer id is long.
const SHORT_ID: usize = 10;

/// A row of the list.
pub struct EntityRow {
    pub url: String,
    pub entity: String,
    pub name: String,
    /// The end of the id, where there is a name.
    pub id_end: String,
    /// The sources that speak of it.
    pub sources: String,
    pub last_seen_at: String,
    pub last_seen: String,
    pub silent_for: String,
    pub usual: String,
    pub in_24h: String,
    pub state: &'static str,
    pub class: &'static str,
    /// How bad that is.
    pub how: String,
    pub lag: String,
    pub late: u64,
}

impl EntityRow {
    /// The row of a device.
    pub fn of(device: &Device, now: Timestamp) -> Self {
        let entity = &device.key;
        let last_seen = device.last_seen();
        let silent_for = Duration::from_micros(
            u64::try_from(now.as_micros().saturating_sub(last_seen.as_micros())).unwrap_or(0),
        );
        let last_seen_at = last_seen.to_string();
        let state = device.state(now);
        let name = device.name().map(plain).unwrap_or_default();
        let mut sources: Vec<String> = device.members().map(|one| plain(&one.source)).collect();
        sources.sort_unstable();
        Self {
            url: entity_url(&entity.source, &entity.entity),
            entity: plain(&entity.entity),
            id_end: if name.is_empty() { String::new() } else { end_of(&entity.entity) },
            name,
            sources: sources.join(", "),
            last_seen: shown_time(&last_seen_at).get(..19).unwrap_or_default().to_owned(),
            last_seen_at,
            silent_for: span(silent_for),
            usual: device.usual().map(|usual| format!("every {}", span(usual))).unwrap_or_default(),
            in_24h: grouped(device.in_24h(now)),
            state: words(state),
            class: class(state),
            how: how(device, state),
            lag: entity.lag_ms().map(signed_span).unwrap_or_default(),
            late: entity.late,
        }
    }
}

/// A state for people.
pub const fn words(state: DeviceState) -> &'static str {
    match state {
        DeviceState::ClockAhead => "clock ahead",
        other => other.as_str(),
    }
}

const fn class(state: DeviceState) -> &'static str {
    match state {
        DeviceState::Silent => "rejected",
        DeviceState::ClockAhead | DeviceState::Late | DeviceState::Quiet => "pending",
        DeviceState::Regular => "accepted",
        DeviceState::New => "unknown",
    }
}

/// How bad the state of a device is, as far as the row does not say it.
fn how(device: &Device, state: DeviceState) -> String {
    match state {
        DeviceState::ClockAhead => format!("by {}", span(device.clock_ahead().unwrap_or_default())),
        DeviceState::Late => {
            let (late, of) = device.late_lately();
            format!("{late} of the last {of} events")
        }
        _ => String::new(),
    }
}

/// `…1042`: the end of an id.
fn end_of(id: &str) -> String {
    let letters = id.chars().count();
    let end: String = id.chars().skip(letters.saturating_sub(END_OF_ID)).collect();
    plain(&if letters > SHORT_ID { format!("…{end}") } else { id.to_owned() })
}

/// A state by which the list can be filtered.
struct Choice {
    words: &'static str,
    url: String,
    is_chosen: bool,
}

#[derive(Template)]
#[template(path = "lens/entities.html")]
struct EntitiesPage {
    frame: Frame,
    rows: Vec<EntityRow>,
    choices: Vec<Choice>,
    sources: Vec<String>,
    source: String,
    q: String,
    state: &'static str,
    order: &'static str,
    total: String,
    is_filtered: bool,
    older_url: Option<String>,
    fault: Option<String>,
}

/// The list.
pub async fn list(request: HttpRequest, state: web::Data<InspectorState>) -> HttpResponse {
    let now = state.clock.wall();
    let mut fields = Fields::of_query(request.query_string(), Blank::Absent);
    let mut query = fields.take::<DeviceParams>().query(EntityOrder::Trouble, now);
    query.is_joined = true;
    let fault = fields.finish().err().map(|problem| plain(&problem.sentences()));
    let read = async {
        let page = state.store.entities(query.clone(), ROWS).await?;
        Ok::<_, crate::store::StoreError>((page, state.store.learner_state().await?))
    };
    let (found, lens) = match read.await {
        Ok(read) => read,
        Err(fault) => return page::store_fault(&state, &fault),
    };
    let with = |more: Option<(&str, &str)>, without: &[&str]| {
        let kept = form_urlencoded::parse(request.query_string().as_bytes())
            .into_owned()
            .filter(|(name, value)| !without.contains(&name.as_str()) && !value.is_empty());
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(kept).extend_pairs(more);
        let query = query.finish();
        if query.is_empty() { "/entities".to_owned() } else { format!("/entities?{query}") }
    };
    let older_url = found.next.as_ref().map(|place| with(Some(("before", &place_of(place))), &["before"]));
    let of_state = ["before", "state", "silent"];
    let all = Choice { words: "All", url: with(None, &of_state), is_chosen: query.state.is_none() };
    let choices = DeviceState::ALL.map(|state| Choice {
        words: words(state),
        url: with(Some(("state", state.as_str())), &of_state),
        is_chosen: query.state == Some(state),
    });
    // Where all are on one page, what several sources say of one device is one.
    let is_filtered = query.source.is_some() || query.q.is_some() || query.state.is_some();
    let is_whole = found.next.is_none() && query.after.is_none() && !is_filtered;
    let total = if is_whole { found.devices.len().to_string() } else { grouped(lens.entities) };
    let page = EntitiesPage {
        frame: Frame::of(&state, "entities"),
        rows: found.devices.iter().map(|device| EntityRow::of(device, now)).collect(),
        choices: std::iter::once(all).chain(choices).collect(),
        sources: state.source_names(),
        is_filtered,
        source: query.source.unwrap_or_default(),
        q: query.q.unwrap_or_default(),
        state: query.state.map_or("", DeviceState::as_str),
        order: match query.order {
            EntityOrder::Trouble => "trouble",
            EntityOrder::Recent => "recent",
            EntityOrder::Silence => "silence",
        },
        total,
        older_url,
        fault,
    };
    page::html(StatusCode::OK, &page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_an_id_is_shown_and_a_short_one_whole() {
        assert_eq!(
            [end_of("66f16881c903480009ff1042"), end_of("pump-12345"), end_of("Wohnung-Küche")],
            ["…1042", "pump-12345", "…üche"]
        );
    }
}
