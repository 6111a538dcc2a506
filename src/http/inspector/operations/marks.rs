//! Pin, note and tags of a delivery.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, SeqAccess, Visitor};
use utoipa::ToSchema;

use crate::domain::{DeliveryId, Marks, MarksChange};
use crate::http::inspector::problem::Problem;
use crate::http::inspector::request::{As, Members, Word};
use crate::http::inspector::state::InspectorState;
use crate::store::Marked;

/// The maximum length of a note, in characters.
const LONGEST_NOTE: usize = 10_000;
/// The maximum length of a tag, in characters.
const LONGEST_TAG: usize = 50;
/// The part of `max_size` that pinned deliveries may use.
const PINNED: u64 = 4;
/// The maximum number of tags of a delivery.
const MOST_TAGS: usize = 20;

/// A change of marks. What is left out stays as it is.
#[derive(Clone, Debug, Default, serde::Deserialize, ToSchema)]
pub struct MarksRequest {
    /// Whether it is kept whatever its age.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = bool)]
    pub pinned: Option<bool>,
    /// A note of at most 10,000 characters; null or blank removes it.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, max_length = 10_000)]
    pub note: Option<Option<As<Note>>>,
    /// At most 20 tags of 1 to 50 characters without commas. They replace the present ones.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Vec<String>, max_items = 20)]
    pub tags: Option<Tags>,
}

impl Members for MarksRequest {}

/// A member that is there; null is a value like others.
fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Option<T>, D::Error> {
    T::deserialize(from).map(Some)
}

/// A note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note(pub String);

impl Word for Note {
    fn expected() -> String {
        format!("a text of at most {LONGEST_NOTE} characters, or null")
    }

    fn read(text: &str) -> Result<Self, Option<String>> {
        let is_odd = |letter: char| letter.is_control() && letter != '\n' && letter != '\t';
        let is_note = text.chars().count() <= LONGEST_NOTE && !text.contains(is_odd);
        is_note.then(|| Self(text.to_owned())).ok_or(None)
    }
}

/// Tags, each once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tags(pub Vec<String>);

impl Tags {
    /// Puts `tag` in front, also if the last one has to go for it.
    #[must_use]
    pub fn with_first(mut self, tag: &str) -> Vec<String> {
        self.0.retain(|known| known != tag);
        self.0.insert(0, tag.to_owned());
        self.0.truncate(MOST_TAGS);
        self.0
    }

    fn add(&mut self, tag: &str) -> Option<()> {
        let tag = tag.trim();
        let is_odd = |letter: char| letter.is_control() || letter == ',';
        if tag.is_empty() || tag.chars().count() > LONGEST_TAG || tag.contains(is_odd) {
            return None;
        }
        if !self.0.iter().any(|known| known == tag) {
            self.0.push(tag.to_owned());
        }
        (self.0.len() <= MOST_TAGS).then_some(())
    }
}

impl<'de> Deserialize<'de> for Tags {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_seq(ReadsTags)
    }
}

struct ReadsTags;

impl<'de> Visitor<'de> for ReadsTags {
    type Value = Tags;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "at most {MOST_TAGS} texts of 1 to {LONGEST_TAG} characters without commas")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Tags, A::Error> {
        let wrong = || de::Error::invalid_value(de::Unexpected::Seq, &ReadsTags);
        let mut tags = Tags::default();
        while let Some(tag) = items.next_element::<String>().map_err(|_| wrong())? {
            tags.add(&tag).ok_or_else(wrong)?;
        }
        Ok(tags)
    }
}

impl From<MarksRequest> for MarksChange {
    fn from(asked: MarksRequest) -> Self {
        let note = asked.note.map(|note| note.map(|As(Note(note))| note));
        Self {
            is_pinned: asked.pinned,
            note: note.map(|note| note.filter(|note| !note.trim().is_empty())),
            tags: asked.tags.map(|Tags(tags)| tags),
        }
    }
}

/// Stores a change of marks.
///
/// # Errors
/// 404; 409 if too many are pinned; 503.
pub async fn marked(state: &InspectorState, id: &str, change: MarksRequest) -> Result<Marks, Problem> {
    let missing =
        || Problem::not_found("There is no delivery of that id; it may have been removed by retention.");
    let id: DeliveryId = id.parse().map_err(|_| missing())?;
    match state.store.mark(id, change.into(), state.retention.max_size / PINNED).await? {
        Marked::Done(marks) => Ok(marks),
        Marked::NoDelivery => Err(missing()),
        Marked::TooManyPins => Err(Problem::conflict(
            "A thousand deliveries are pinned already, or a quarter of max_size is: unpin one first. Search for pinned:true.",
        )),
    }
}
