//! What the address of the list asks for, and the addresses that ask a little else.

use crate::inspect::search::{from_parameters, within};

/// The parameters that the form has behind "Filters".
const BEHIND: [&str; 11] = [
    "verdict",
    "reason",
    "source",
    "event_type",
    "event_id",
    "entity",
    "method",
    "status",
    "client_ip",
    "from",
    "to",
];
/// The quick ranges: their words, and what the search says for them.
const RANGES: [(&str, &str); 5] =
    [("15 m", "after:-15m"), ("1 h", "after:-1h"), ("24 h", "after:-24h"), ("7 d", "after:-7d"), ("All", "")];

/// The parameters as they were typed; empty ones are left out.
pub struct Fields(Vec<(String, String)>);

/// A quick range.
pub struct RangeView {
    /// Its words.
    pub words: &'static str,
    /// The list of it.
    pub url: String,
    /// Whether it is the one that is shown.
    pub is_here: bool,
}

impl Fields {
    /// The parameters of a query.
    pub fn read(query: &str) -> Self {
        let all = form_urlencoded::parse(query.as_bytes()).into_owned();
        Self(all.filter(|(_, value)| !value.is_empty()).collect())
    }

    /// Where the same is found without empty parameters, if `query` has such.
    pub fn shorter(&self, query: &str) -> Option<String> {
        let has_empty = form_urlencoded::parse(query.as_bytes()).any(|(_, value)| value.is_empty());
        has_empty.then(|| address(&self.all()))
    }

    /// The value of a parameter; empty where it has none.
    pub fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str()).unwrap_or_default()
    }

    /// Whether `value` is the parameter's.
    pub fn is(&self, name: &str, value: &str) -> bool {
        self.get(name) == value
    }

    /// How many filters are set besides the search box.
    pub fn filters(&self) -> usize {
        BEHIND.iter().filter(|name| !self.get(name).is_empty()).count()
    }

    /// Where what they find is replayed.
    pub fn replays_url(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("q", &from_parameters(&self.query(None)));
        query.extend_pairs(Some(self.get("ids")).filter(|ids| !ids.is_empty()).map(|ids| ("ids", ids)));
        format!("/replays?{}", query.finish())
    }

    /// All but `before`, as a query that `last` ends.
    pub fn query(&self, last: Option<(&str, &str)>) -> String {
        let fields = self.0.iter().filter(|(name, _)| name != "before");
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(fields).extend_pairs(last);
        query.finish()
    }

    fn all(&self) -> String {
        form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.0).finish()
    }

    /// The list of the same, searched by `q`.
    pub fn searched(&self, q: &str) -> String {
        self.with(q, &["q", "before"])
    }

    /// The list of the same within other bounds of time.
    pub fn within(&self, bounds: &str) -> String {
        self.with(&within(self.get("q"), bounds), &["q", "before", "from", "to"])
    }

    fn with(&self, q: &str, instead_of: &[&str]) -> String {
        let others = self.0.iter().filter(|(name, _)| !instead_of.contains(&name.as_str()));
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(Some(q).filter(|q| !q.is_empty()).map(|q| ("q", q))).extend_pairs(others);
        address(&query.finish())
    }

    /// The quick ranges.
    pub fn ranges(&self) -> Vec<RangeView> {
        let has_times = ["from", "to"].iter().any(|name| !self.get(name).is_empty());
        RANGES
            .iter()
            .map(|(words, bounds)| RangeView {
                words,
                url: self.within(bounds),
                is_here: !has_times && within(self.get("q"), bounds) == self.get("q").trim(),
            })
            .collect()
    }
}

fn address(query: &str) -> String {
    if query.is_empty() { "/".to_owned() } else { format!("/?{query}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_only_what_was_typed() {
        let query = "q=coffee&verdict=&reason=&source=a";
        let fields = Fields::read(query);
        assert_eq!(fields.shorter(query).as_deref(), Some("/?q=coffee&source=a"));
        assert_eq!(fields.shorter("q=coffee&source=a"), None);
        assert_eq!(Fields::read("q=").shorter("q=").as_deref(), Some("/"));
        assert_eq!((fields.filters(), fields.get("verdict")), (1, ""));
    }

    #[test]
    fn ranges_keep_the_rest_of_the_search_and_say_which_is_shown() {
        let fields = Fields::read("q=coffee+after%3A-1h&source=a&before=9");
        let ranges = fields.ranges();
        let here: Vec<&str> = ranges.iter().filter(|range| range.is_here).map(|range| range.words).collect();
        assert_eq!(here, ["1 h"]);
        assert_eq!(ranges[2].url, "/?q=coffee+after%3A-24h&source=a");
        assert_eq!(ranges[4].url, "/?q=coffee&source=a");
        let all = Fields::read("");
        assert!(all.ranges()[4].is_here);
        assert_eq!(all.ranges()[4].url, "/");
        let times = Fields::read("from=2026-03-09T07:00:00Z");
        assert!(times.ranges().iter().all(|range| !range.is_here));
        assert_eq!(times.ranges()[4].url, "/");
    }
}
