//! `inspector.public_url`: the inspector's address in browsers, if a proxy makes it different from ours.

use std::fmt;

use url::Url;

/// Where browsers reach the inspector, such as `https://example.com/tagohook/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl(Url);

impl PublicUrl {
    /// The first segments of the inspector's own paths. A public path that starts with one of them would look like a
    /// page.
    pub const OWN: &[&str] = &[
        "api",
        "connect",
        "dead-letters",
        "deliveries",
        "diff",
        "docs",
        "drift",
        "entities",
        "event-types",
        "health",
        "login",
        "logout",
        "messages",
        "metrics",
        "overview",
        "refusals",
        "replays",
        "searches",
        "send-test",
        "sources",
        "static",
        "subscriptions",
        "tokens",
        "what-if",
    ];

    /// Reads it; the error says what is allowed.
    ///
    /// # Errors
    /// When it is not an http or https URL, or has one of our own paths; when it has a query, a fragment or a user.
    pub fn parse(text: &str) -> Result<Self, String> {
        let url = Url::parse(text.trim()).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        let Some(mut url) = url.filter(Url::has_host) else {
            return Err(format!(
                "{text:?} is not a URL of a web page; expected e.g. \"https://example.com/tagohook/\""
            ));
        };
        let has_user = !url.username().is_empty() || url.password().is_some();
        if has_user || url.query().is_some() || url.fragment().is_some() {
            return Err("must be a URL without user, query and fragment".to_owned());
        }
        let path = url.path().trim_end_matches('/').to_owned();
        if path.contains("//") {
            return Err(format!("the path {path:?} has an empty segment"));
        }
        let first = path.split('/').nth(1).unwrap_or_default();
        if Self::OWN.contains(&first) {
            return Err(format!("the path /{first} is one of the inspector's own; choose another"));
        }
        url.set_path(&path);
        Ok(Self(url))
    }

    /// The `Origin` header of browsers: `https://example.com`, with a port only if it is not the default.
    #[must_use]
    pub fn origin(&self) -> String {
        self.0.origin().ascii_serialization()
    }

    /// The host name.
    #[must_use]
    pub fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }

    /// The path before our own paths, without a trailing slash: `/tagohook`, or empty.
    #[must_use]
    pub fn path(&self) -> &str {
        self.0.path().trim_end_matches('/')
    }

    /// Whether browsers reach it over TLS.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.0.scheme() == "https"
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}{}/", self.origin(), self.path())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_url_is_an_origin_and_a_path() {
        for (text, origin, path, shown) in [
            ("https://Hooks.Example", "https://hooks.example", "", "https://hooks.example/"),
            ("https://hooks.example:443/", "https://hooks.example", "", "https://hooks.example/"),
            ("http://h:8443/a/b//", "http://h:8443", "/a/b", "http://h:8443/a/b/"),
            (" https://[::1]:9/t%20o ", "https://[::1]:9", "/t%20o", "https://[::1]:9/t%20o/"),
            ("https://h/tagohook", "https://h", "/tagohook", "https://h/tagohook/"),
            ("https://h/hooks/api/", "https://h", "/hooks/api", "https://h/hooks/api/"),
        ] {
            let url = PublicUrl::parse(text).unwrap();
            assert_eq!((url.origin().as_str(), url.path(), url.to_string().as_str()), (origin, path, shown));
        }
        assert!(PublicUrl::parse("https://h").unwrap().is_https());
        assert!(!PublicUrl::parse("http://h").unwrap().is_https());
    }

    #[test]
    fn what_no_browser_could_be_sent_to_is_refused() {
        for wrong in [
            "",
            "hooks.example",
            "/tagohook",
            "ftp://h/",
            "https://",
            "https://h/?a=1",
            "https://h/#a",
            "https://u:p@h/",
            "https://h/a//b",
            "https://h/static/",
            "https://h/api/v1",
            "https://h/deliveries",
        ] {
            assert!(PublicUrl::parse(wrong).is_err(), "{wrong}");
        }
        let own = PublicUrl::parse("https://h/static").unwrap_err();
        assert_eq!(own, "the path /static is one of the inspector's own; choose another");
    }
}
