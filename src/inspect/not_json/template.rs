//! A template of the sender that was not filled in.

use super::look::Look;
use crate::inspect::told::Diagnosis;

/// `{{`, an expression, `}}`; or `{% … %}`.
pub fn unfilled(look: &Look<'_>) -> Option<Diagnosis> {
    let text = look.text;
    let inside = |open: &str, close: &str| {
        let mut starts = text.match_indices(open).map(|(at, _)| at);
        starts.find_map(|at| name_at(text.get(at.saturating_add(2)..)?, close)).map(str::to_owned)
    };
    let shown = inside("{{", "}}")
        .map(|name| format!("{{{{{name}}}}}"))
        .or_else(|| inside("{%", "%}").map(|name| format!("{{% {name} %}}")))?;
    // A bar between blanks is where a step begins.
    let shown = shown.replace(" | ", "|");
    let said = format!("It contains {shown}: the sender's template was not filled in.");
    Some(Diagnosis::of("not-json-template", "The sender's template was not filled in", &said))
}

/// What is before the next `close`, where it begins with a name.
fn name_at<'t>(rest: &'t str, close: &str) -> Option<&'t str> {
    let inside = rest.get(..rest.find(close)?)?;
    let name = inside.trim();
    let is_first =
        |letter: char| letter.is_alphabetic() || matches!(letter, '_' | '$' | '@' | '#' | '/' | '^' | '.');
    let is_inside =
        |letter: char| letter.is_alphanumeric() || "_-.$@#/^ |()'\"[]:,+*~=!<>&?".contains(letter);
    (name.len() <= 80 && name.starts_with(is_first) && name.chars().all(is_inside)).then_some(name)
}
