//! The parameters of a list as words of the search box.

use super::parse::parse;
use super::words::term;
use crate::domain::Query;

/// A list's parameters as one search. Ids of selected deliveries are not part of it.
#[must_use]
pub fn from_parameters(parameters: &str) -> String {
    let pairs = form_urlencoded::parse(parameters.as_bytes()).into_owned();
    let pairs: Vec<(String, String)> =
        pairs.filter(|(name, value)| name != "ids" && !value.is_empty()).collect();
    let is_alone = pairs.len() == 1;
    let word = |(name, value): &(String, String)| match name.as_str() {
        // Alternatives need brackets next to other conditions.
        "q" if !is_alone && matches!(parse(value), Ok(Query::Any(_))) => format!("({value})"),
        "q" => value.clone(),
        "to" => term("before", value),
        name => term(name, value),
    };
    pairs.iter().map(word).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_a_search_that_finds_the_same() {
        for (parameters, expected) in [
            ("", ""),
            ("q=a+OR+b", "a OR b"),
            ("q=a+OR+b&verdict=rejected", "(a OR b) verdict:rejected"),
            ("q=a+b&source=x+y&ids=1,2&reason=", "a b source:\"x y\""),
            (
                "from=2026-03-09T07:00:00Z&to=2026-03-09T08:00:00Z",
                "from:2026-03-09T07:00:00Z before:2026-03-09T08:00:00Z",
            ),
            ("client_ip=203.0.113.0/24&event_type=a", "client_ip:203.0.113.0/24 event_type:a"),
        ] {
            let made = from_parameters(parameters);
            assert_eq!(made, expected, "{parameters}");
            assert!(parse(&made).is_ok(), "{made}");
        }
    }
}
