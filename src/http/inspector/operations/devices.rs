//! Devices: which are listed, and their names.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use crate::domain::{Device, DeviceState, Timestamp};
use crate::http::inspector::params::Params;
use crate::http::inspector::problem::Problem;
use crate::http::inspector::state::InspectorState;
use crate::store::{EntityOrder, EntityPlace, EntityQuery};

/// The maximum length of a name, in characters.
const LONGEST_NAME: usize = 100;

/// Reads the query; `usual` is the default order.
pub fn query(params: &mut Params, usual: EntityOrder, now: Timestamp) -> EntityQuery {
    let states = DeviceState::ALL.map(DeviceState::as_str);
    let is_true = |text: &str| text.parse::<bool>().ok();
    EntityQuery {
        source: params.text("source"),
        q: params.text("q"),
        state: match params.parsed("silent", "true or false", is_true) {
            Some(true) => Some(DeviceState::Silent),
            _ => params.parsed("state", &format!("one of {}", states.join(", ")), DeviceState::from_word),
        },
        order: params
            .parsed("sort", "recent, silence or trouble", |text| match text {
                "recent" => Some(EntityOrder::Recent),
                "silence" => Some(EntityOrder::Silence),
                "trouble" => Some(EntityOrder::Trouble),
                _ => None,
            })
            .unwrap_or(usual),
        is_joined: false,
        now,
        after: params.parsed("before", "the next of an earlier response", place),
    }
}

/// A position in the format of `next`.
#[must_use]
pub fn place_of(place: &EntityPlace) -> String {
    let text = json!([place.at.as_micros(), place.source, place.entity, place.class]).to_string();
    URL_SAFE_NO_PAD.encode(text)
}

fn place(text: &str) -> Option<EntityPlace> {
    let text = URL_SAFE_NO_PAD.decode(text).ok()?;
    let (micros, source, entity, class) = serde_json::from_slice(&text).ok()?;
    Some(EntityPlace { class, at: Timestamp::from_micros(micros), source, entity })
}

/// A name to store; a blank one removes the name.
///
/// # Errors
/// If it is too long or has control characters; says what is allowed.
pub fn own_name(name: &str) -> Result<Option<String>, &'static str> {
    let name = name.trim();
    if name.chars().count() > LONGEST_NAME || name.chars().any(char::is_control) {
        return Err("at most 100 characters, and no control characters");
    }
    Ok(Some(name.to_owned()).filter(|name| !name.is_empty()))
}

/// Sets the name of a device and returns the device.
///
/// # Errors
/// 404 if there is no device with this id, 503 if the store cannot be written.
pub async fn rename(
    state: &InspectorState,
    source: String,
    id: String,
    name: Option<String>,
) -> Result<Device, Problem> {
    let unavailable = |fault| Problem::store_fault(&fault);
    state.store.name_device(source.clone(), id.clone(), name).await.map_err(unavailable)?;
    let device = state.store.device(source, id).await.map_err(unavailable)?;
    device.ok_or_else(|| Problem::not_found("This source knows no device of this id."))
}
