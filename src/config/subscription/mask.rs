//! How secrets are displayed.

use crate::domain::Secret;

/// The replacement for a secret.
pub const DOTS: &str = "••••";
/// A secret shorter than this shows no tail.
const TAIL_FROM: usize = 16;
/// The number of characters shown at the end of a secret.
const TAIL: usize = 4;

/// Whether a secret is a reference, not a literal.
pub fn is_reference(secret: &Secret) -> bool {
    secret.name().starts_with("file:") || secret.name().starts_with("env:")
}

/// The displayed form of a secret: a reference in clear, else dots and possibly its end.
pub fn mask(secret: &Secret) -> String {
    if is_reference(secret) {
        return secret.name().to_owned();
    }
    masked(&String::from_utf8_lossy(secret.expose()))
}

/// The text of a credential that is a template; `None` if it is not a template. A secret from `file:` or `env:` is
/// never a template: it may contain any text.
#[must_use]
pub fn template_of(secret: &Secret) -> Option<&str> {
    let text = std::str::from_utf8(secret.expose()).ok()?;
    (!is_reference(secret) && text.contains("{{")).then_some(text)
}

/// The displayed form of a template: its paths in clear. The text around them is masked, and so are expressions with
/// string literals.
fn masked_template(text: &str) -> String {
    let mut shown = String::new();
    let mut rest = text;
    while let Some((before, (inside, after))) =
        rest.split_once("{{").and_then(|(before, after)| Some((before, after.split_once("}}")?)))
    {
        shown.push_str(if before.trim().is_empty() { before } else { DOTS });
        if inside.contains(['"', '\'']) {
            shown.push_str(DOTS);
        } else {
            shown.push_str(&format!("{{{{{inside}}}}}"));
        }
        rest = after;
    }
    shown.push_str(if rest.trim().is_empty() { rest } else { DOTS });
    shown
}

/// The displayed value of a credential header: its scheme stays readable.
#[must_use]
pub fn mask_header(secret: &Secret) -> String {
    if let Some(text) = template_of(secret) {
        let is_scheme = |word: &str| ["bearer", "basic"].iter().any(|known| word.eq_ignore_ascii_case(known));
        return match text.split_once(' ').filter(|(word, _)| is_scheme(word)) {
            Some((scheme, rest)) => format!("{scheme} {}", masked_template(rest)),
            None => masked_template(text),
        };
    }
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
    tail(text).map_or_else(|| DOTS.to_owned(), |tail| format!("{DOTS}{tail}"))
}

/// How a secret ends, as `••••a7f2`, so that people can tell it from another one; `None` where even that would say too
/// much.
#[must_use]
pub fn secret_end(secret: &Secret) -> Option<String> {
    let text = std::str::from_utf8(secret.expose()).ok()?;
    tail(text).map(|tail| format!("{DOTS}{tail}"))
}

fn tail(text: &str) -> Option<String> {
    let letters = text.chars().count();
    let tail: String = text.chars().skip(letters.saturating_sub(TAIL)).collect();
    let is_shown = letters >= TAIL_FROM && tail.chars().all(|letter| letter.is_ascii_alphanumeric());
    is_shown.then_some(tail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_shows_its_paths_and_none_of_the_text_around_them() {
        for (text, shown) in [
            ("Bearer {{data.room}}", "Bearer {{data.room}}"),
            ("Bearer key-4711-{{data.room}}", "Bearer ••••{{data.room}}"),
            ("{{a}}s3cret{{b}}x", "{{a}}••••{{b}}••••"),
            ("{{'s3cret' + data.room}}", "••••"),
            ("s3cret {{", "••••"),
        ] {
            assert_eq!(mask_header(&Secret::new("sealed", text.as_bytes())), shown, "{text}");
        }
        let named = Secret::new("file:a", b"{{as it is}}".as_slice());
        assert_eq!((mask_header(&named).as_str(), template_of(&named)), ("file:a", None));
    }
}
