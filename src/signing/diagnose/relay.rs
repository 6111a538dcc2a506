//! Relays that serialise the JSON again on its way, recognised by their headers.

use crate::domain::Headers;

/// A relay: its name, and headers with the start of their values; a `#` stands for thirteen digits.
const RELAYS: &[(&str, &[(&str, &str)])] =
    &[("smee", &[("timestamp", "#"), ("accept-language", "*"), ("sec-fetch-mode", "cors")])];

/// Advice about the relay that the request came through; `None` if there is no sign of one.
pub fn relay(headers: &Headers) -> Option<String> {
    let is = |(name, value): &(&str, &str)| {
        headers.get(name).is_some_and(|found| match *value {
            "#" => found.len() == 13 && found.iter().all(u8::is_ascii_digit),
            value => found.starts_with(value.as_bytes()),
        })
    };
    let (name, _) = RELAYS.iter().find(|(_, marks)| marks.iter().all(is))?;
    Some(format!(
        "The request has the headers of {name}, a relay that parses the JSON and writes it again. The signature of \
         the original bytes rarely survives that. | Use a tunnel that forwards bytes, or send to this source directly."
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn smee_is_told_by_all_its_headers_together() {
        let marks = [("timestamp", "1795874206123"), ("accept-language", "*"), ("sec-fetch-mode", "cors")];
        let headers = |marks: &[(&str, &str)]| {
            let mut headers = Headers::default();
            marks.iter().for_each(|(name, value)| headers.push(*name, value.as_bytes()));
            headers
        };
        assert!(relay(&headers(&marks)).unwrap().contains("smee"));
        // Node's own fetch also sends the last two.
        assert_eq!(relay(&headers(&marks[1..])), None);
        assert_eq!(relay(&headers(&[("timestamp", "1795874206"), marks[1], marks[2]])), None);
    }
}
