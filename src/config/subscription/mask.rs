//! How a secret is shown.

use crate::domain::Secret;

/// What stands for a secret.
pub const DOTS: &str = "••••";
/// A secret shorter than this shows no tail.
const TAIL_FROM: usize = 16;
/// How many characters of its end a secret shows.
const TAIL: usize = 4;

/// Whether a secret is named, not written out.
pub fn is_reference(secret: &Secret) -> bool {
    secret.name().starts_with("file:") || secret.name().starts_with("env:")
}

/// A secret as it is shown: a reference in clear, else dots and perhaps its end.
pub fn mask(secret: &Secret) -> String {
    if is_reference(secret) {
        return secret.name().to_owned();
    }
    masked(&String::from_utf8_lossy(secret.expose()))
}

/// The value of a credential header as it is shown: its scheme stays readable.
pub fn mask_header(secret: &Secret) -> String {
    let text = String::from_utf8_lossy(secret.expose());
    match text.split_once(' ') {
        Some((scheme, rest)) if !is_reference(secret) => match scheme.to_ascii_lowercase().as_str() {
            "bearer" => format!("{scheme} {}", masked(rest.trim())),
            // The end of a Basic credential would be the end of a password.
            "basic" => format!("{scheme} {DOTS}"),
            _ => mask(secret),
        },
        _ => mask(secret),
    }
}

fn masked(text: &str) -> String {
    let letters = text.chars().count();
    let tail: String = text.chars().skip(letters.saturating_sub(TAIL)).collect();
    let is_shown = letters >= TAIL_FROM && tail.chars().all(|letter| letter.is_ascii_alphanumeric());
    if is_shown { format!("{DOTS}{tail}") } else { DOTS.to_owned() }
}
