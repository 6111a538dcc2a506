//! The sender's proxy: from the configuration, or else from the usual environment variables.

use std::fmt;

use url::Url;

/// Disables the proxy, whatever the environment says.
const NONE: &str = "none";

/// The proxy for outgoing requests, by the scheme of the target.
#[derive(Clone, Debug, Default)]
pub struct ForwardProxy {
    /// For http targets.
    pub http: Option<ProxyUrl>,
    /// For https targets.
    pub https: Option<ProxyUrl>,
    /// Hosts, domains, addresses and CIDRs that are reached directly.
    pub no_proxy: Vec<String>,
    /// Whether the proxy resolves names that do not resolve here.
    pub resolves: bool,
}

/// A proxy's URL. It prints without its user name and password.
#[derive(Clone, PartialEq, Eq)]
pub struct ProxyUrl(Url);

impl ProxyUrl {
    /// Reads `http://proxy:3128`; the scheme may be omitted.
    ///
    /// # Errors
    /// When it is not a proxy address; the message repeats none of it.
    pub fn read(text: &str) -> Result<Self, String> {
        let expected = "the address of a proxy, as \"http://proxy.example.com:3128\"";
        let text = text.trim();
        let full = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
        let url = Url::parse(&full).map_err(|_| expected.to_owned())?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(format!("{}: is not spoken with a proxy; {expected}", url.scheme()));
        }
        if url.host_str().is_none_or(str::is_empty) || !matches!(url.path(), "" | "/") {
            return Err(expected.to_owned());
        }
        Ok(Self(url))
    }

    /// The URL, including any credential.
    #[must_use]
    pub const fn expose(&self) -> &Url {
        &self.0
    }

    fn has_password(&self) -> bool {
        self.0.password().is_some()
    }
}

/// Host and port, which may be logged.
impl fmt::Display for ProxyUrl {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = self.0.host_str().unwrap_or_default();
        write!(out, "{}://{host}:{}", self.0.scheme(), self.0.port_or_known_default().unwrap_or_default())
    }
}

impl fmt::Debug for ProxyUrl {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

/// The proxy settings in `[sender]`.
pub struct Wish {
    /// `proxy`: an address, a reference to a secret with an address, `none`, or empty.
    pub proxy: String,
    /// Whether it is set in a file.
    pub is_in_file: bool,
    /// `no_proxy`
    pub no_proxy: Vec<String>,
    /// `proxy_resolves`
    pub resolves: bool,
}

impl ForwardProxy {
    /// The proxy that `wish` asks for. If `proxy` is empty, the environment decides; `notices` reports variables that
    /// cannot be used.
    ///
    /// # Errors
    /// When `proxy` is invalid; the message repeats no credential.
    pub fn read(
        wish: Wish,
        env: &[(String, String)],
        resolve: impl FnOnce(&str) -> Result<crate::domain::Secret, String>,
        notices: &mut Vec<String>,
    ) -> Result<Self, String> {
        let Wish { proxy, is_in_file, mut no_proxy, resolves } = wish;
        let is_reference = proxy.starts_with("file:") || proxy.starts_with("env:");
        let given = match proxy.trim() {
            "" => {
                no_proxy.extend(variable(env, "no_proxy").map(|(_, value)| split(value)).unwrap_or_default());
                let http = from_env(env, "http_proxy", notices);
                let https = from_env(env, "https_proxy", notices);
                return Ok(Self { http, https, no_proxy, resolves });
            }
            NONE => return Ok(Self { no_proxy, resolves, ..Self::default() }),
            _ if is_reference => {
                let secret = resolve(&proxy)?;
                ProxyUrl::read(&String::from_utf8_lossy(secret.expose()))?
            }
            text => ProxyUrl::read(text)?,
        };
        if given.has_password() && is_in_file && !is_reference {
            return Err(
                "contains a password; put the whole address into \"file:NAME\" or \"env:NAME\"".to_owned()
            );
        }
        Ok(Self { http: Some(given.clone()), https: Some(given), no_proxy, resolves })
    }

