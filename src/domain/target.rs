//! The target of a request: the part of the URL that the sender controls.

use percent_encoding::percent_decode_str;

/// Path and query as on the request line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target<'t>(&'t str);

impl<'t> Target<'t> {
    /// The target of a request line.
    #[must_use]
    pub const fn new(target: &'t str) -> Self {
        Self(target)
    }

    /// The percent-decoded path below the source: `up` in `/webhook/NAME/up`; may be empty. Repeated and trailing
    /// slashes are treated as in the route.
    #[must_use]
    pub fn below_source(self) -> String {
        let path = self.0.split_once('?').map_or(self.0, |(path, _)| path);
        let below: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).skip(2).collect();
        percent_decode_str(&below.join("/")).decode_utf8_lossy().into_owned()
    }

    /// The first value of a query parameter.
    #[must_use]
    pub fn query_value(self, name: &str) -> Option<String> {
        let (_, query) = self.0.split_once('?')?;
        let found = form_urlencoded::parse(query.as_bytes()).find(|(known, _)| known == name);
        found.map(|(_, value)| value.into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_below_the_source_is_read_as_the_route_reads_it() {
        for (target, below) in [
            ("/webhook/tts/up", "up"),
            ("/webhook/tts/up/", "up"),
            ("//webhook//tts//up", "up"),
            ("/webhook/tts/uplink/message?event=x", "uplink/message"),
            ("/webhook/tts/caf%C3%A9", "café"),
            ("/webhook/tts", ""),
            ("/webhook/tts/?a=/b", ""),
            ("/webhook", ""),
        ] {
            assert_eq!(Target::new(target).below_source(), below, "{target}");
        }
    }

    #[test]
    fn a_parameter_is_decoded_and_the_first_one_counts() {
        let target = Target::new("/webhook/x?a=1&event=up&event=down&n=a+b%2Fc&empty");
        assert_eq!(target.query_value("event").as_deref(), Some("up"));
        assert_eq!(target.query_value("n").as_deref(), Some("a b/c"));
        assert_eq!(target.query_value("empty").as_deref(), Some(""));
        assert_eq!(target.query_value("x"), None);
        assert_eq!(Target::new("/webhook/x").query_value("a"), None);
    }
}
