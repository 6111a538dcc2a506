//! A template of the sender that was not filled in.

use super::look::Look;
use crate::inspect::told::Diagnosis;

/// `{{`, a name, `}}`.
pub fn unfilled(look: &Look<'_>) -> Option<Diagnosis> {
    let text = look.text;
    let starts = text.match_indices("{{").map(|(at, _)| at);
    let name = starts.filter_map(|at| name_at(text.get(at.saturating_add(2)..)?)).next()?;
    let said = format!("It contains {{{{{name}}}}}: the sender's template was not filled in.");
    Some(Diagnosis::of("not-json-template", "The sender's template was not filled in", &said))
}

/// The name before the next `}}`, where it is one.
fn name_at(rest: &str) -> Option<&str> {
    let inside = rest.get(..rest.find("}}")?)?;
    let name = inside.trim();
    let is_first =
        |letter: char| letter.is_alphabetic() || matches!(letter, '_' | '$' | '@' | '#' | '/' | '^' | '.');
    let is_inside = |letter: char| letter.is_alphanumeric() || "_-.$@#/^ |()'[]:".contains(letter);
    (name.len() <= 80 && name.starts_with(is_first) && name.chars().all(is_inside)).then_some(name)
}
