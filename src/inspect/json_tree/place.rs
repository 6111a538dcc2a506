//! The place of a value, in other notations.

use crate::domain::json::{Path, pointer};

/// The longest pointer that is shown, in bytes: a key may be as long as a body.
pub const MAX_POINTER: usize = 1_000;
/// Members whose values are masked until they are asked for.
const SECRETS: [&str; 2] = ["password", "secret"];

/// Whether a member of that name is a secret.
pub fn names_secret(name: &str) -> bool {
    SECRETS.iter().any(|secret| name.eq_ignore_ascii_case(secret))
}

/// Whether there may be such a member in this text.
pub fn names_secret_within(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    SECRETS.iter().any(|secret| text.contains(secret))
}

/// The longest text that describes a place.
pub fn start_of(text: &str) -> String {
    text.get(..text.floor_char_boundary(MAX_POINTER)).unwrap_or_default().to_owned()
}

/// The path of a pointer as templates and filters have it; `None` if they cannot name it, or nobody would.
pub fn path_of(pointer: &str) -> Option<String> {
    if pointer.len() > MAX_POINTER {
        return None;
    }
    let steps = pointer::names(pointer).map(|name| name.replace('\\', "\\\\").replace('.', "\\."));
    let path = steps.collect::<Vec<_>>().join(".");
    Path::read(&path).map(|_| path)
}
