//! One event type: names, schema, usual shape, example.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::builtin::Builtin;
use super::schema::{Formats, Schema};
use crate::domain::Fault;

/// Where an event type comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The specification.
    Builtin,
    /// A file in `schemas_dir`; it may replace the schema of a built-in event.
    User,
}

impl Origin {
    /// Its name in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Builtin => "builtin",
            Self::User => "user",
        }
    }
}

/// An event type: its schema, its usual shape, an example.
#[derive(Clone, Debug)]
pub struct EventType {
    name: String,
    title: String,
    aliases: &'static [&'static str],
    origin: Origin,
    schema: Arc<Schema>,
    /// User schemas for single aliases.
    of_aliases: BTreeMap<String, Arc<Schema>>,
    shape: Option<Arc<Schema>>,
    example: Option<&'static str>,
}

impl EventType {
    pub(super) fn builtin(builtin: &Builtin) -> Self {
        Self {
            name: builtin.name.to_owned(),
            title: builtin.title.to_owned(),
            aliases: builtin.aliases,
            origin: Origin::Builtin,
            schema: Arc::new(Schema::builtin(builtin.schema)),
            of_aliases: BTreeMap::new(),
            shape: Some(Arc::new(Schema::builtin(builtin.shape))),
            example: Some(builtin.example),
        }
    }

    /// A user-defined event type.
    pub(super) fn user(name: String, schema: Schema) -> Self {
        Self {
            name,
            title: title(schema.text()),
            aliases: &[],
            origin: Origin::User,
            schema: Arc::new(schema),
            of_aliases: BTreeMap::new(),
            shape: None,
            example: None,
        }
    }

    /// Replaces the specification's schema with the user's; the usual shape is then ignored. A schema for an alias
    /// applies only to that alias, which still means this event.
    pub(super) fn replace_schema(&mut self, name: &str, schema: Schema) {
        self.origin = Origin::User;
        if name == self.name {
            self.schema = Arc::new(schema);
            self.shape = None;
        } else {
            self.of_aliases.insert(name.to_owned(), Arc::new(schema));
        }
    }

    /// The canonical name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What happened, in a few words.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }

    /// Other names that senders use for it.
    #[must_use]
    pub const fn aliases(&self) -> &'static [&'static str] {
        self.aliases
    }

    /// Where it comes from.
    #[must_use]
    pub const fn origin(&self) -> Origin {
        self.origin
    }

    /// JSON Schema: the required contents of a payload.
    #[must_use]
    pub fn schema(&self) -> &str {
        self.schema.text()
    }

    /// JSON Schema: the required contents of a payload sent as `name`, which may be an alias.
    #[must_use]
    pub fn schema_of(&self, name: &str) -> &str {
        self.schema_for(name).text()
    }

    fn schema_for(&self, name: &str) -> &Schema {
        self.of_aliases.get(name).unwrap_or(&self.schema)
    }

    /// JSON Schema: the usual contents of a payload.
    #[must_use]
    pub fn shape(&self) -> Option<&str> {
        self.shape.as_ref().map(|shape| shape.text())
    }

    /// A realistic payload, pretty-printed JSON.
    #[must_use]
    pub const fn example(&self) -> Option<&'static str> {
        self.example
    }

    /// Every violation of the schema by `payload`, sent as `name`.
    #[must_use]
    pub fn check_as(&self, name: &str, payload: &Value) -> Vec<Fault> {
        self.schema_for(name).check(payload, Formats::Ignored)
    }

    /// The additional strict checks for a payload sent as `name`.
    #[must_use]
    pub fn strictness(&self, name: &str) -> Strictness {
        let is_own = self.of_aliases.contains_key(name);
        match &self.shape {
            // Aliases have shapes of their own.
            Some(_) if !is_own && name != self.name => Strictness::Nothing,
            Some(_) if !is_own => Strictness::Shape,
            _ => Strictness::Formats,
        }
    }

    /// Every violation of the additional strict checks by `payload`, sent as `name`.
    #[must_use]
    pub fn check_strictly(&self, name: &str, payload: &Value) -> Vec<Fault> {
        match self.strictness(name) {
            Strictness::Nothing => Vec::new(),
            Strictness::Formats => self.schema_for(name).check(payload, Formats::Enforced),
            Strictness::Shape => self.check_shape(payload),
        }
    }

    /// Every difference between `payload` and the usual shape, formats included.
    #[must_use]
    pub fn check_shape(&self, payload: &Value) -> Vec<Fault> {
        self.shape.as_ref().map(|shape| shape.check(payload, Formats::Enforced)).unwrap_or_default()
    }
}

/// The checks of strict mode beyond the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strictness {
    /// Nothing: an alias has no usual shape.
    Nothing,
    /// `format` in a user schema.
    Formats,
    /// The usual shape of the event, formats included.
    Shape,
}

fn title(schema: &str) -> String {
    let schema: Option<Value> = serde_json::from_str(schema).ok();
    let title = schema.as_ref().and_then(|schema| schema.get("title")).and_then(Value::as_str);
    title.unwrap_or_default().to_owned()
}

/// The example of an event with the given id and time, pretty-printed like the original.
#[must_use]
pub fn fresh_example(event_type: &EventType, id: &str, timestamp: &str) -> Option<Value> {
    let mut payload: Value = serde_json::from_str(event_type.example()?).ok()?;
    let members = payload.as_object_mut()?;
    members.insert("id".to_owned(), Value::String(id.to_owned()));
    members.insert("timestamp".to_owned(), Value::String(timestamp.to_owned()));
    Some(payload)
}
