//! The address of an entity's page.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Characters that stay as they are in a path segment.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The page of an entity.
pub fn entity_url(source: &str, entity: &str) -> String {
    let segment = |text: &str| utf8_percent_encode(text, SEGMENT).to_string();
    format!("/entities/{}/{}", segment(source), segment(entity))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entity_stands_in_one_segment() {
        assert_eq!(entity_url("s", "a/b?c#d%e é"), "/entities/s/a%2Fb%3Fc%23d%25e%20%C3%A9");
    }
}
