//! Suggestions for the search box.

use super::fields::{FIELDS, Field, named};
use crate::domain::{Reason, Verdict};

/// The most that are offered.
const MOST: usize = 10;

/// The part of a search that is being typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Typing {
    /// The start of what is typed, in characters from the start of the search.
    pub from: usize,
    /// The place after its last character.
    pub to: usize,
    /// The field whose value it is; `None`: it may become a field's name.
    pub field: Option<&'static str>,
    /// The text so far.
    pub text: String,
}

/// Something that may be typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suggestion {
    /// The text that replaces what is typed.
    pub text: String,
    /// Its meaning.
    pub about: String,
}

impl Typing {
    /// What is typed in `search` where the caret is, after `at` characters.
    #[must_use]
    pub fn at(search: &str, at: usize) -> Self {
        let letters: Vec<char> = search.chars().collect();
        let at = at.min(letters.len());
        let mut from = 0_usize;
        let mut is_quoted = false;
        for (place, letter) in letters.iter().enumerate().take(at) {
            match letter {
                '"' => is_quoted = !is_quoted,
                _ if is_quoted => {}
                '(' => from = place.saturating_add(1),
                '-' if place == from => from = place.saturating_add(1),
                letter if letter.is_whitespace() => from = place.saturating_add(1),
                _ => {}
            }
        }
        let ends =
            |letter: &char| if is_quoted { *letter == '"' } else { letter.is_whitespace() || *letter == ')' };
        let rest = letters.iter().skip(at);
        let mut to = at.saturating_add(rest.clone().take_while(|letter| !ends(letter)).count());
        if is_quoted && letters.get(to) == Some(&'"') {
            to = to.saturating_add(1);
        }
        let text: String = letters.iter().skip(from).take(at.saturating_sub(from)).collect();
        let Some((name, value)) = text.split_once(':') else { return Self { from, to, field: None, text } };
        let Some(field) = named(name).and_then(|field| field.names.first().copied()) else {
            return Self { from, to, field: None, text };
        };
        // Of a list, the last one.
        let (before, value) = match value.rsplit_once(',') {
            Some((before, value)) if !value.contains('"') => {
                (before.chars().count().saturating_add(1), value)
            }
            _ => (0, value),
        };
        let start = from.saturating_add(name.chars().count()).saturating_add(1).saturating_add(before);
        Self { from: start, to, field: Some(field), text: value.trim_matches('"').to_owned() }
    }

    /// What may be typed here; `values` are those of the field that only history knows.
    #[must_use]
    pub fn suggestions(&self, values: &[Suggestion]) -> Vec<Suggestion> {
        match self.field {
            None => fields(&self.text),
            Some(field) => {
                let fixed = fixed(field)
                    .into_iter()
                    .map(|(text, about)| Suggestion { text: text.to_owned(), about: about.to_owned() });
                nearest_first(fixed.chain(values.iter().cloned()), &self.text)
            }
        }
    }
}

fn fields(typed: &str) -> Vec<Suggestion> {
    let suggestion = |field: &Field| Suggestion {
        text: format!("{}:", field.names.first().copied().unwrap_or_default()),
        about: field.about.to_owned(),
    };
    let mut found: Vec<Suggestion> = FIELDS
        .iter()
        .filter(|field| field.names.iter().any(|name| name.starts_with(typed)))
        .map(suggestion)
        .collect();
    if "header.".starts_with(typed) {
        found.push(Suggestion {
            text: "header.".to_owned(),
            about: "text in a header: header.NAME:text".to_owned(),
        });
    }
    found.truncate(MOST);
    found
}

