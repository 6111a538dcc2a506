//! One kind of event, with its validators made when first needed.

use std::sync::OnceLock;

use jsonschema::Validator;
use serde_json::Value;

use super::builtin::Builtin;
use super::wording;
use crate::domain::Fault;

/// Where an event type comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The specification.
    Builtin,
    /// A file in `schemas_dir`; it may stand in for the schema of a built-in event.
    User,
}

impl Origin {
    /// The word in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Builtin => "builtin",
            Self::User => "user",
        }
    }
}

/// A kind of event: its schema, its usual shape, an example.
#[derive(Debug)]
pub struct EventType {
    name: String,
    title: String,
    aliases: &'static [&'static str],
    origin: Origin,
    schema: String,
    shape: Option<&'static str>,
    example: Option<&'static str>,
    schema_validator: OnceLock<Option<Validator>>,
    shape_validator: OnceLock<Option<Validator>>,
}

impl EventType {
    pub(super) fn builtin(builtin: &Builtin) -> Self {
        Self {
            name: builtin.name.to_owned(),
            title: builtin.title.to_owned(),
            aliases: builtin.aliases,
            origin: Origin::Builtin,
            schema: builtin.schema.to_owned(),
            shape: Some(builtin.shape),
            example: Some(builtin.example),
            schema_validator: OnceLock::new(),
            shape_validator: OnceLock::new(),
        }
    }

    /// An event type of the user's; the schema's text was checked to compile.
    pub(super) fn user(name: String, title: String, schema: String) -> Self {
        Self {
            name,
            title,
            aliases: &[],
            origin: Origin::User,
            schema,
            shape: None,
            example: None,
            schema_validator: OnceLock::new(),
            shape_validator: OnceLock::new(),
        }
    }

    /// Puts the user's schema in the place of the specification's; the usual shape then says nothing.
    pub(super) fn replace_schema(&mut self, schema: String) {
        self.schema = schema;
        self.shape = None;
        self.origin = Origin::User;
        self.schema_validator = OnceLock::new();
    }

    /// The same event type, to be changed.
    pub(super) fn copy(&self) -> Self {
        Self {
            name: self.name.clone(),
            title: self.title.clone(),
            aliases: self.aliases,
            origin: self.origin,
            schema: self.schema.clone(),
            shape: self.shape,
            example: self.example,
            schema_validator: OnceLock::new(),
            shape_validator: OnceLock::new(),
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

    /// Other names under which it is sent.
    #[must_use]
    pub const fn aliases(&self) -> &'static [&'static str] {
        self.aliases
    }

    /// Where it comes from.
    #[must_use]
    pub const fn origin(&self) -> Origin {
        self.origin
    }

    /// JSON Schema 2020-12: what a payload must have.
    #[must_use]
    pub fn schema(&self) -> &str {
        &self.schema
    }

    /// JSON Schema 2020-12: what a payload usually looks like.
    #[must_use]
    pub const fn shape(&self) -> Option<&'static str> {
        self.shape
    }

    /// A realistic payload, pretty-printed JSON.
    #[must_use]
    pub const fn example(&self) -> Option<&'static str> {
        self.example
    }

    /// Every departure of `payload` from what it must have.
    #[must_use]
    pub fn check(&self, payload: &Value) -> Vec<Fault> {
        let validator = self.schema_validator.get_or_init(|| compile(&self.schema, false).ok());
        validator.as_ref().map(|validator| faults(validator, payload)).unwrap_or_default()
    }

    /// Every departure of `payload` from what it usually looks like, formats included.
    #[must_use]
    pub fn check_shape(&self, payload: &Value) -> Vec<Fault> {
        let validator = self.shape_validator.get_or_init(|| compile(self.shape?, true).ok());
        validator.as_ref().map(|validator| faults(validator, payload)).unwrap_or_default()
    }
}

/// Compiles a schema. Nothing is ever fetched: a reference to another document is an error.
pub(super) fn compile(schema: &str, check_formats: bool) -> Result<Validator, String> {
    let schema: Value = serde_json::from_str(schema).map_err(|fault| format!("not JSON: {fault}"))?;
    jsonschema::options()
        .should_validate_formats(check_formats)
        .build(&schema)
        .map_err(|fault| format!("not a JSON Schema: {fault}"))
}

fn faults(validator: &Validator, payload: &Value) -> Vec<Fault> {
    if validator.is_valid(payload) {
        return Vec::new();
    }
    wording::faults(validator.iter_errors(payload))
}

/// The example of an event with an id and a time of its own, pretty-printed as the example is.
#[must_use]
pub fn fresh_example(event_type: &EventType, id: &str, timestamp: &str) -> Option<Value> {
    let mut payload: Value = serde_json::from_str(event_type.example()?).ok()?;
    let members = payload.as_object_mut()?;
    members.insert("id".to_owned(), Value::String(id.to_owned()));
    members.insert("timestamp".to_owned(), Value::String(timestamp.to_owned()));
    Some(payload)
}