    /// Whether anything goes through a proxy.
    #[must_use]
    pub const fn is_used(&self) -> bool {
        self.http.is_some() || self.https.is_some()
    }
}

/// The variable in lower case, or else in upper case, if it is not empty.
fn variable<'e>(env: &'e [(String, String)], name: &str) -> Option<(&'e str, &'e str)> {
    [name.to_owned(), name.to_ascii_uppercase()].into_iter().find_map(|name| {
        let (name, value) = env.iter().find(|(known, value)| *known == name && !value.trim().is_empty())?;
        Some((name.as_str(), value.as_str()))
    })
}

/// The proxy from a variable, or from `ALL_PROXY`. Other programs use these variables too, so an unusable value is not
/// a fault.
fn from_env(env: &[(String, String)], name: &str, notices: &mut Vec<String>) -> Option<ProxyUrl> {
    let (name, value) = variable(env, name).or_else(|| variable(env, "all_proxy"))?;
    match ProxyUrl::read(value) {
        Ok(proxy) => Some(proxy),
        Err(what) => {
            let notice = format!("{name}: {what}; the sender goes without it");
            if !notices.contains(&notice) {
                notices.push(notice);
            }
            None
        }
    }
}

fn split(list: &str) -> Vec<String> {
    list.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(
        proxy: &str,
        is_in_file: bool,
        env: &[(&str, &str)],
    ) -> (Result<ForwardProxy, String>, Vec<String>) {
        let wish =
            Wish { proxy: proxy.to_owned(), is_in_file, no_proxy: vec!["localhost".into()], resolves: false };
        let env: Vec<_> = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let mut notices = Vec::new();
        let secret = |_: &str| Ok(crate::domain::Secret::new("file:p", b"http://u:pw@p:1".to_vec()));
        let read = ForwardProxy::read(wish, &env, secret, &mut notices);
        (read, notices)
    }

    #[test]
    fn the_environment_is_asked_where_the_configuration_says_nothing() {
        let env = [
            ("HTTPS_PROXY", "http://upper:1"),
            ("https_proxy", "lower:3128"),
            ("ALL_PROXY", "http://all:2/"),
            ("NO_PROXY", "a.example, 10.0.0.0/8"),
        ];
        let found = read("", false, &env).0.unwrap();
        assert_eq!(found.https.unwrap().to_string(), "http://lower:3128");
        assert_eq!(found.http.unwrap().to_string(), "http://all:2");
        assert_eq!(found.no_proxy, ["localhost", "a.example", "10.0.0.0/8"]);
        assert!(!read("none", false, &env).0.unwrap().is_used());
        let written = read("http://own:3", true, &env).0.unwrap();
        assert_eq!(
            (written.http.unwrap().to_string(), written.no_proxy),
            ("http://own:3".into(), vec!["localhost".into()])
        );
        assert!(!read("", false, &[("HTTP_PROXY", " ")]).0.unwrap().is_used());
    }

    #[test]
    fn what_a_variable_asks_in_vain_is_told_and_what_the_configuration_does_is_a_fault() {
        let (found, notices) = read("", false, &[("ALL_PROXY", "socks5://s:1080")]);
        assert!(!found.unwrap().is_used());
        assert_eq!(notices.len(), 1, "{notices:?}");
        assert!(notices[0].starts_with("ALL_PROXY: socks5: is not spoken"), "{notices:?}");
        for wrong in ["socks5://s:1080", "http://", "http://p:1/path", "::"] {
            assert!(read(wrong, true, &[]).0.is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_password_never_prints_and_does_not_stand_in_a_file() {
        let found = read("http://u:pw@p:1", false, &[]).0.unwrap();
        let told = format!("{found:?} {}", found.http.as_ref().unwrap());
        assert!(!told.contains("pw") && told.contains("p:1"), "{told}");
        let refused = read("http://u:pw@p:1", true, &[]).0.unwrap_err();
        assert!(refused.contains("file:NAME") && !refused.contains("pw"), "{refused}");
        assert_eq!(read("file:p", true, &[]).0.unwrap().http.unwrap().expose().password(), Some("pw"));
    }
}