/// Those that begin with what is typed, then those that contain it, in any case.
fn nearest_first(all: impl Iterator<Item = Suggestion>, typed: &str) -> Vec<Suggestion> {
    let typed = typed.to_lowercase();
    let rank = |one: &Suggestion| {
        let text = one.text.trim_matches('"').to_lowercase();
        match (text.starts_with(&typed), text.contains(&typed) || one.about.to_lowercase().contains(&typed)) {
            (true, _) => Some(0),
            (_, true) => Some(1),
            _ => None,
        }
    };
    let mut ranked: Vec<(u8, Suggestion)> = all.filter_map(|one| Some((rank(&one)?, one))).collect();
    ranked.sort_by_key(|(rank, _)| *rank);
    ranked.into_iter().map(|(_, one)| one).take(MOST).collect()
}

/// The values that a field takes whatever was received.
fn fixed(field: &str) -> Vec<(&'static str, &'static str)> {
    match field {
        "verdict" => {
            Verdict::ALL.iter().map(|verdict| (verdict.as_str(), verdict_in_words(*verdict))).collect()
        }
        "reason" => Reason::ALL.iter().map(|reason| (reason.as_str(), reason.headline())).collect(),
        "pinned" => vec![("true", ""), ("false", "")],
        "method" => ["POST", "PUT", "PATCH", "GET", "DELETE"].map(|method| (method, "")).to_vec(),
        "status" => vec![
            ("2xx", "accepted, duplicate or captured"),
            ("4xx", "refused"),
            ("5xx", "not stored"),
            ("401", "credentials or signature"),
            (">=400", "everything but success"),
        ],
        "after" | "before" => vec![
            ("-15m", "15 minutes ago"),
            ("-1h", "an hour ago"),
            ("-24h", "a day ago"),
            ("-7d", "a week ago"),
        ],
        "size" => vec![(">10KB", "larger than 10 KB"), ("0", "no body")],
        "took" => vec![(">100ms", "slower than 100 ms"), (">1s", "slower than a second")],
        _ => Vec::new(),
    }
}

const fn verdict_in_words(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Accepted => "every check passed",
        Verdict::Duplicate => "the same event again",
        Verdict::Rejected => "refused by a check",
        Verdict::Captured => "sent to the test URL",
        Verdict::Handshake => "a platform's question",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(search: &str) -> Vec<String> {
        let typing = Typing::at(search, search.chars().count());
        typing.suggestions(&[]).into_iter().map(|one| one.text).collect()
    }

    #[test]
    fn fields_then_their_values_are_offered() {
        assert_eq!(texts("ver"), ["verdict:"]);
        assert_eq!(texts("coffee (so"), ["source:"]);
        assert_eq!(texts("-verdict:re"), ["rejected", "captured"], "those that begin so come first");
        assert_eq!(texts("verdict:refu"), ["rejected"], "another word for it leads to it");
        assert_eq!(texts("use"), ["user:"]);
        assert_eq!(texts("verdict:accepted,du"), ["duplicate"]);
        assert_eq!(texts("event_t"), ["type:"], "another name leads to the first one");
        assert!(texts("reason:mis").contains(&"signature_mismatch".to_owned()));
        assert!(texts("header").contains(&"header.".to_owned()));
        assert_eq!(texts(""), texts("a ").as_slice());
        assert!(texts("zzz").is_empty() && texts("\"ver").is_empty());
    }

    #[test]
    fn what_is_typed_is_found_where_the_caret_is() {
        let typing = |search: &str, at: usize| Typing::at(search, at);
        let middle = typing("é verdict:rej type:x", 12);
        assert_eq!(
            (middle.from, middle.to, middle.field, middle.text.as_str()),
            (10, 13, Some("verdict"), "re")
        );
        let device = typing("device:\"Tank l\" b", 14);
        assert_eq!((device.from, device.to, device.text.as_str()), (7, 15, "Tank l"));
        let list = typing("reason:stale,not", 16);
        assert_eq!((list.from, list.to, list.text.as_str()), (13, 16, "not"));
        let url = typing("http://x", 8);
        assert_eq!((url.field, url.from), (None, 0));
        assert_eq!(typing("abc", 99).to, 3);
    }
}
