//! The request that a signature belongs to.

use crate::domain::Headers;

/// A request as it arrived.
#[derive(Clone, Copy, Debug)]
pub struct SignedRequest<'a> {
    /// The method; empty where it is not known.
    pub method: &'a str,
    /// Path and query, as on the request line; empty where they are not known.
    pub target: &'a str,
    /// The header lines.
    pub headers: &'a Headers,
    /// The wire body.
    pub body: &'a [u8],
}

impl<'a> SignedRequest<'a> {
    /// A request of which only headers and body are known.
    #[cfg(test)]
    #[must_use]
    pub const fn without_target(headers: &'a Headers, body: &'a [u8]) -> Self {
        Self { method: "", target: "", headers, body }
    }

    /// The URLs that the sender may have called. A proxy may have taken TLS off, and may name the host in a header of its
    /// own. Whoever names another host needs a signature for that one.
    pub(super) fn urls(&self) -> Vec<String> {
        let mut urls: Vec<String> = Vec::new();
        for name in ["Host", "X-Forwarded-Host"] {
            for host in self.headers.get_all(name).filter_map(|host| std::str::from_utf8(host).ok()) {
                let host = host.trim();
                let bare =
                    host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()));
                for host in [Some(host), bare.map(|(bare, _)| bare)].into_iter().flatten() {
                    for scheme in ["https", "http"] {
                        let url = format!("{scheme}://{host}{}", self.target);
                        if !urls.contains(&url) {
                            urls.push(url);
                        }
                    }
                }
            }
        }
        // Without a host there is no URL; an empty one would sign nothing.
        urls
    }

    /// Whether the body is a form.
    pub(super) fn is_form(&self) -> bool {
        self.headers.get("content-type").is_some_and(|value| {
            let essence = value.split(|byte| *byte == b';').next().unwrap_or_default();
            essence.trim_ascii().eq_ignore_ascii_case(b"application/x-www-form-urlencoded")
        })
    }

    /// The names and values of the form, sorted, without separators. A value that is there twice counts once.
    pub(super) fn fields(&self) -> Vec<u8> {
        let mut fields: Vec<(String, String)> =
            form_urlencoded::parse(self.body).map(|(name, value)| (name.into(), value.into())).collect();
        fields.sort();
        fields.dedup();
        fields.iter().map(|(name, value)| format!("{name}{value}")).collect::<String>().into_bytes()
    }

    /// The value of a query parameter.
    pub(super) fn query_value(&self, name: &str) -> Option<String> {
        let query = self.target.split_once('?').map(|(_, query)| query)?;
        let found = form_urlencoded::parse(query.as_bytes()).find(|(known, _)| known == name);
        found.map(|(_, value)| value.into_owned())
    }
}
