//! A URL for display, without the secrets it contains.

use url::Url;

use crate::domain::is_secret_parameter;

/// The replacement for a secret.
const MASK: &str = "masked";

/// The URL without its password and without the values of query parameters with secret-like names. Text that is not a
/// URL (a subscription's id) stays unchanged.
#[must_use]
pub fn redacted_url(text: &str) -> String {
    let Ok(mut url) = Url::parse(text) else { return text.to_owned() };
    let holds_password = url.password().is_some();
    let query = url.query().map(|query| query.split('&').map(parameter).collect::<Vec<_>>().join("&"));
    if !holds_password && query.as_deref() == url.query() {
        return text.to_owned();
    }
    if holds_password {
        // Cannot fail: the URL already has a password.
        let _ = url.set_password(Some(MASK));
    }
    url.set_query(query.as_deref());
    url.into()
}

fn parameter(text: &str) -> String {
    match text.split_once('=') {
        Some((name, value)) if !value.is_empty() && is_secret_parameter(name) => format!("{name}={MASK}"),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_told_without_what_opens_it() {
        for (text, expected) in [
            (
                "https://u:passw0rd@h.example/x?a=1&token=t0ken&b",
                "https://u:masked@h.example/x?a=1&token=masked&b",
            ),
            ("https://h.example/?api%5Fkey=k", "https://h.example/?api%5Fkey=masked"),
            ("https://h.example/x?y=%201", "https://h.example/x?y=%201"),
            ("https://h.example", "https://h.example"),
            ("receiver", "receiver"),
            ("01a21fcf-796b-755c-806d-310216e04a1e", "01a21fcf-796b-755c-806d-310216e04a1e"),
        ] {
            assert_eq!(redacted_url(text), expected, "{text}");
        }
    }
}
