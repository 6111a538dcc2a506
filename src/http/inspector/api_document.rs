//! The description of the API, as it is served and as the page shows it.

use serde_json::Value;

/// An OpenAPI document.
#[derive(Debug)]
pub struct ApiDocument {
    json: Value,
    text: String,
}

impl ApiDocument {
    /// A document.
    #[must_use]
    pub fn new(json: Value) -> Self {
        let text = serde_json::to_string_pretty(&json).unwrap_or_default();
        Self { json, text: format!("{text}\n") }
    }

    /// It as JSON.
    #[must_use]
    pub fn json(&self) -> &Value {
        &self.json
    }

    /// Its text, laid out.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}
