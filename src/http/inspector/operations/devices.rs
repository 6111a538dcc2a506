//! Devices: which are listed, and their names.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Deserializer};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

use crate::domain::{Device, DeviceState, Timestamp};
use crate::http::inspector::problem::Problem;
use crate::http::inspector::request::{As, DeviceOrderParam, DeviceStateParam, Members, Word};
use crate::http::inspector::state::InspectorState;
use crate::store::{EntityOrder, EntityPlace, EntityQuery};

/// `EntityPlace` as a request writes it.
type EntityPlaceParam = As<EntityPlace>;

/// The maximum length of a name, in characters.
const LONGEST_NAME: usize = 100;

/// Which devices.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
pub struct DeviceParams {
    /// The source.
    pub source: Option<String>,
    /// A part of its id or name.
    pub q: Option<String>,
    /// Whether only silent ones.
    pub silent: Option<bool>,
    /// The state.
    #[param(inline)]
    pub state: Option<DeviceStateParam>,
    /// The order.
    #[param(inline)]
    pub sort: Option<DeviceOrderParam>,
    /// The `next` of an earlier response.
    #[param(inline)]
    pub before: Option<EntityPlaceParam>,
}

impl Members for DeviceParams {}

impl DeviceParams {
    /// The query; `usual` is the default order.
    #[must_use]
    pub fn query(self, usual: EntityOrder, now: Timestamp) -> EntityQuery {
        EntityQuery {
            source: self.source,
            q: self.q,
            state: match self.silent {
                Some(true) => Some(DeviceState::Silent),
                _ => self.state.map(|As(state)| state),
            },
            order: self.sort.map_or(usual, |As(order)| order),
            is_joined: false,
            now,
            after: self.before.map(|As(place)| place),
        }
    }
}

impl Word for EntityPlace {
    fn expected() -> String {
        "the next of an earlier response".to_owned()
    }

    fn read(text: &str) -> Result<Self, Option<String>> {
        place(text).ok_or(None)
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

/// The name of a device.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
pub struct NameRequest {
    /// At most 100 characters; null or blank removes it.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, required, max_length = 100)]
    pub name: Option<Option<As<OwnName>>>,
}

impl Members for NameRequest {}

fn given<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Option<As<OwnName>>>, D::Error> {
    Deserialize::deserialize(from).map(Some)
}

/// A name of a device; a blank one removes the name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnName(pub String);

impl Word for OwnName {
    fn expected() -> String {
        "a text, or null".to_owned()
    }

    fn read(text: &str) -> Result<Self, Option<String>> {
        let name = text.trim();
        if name.chars().count() > LONGEST_NAME || name.chars().any(char::is_control) {
            return Err(Some("at most 100 characters, and no control characters".to_owned()));
        }
        Ok(Self(name.to_owned()))
    }
}

/// Sets the name of a device and returns the device.
///
/// # Errors
/// 404 if there is no device with this id, 503 if the store cannot be written.
pub async fn rename(
    state: &InspectorState,
    source: String,
    id: String,
    name: Option<As<OwnName>>,
) -> Result<Device, Problem> {
    let name = name.map(|As(OwnName(name))| name).filter(|name| !name.is_empty());
    state.store.name_device(source.clone(), id.clone(), name).await?;
    let device = state.store.device(source, id).await?;
    device.ok_or_else(|| Problem::not_found("This source knows no device of this id."))
}
