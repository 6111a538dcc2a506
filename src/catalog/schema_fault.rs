//! A fault in a user's JSON Schema, and its place.

/// The base URI of the files in `schemas_dir`, for references between them.
pub const FOLDER: &str = "schemas:///";

/// A fault in a schema, and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaFault {
    /// JSON pointer into the schema.
    pub pointer: String,
    /// What is wrong there.
    pub why: String,
}

impl std::fmt::Display for SchemaFault {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.pointer.as_str() {
            "" => out.write_str(&self.why),
            pointer => write!(out, "{pointer}: {}", self.why),
        }
    }
}

/// The file in `schemas_dir` that a reference points to; `None` if it points elsewhere.
pub fn file_of(uri: &str) -> Option<&str> {
    uri.strip_prefix(FOLDER)
}
