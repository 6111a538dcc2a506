//! One JSON Schema: its text, and its validators.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use jsonschema::{Retrieve, Uri, ValidationError, Validator};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use super::exact;
use super::reasons;
use super::schema_fault::{FOLDER, SchemaFault};
use super::wording;
use crate::domain::Fault;

/// Characters of a file name that need no escape in a reference.
const PLAIN: AsciiSet = NON_ALPHANUMERIC.remove(b'.').remove(b'-').remove(b'_').remove(b'~');
/// The most faults listed per schema.
const MAX_FAULTS: usize = 20;

/// Whether `format` is enforced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Formats {
    /// It is only an annotation, as in JSON Schema 2020-12.
    Ignored,
    /// It is validated.
    Enforced,
}

/// The documents that a schema may refer to: the other files in its folder. Nothing is ever fetched.
#[derive(Clone, Debug, Default)]
pub struct Neighbours(Arc<HashMap<String, Value>>);

impl Neighbours {
    /// The documents of a folder by file name; each can also be referred to by its `$id`.
    pub fn of<'a>(files: impl Iterator<Item = (&'a str, &'a Value)>) -> Self {
        let mut documents = HashMap::new();
        for (name, schema) in files {
            documents.insert(base_of(name), schema.clone());
            if let Some(id) = schema.get("$id").and_then(Value::as_str) {
                documents.insert(id.trim_end_matches('#').to_owned(), schema.clone());
            }
        }
        Self(Arc::new(documents))
    }
}

impl Retrieve for Neighbours {
    fn retrieve(&self, uri: &Uri<String>) -> Result<Value, Box<dyn std::error::Error + Send + Sync>> {
        self.0.get(uri.as_str()).cloned().ok_or_else(|| "is not in schemas_dir".into())
    }
}

fn base_of(file: &str) -> String {
    format!("{FOLDER}{}", utf8_percent_encode(file, &PLAIN))
}

/// A compiled schema.
#[derive(Debug)]
pub struct Schema {
    text: String,
    file: String,
    neighbours: Neighbours,
    plain: OnceLock<Option<Validator>>,
    with_formats: OnceLock<Option<Validator>>,
}

impl Schema {
    /// A built-in schema; the tests ensure that it is valid.
    pub(super) fn builtin(text: &str) -> Self {
        Self::unchecked("", text.to_owned(), Neighbours::default())
    }

    /// Whether it only allows arrays.
    pub(super) fn is_of_arrays(&self) -> bool {
        document(&self.text).is_ok_and(|schema| schema.get("type").and_then(Value::as_str) == Some("array"))
    }

    /// Reads a user schema from the file with that name.
    ///
    /// # Errors
    /// Every fault of it with its place.
    pub(super) fn read(file: &str, text: String, neighbours: &Neighbours) -> Result<Self, Vec<SchemaFault>> {
        let document = document(&text).map_err(|why| vec![SchemaFault { pointer: String::new(), why }])?;
        let schema = Self::unchecked(file, text, neighbours.clone());
        let mut faults = reasons::of_schema(&document, MAX_FAULTS);
        faults.extend(exact::faults(&schema.text));
        if faults.is_empty() {
            match schema.compile(&document, Formats::Ignored) {
                Ok(validator) => drop(schema.plain.set(Some(validator))),
                Err(fault) => faults.push(reasons::of_build(&document, &fault)),
            }
        }
        if faults.is_empty() { Ok(schema) } else { Err(faults) }
    }

    fn unchecked(file: &str, text: String, neighbours: Neighbours) -> Self {
        let (plain, with_formats) = (OnceLock::new(), OnceLock::new());
        Self { text, file: file.to_owned(), neighbours, plain, with_formats }
    }

    /// The JSON.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Every violation of it by `payload`.
    #[must_use]
    pub fn check(&self, payload: &Value, formats: Formats) -> Vec<Fault> {
        let validator = match formats {
            Formats::Ignored => &self.plain,
            Formats::Enforced => &self.with_formats,
        };
        let make = || self.compile(&document(&self.text).ok()?, formats).ok();
        match validator.get_or_init(make) {
            Some(validator) if !validator.is_valid(payload) => {
                wording::faults(&self.text, validator.iter_errors(payload))
            }
            _ => Vec::new(),
        }
    }

    fn compile(&self, document: &Value, formats: Formats) -> Result<Validator, ValidationError<'static>> {
        jsonschema::options()
            .with_retriever(self.neighbours.clone())
            .with_base_uri(base_of(&self.file))
            .should_validate_formats(formats == Formats::Enforced)
            .build(document)
    }
}

/// Parses the text of a schema.
pub(super) fn document(text: &str) -> Result<Value, String> {
    let document: Value = serde_json::from_str(text).map_err(|fault| format!("is not JSON: {fault}"))?;
    match document {
        Value::Object(_) | Value::Bool(_) => Ok(document),
        _ => Err("a schema must be an object, or true or false".to_owned()),
    }
}
