//! What is wrong with a JSON Schema of the user's, and where.

/// Where the files of `schemas_dir` are, for references between them.
pub const FOLDER: &str = "schemas:///";

/// What is wrong with a schema, and where in it.
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

/// The file of `schemas_dir` that a reference leads to; `None` where it leads elsewhere.
pub fn file_of(uri: &str) -> Option<&str> {
    uri.strip_prefix(FOLDER)
}
