//! The URL of a replay: it gets the stored query and, if asked for, the stored path.

use url::Url;

use crate::domain::is_secret_parameter;

/// A target whose path has this ending gets the stored path instead of it.
const ANY_PATH: &str = "/*";
/// The start of the stored value of a secret parameter.
const MASKED: &str = "masked-";

/// `target` with the parts of `stored`, a path and query. A parameter of the target takes precedence.
#[must_use]
pub fn address(target: &Url, stored: &str) -> Url {
    let mut url = target.clone();
    let (path, query) = stored.split_once('?').unwrap_or((stored, ""));
    if let Some(base) = target.path().strip_suffix(ANY_PATH) {
        url.set_path(&format!("{base}{path}"));
    }
    let own: Vec<&str> = parameters(target.query().unwrap_or_default()).collect();
    let is_own = |parameter: &&str| own.iter().any(|known| name(known) == name(parameter));
    let added = parameters(query).filter(|parameter| !is_masked(parameter) && !is_own(parameter));
    let query = own.iter().copied().chain(added).collect::<Vec<_>>().join("&");
    url.set_query(Some(query.as_str()).filter(|query| !query.is_empty()));
    url
}

/// The stored parameters that cannot be sent, because their values are not stored.
#[must_use]
pub fn left_out(stored: &str) -> Vec<String> {
    let query = stored.split_once('?').map_or("", |(_, query)| query);
    parameters(query).filter(|parameter| is_masked(parameter)).map(|found| name(found).to_owned()).collect()
}

fn parameters(query: &str) -> impl Iterator<Item = &str> {
    query.split('&').filter(|parameter| !parameter.is_empty())
}

fn name(parameter: &str) -> &str {
    parameter.split_once('=').map_or(parameter, |(name, _)| name)
}

fn is_masked(parameter: &str) -> bool {
    let value = parameter.split_once('=').map_or("", |(_, value)| value);
    is_secret_parameter(name(parameter)) && value.starts_with(MASKED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stored_query_goes_with_it_and_the_path_where_the_target_asks_for_it() {
        for (target, stored, expected) in [
            ("http://h/x", "/webhook-test?event=up", "http://h/x?event=up"),
            ("http://h/x", "/webhook-test", "http://h/x"),
            ("http://h", "/webhook-test?event=up&x=%20%C3%A9&b", "http://h/?event=up&x=%20%C3%A9&b"),
            ("http://h/x?a=1&event=down", "/w?event=up&a&c=3", "http://h/x?a=1&event=down&c=3"),
            ("http://h/x", "/w?", "http://h/x"),
            ("http://h/*", "/webhook/tagorun/deep?event=up", "http://h/webhook/tagorun/deep?event=up"),
            ("http://h/in/*?k=v", "/webhook-test/a%2Fb", "http://h/in/webhook-test/a%2Fb?k=v"),
            ("http://h/x*", "/w", "http://h/x*"),
        ] {
            let url = address(&Url::parse(target).unwrap(), stored);
            assert_eq!(url.as_str(), expected, "{target} {stored}");
        }
    }

    #[test]
    fn masked_values_never_go_and_are_named() {
        let stored = "/w?event=up&token=masked-0123456789abcdef-4711&api%5Fkey=masked-0123456789abcdef&key=";
        let url = address(&Url::parse("http://h/x?token=typed").unwrap(), stored);
        assert_eq!(url.as_str(), "http://h/x?token=typed&event=up&key=");
        assert_eq!(left_out(stored), ["token", "api%5Fkey"]);
        assert_eq!(left_out("/w?event=masked-1"), [""; 0]);
    }
}
