//! The description of the API, as it is served and as the page shows it.

use std::sync::LazyLock;

use serde_json::Value;

/// Makes a document.
type Make = Box<dyn FnOnce() -> Laid + Send>;

/// A document, and its text.
type Laid = (Value, String);

/// An OpenAPI document. It is made when it is first asked for.
pub struct ApiDocument(LazyLock<Laid, Make>);

impl ApiDocument {
    /// The document that `made` returns.
    #[must_use]
    pub fn new(made: impl FnOnce() -> Value + Send + 'static) -> Self {
        Self(LazyLock::new(Box::new(|| {
            let json = made();
            let text = serde_json::to_string_pretty(&json).unwrap_or_default();
            (json, format!("{text}\n"))
        })))
    }

    /// It as JSON.
    #[must_use]
    pub fn json(&self) -> &Value {
        &self.0.0
    }

    /// Its text, laid out.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0.1
    }
}
