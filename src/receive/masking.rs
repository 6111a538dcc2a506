//! Received credentials never reach the store. They are replaced by a keyed hash with a short tail: enough to
//! recognise and compare credentials, not to use them.

use std::sync::Arc;

use super::misplaced::Place;
use crate::domain::{Header, Headers, MaskKey, is_secret_parameter, names_credential_header};
use crate::signing::diagnose::mask_digest;

/// Shorter values show no tail, in characters.
const TAIL_FROM: usize = 16;
/// The number of characters shown at the end.
const TAIL: usize = 4;
/// Headers in which proxies and browsers repeat a request target with its query.
const TARGET_HEADERS: [&str; 6] =
    ["referer", "x-original-url", "x-original-uri", "x-rewrite-url", "x-forwarded-uri", "x-request-uri"];
/// Masks credentials with the installation's own key.
pub struct Masking {
    key: Arc<MaskKey>,
}

impl Masking {
    /// Masks with `key`, the installation's `store-key`.
    #[must_use]
    pub fn new(key: [u8; 32]) -> Self {
        Self { key: Arc::new(MaskKey::new(key)) }
    }

    /// The key.
    #[must_use]
    pub fn key(&self) -> Arc<MaskKey> {
        Arc::clone(&self.key)
    }

    /// The lines with every credential masked; `more` names headers that the configuration uses for credentials.
    #[must_use]
    pub fn headers(&self, headers: Headers, more: &[String]) -> Headers {
        self.headers_without(headers, more, &[])
    }

    /// The same, with the values at the `hidden` places also masked.
    #[must_use]
    pub fn headers_without(&self, headers: Headers, more: &[String], hidden: &[Place]) -> Headers {
        headers.into_iter().map(|header| self.header(header, more, hidden)).collect()
    }

    /// The same, of a request whose signature was refused: a digest in a header for credentials may be the signature, and is
    /// masked so that the autopsy recognises it.
    #[must_use]
    pub fn unsigned_headers(&self, headers: Headers, more: &[String], hidden: &[Place]) -> Headers {
        let masked = |header: Header| {
            let is_free = names_credential_header(&header.name) && !is_named(&header.name, more, hidden);
            match mask_digest(&header.text(), &self.key).filter(|_| is_free) {
                Some(masked) => Header { value: masked.into_bytes(), ..header },
                None => self.header(header, more, hidden),
            }
        };
        headers.into_iter().map(masked).collect()
    }

    fn header(&self, header: Header, more: &[String], hidden: &[Place]) -> Header {
        if TARGET_HEADERS.iter().any(|known| header.name.eq_ignore_ascii_case(known)) {
            let value = self.target(&header.text(), hidden).into_bytes();
            return Header { value, ..header };
        }
        let is_credential = names_credential_header(&header.name) || is_named(&header.name, more, hidden);
        if header.value.is_empty() || !is_credential {
            return header;
        }
        let value = if header.name.to_ascii_lowercase().ends_with("authorization") {
            self.authorization(&header.value)
        } else {
            self.mask(&header.value, true)
        };
        Header { value: value.into_bytes(), ..header }
    }

    /// `Bearer` and `Basic` stay readable; the end of a Basic credential would be the end of a password.
    fn authorization(&self, value: &[u8]) -> String {
        let blank = value.iter().position(|byte| *byte == b' ');
        match blank.and_then(|at| value.split_at_checked(at)) {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case(b"bearer") => {
                format!("Bearer {}", self.mask(rest.trim_ascii(), true))
            }
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case(b"basic") => {
                format!("Basic {}", self.mask(rest.trim_ascii(), false))
            }
            _ => self.mask(value, false),
        }
    }

    /// The request target with secret query parameters and the `hidden` places masked; everything else is unchanged.
    #[must_use]
    pub fn target(&self, target: &str, hidden: &[Place]) -> String {
        let target = hidden.iter().fold(target.to_owned(), |target, place| match place {
            Place::Part(part) => target.replace(part.as_str(), &self.mask(part.as_bytes(), true)),
            Place::Header(_) | Place::Query(_) => target,
        });
        let Some((path, query)) = target.split_once('?') else { return target };
        let is_secret =
            |name: &str| is_secret_parameter(name) || hidden.contains(&Place::Query(name.to_owned()));
        let parameters: Vec<String> = query
            .split('&')
            .map(|parameter| match parameter.split_once('=') {
                Some((name, value)) if !value.is_empty() && is_secret(name) => {
                    format!("{name}={}", self.mask(value.as_bytes(), true))
                }
                _ => parameter.to_owned(),
            })
            .collect();
        format!("{path}?{}", parameters.join("&"))
    }

    /// The lines of an imported delivery. What another instance masked, or left out of an archive, stays as it is.
    #[must_use]
    pub fn imported_headers(&self, headers: Headers, more: &[String]) -> Headers {
        let masked = |header: Header| match is_hidden(&header.text()) {
            true => header,
            false => self.header(header, more, &[]),
        };
        headers.into_iter().map(masked).collect()
    }

    /// The request target of an imported delivery; see `imported_headers`.
    #[must_use]
    pub fn imported_target(&self, target: &str) -> String {
        let Some((path, query)) = target.split_once('?') else { return target.to_owned() };
        let masked = |parameter: &str| match parameter.split_once('=') {
            Some((_, value)) if is_hidden(value) => parameter.to_owned(),
            _ => self.target(&format!("?{parameter}"), &[]).split_off(1),
        };
        format!("{path}?{}", query.split('&').map(masked).collect::<Vec<_>>().join("&"))
    }

    fn mask(&self, value: &[u8], may_show_tail: bool) -> String {
        let mask = self.key.mask(value);
        let tail = value.len().checked_sub(TAIL).and_then(|at| value.get(at..)).unwrap_or_default();
        let showable =
            may_show_tail && value.len() >= TAIL_FROM && tail.iter().all(u8::is_ascii_alphanumeric);
        if showable { format!("{mask}-{}", String::from_utf8_lossy(tail)) } else { mask }
    }
}

/// Whether a header is among `more`, or at a hidden place.
fn is_named(name: &str, more: &[String], hidden: &[Place]) -> bool {
    let is_it = |place: &Place| matches!(place, Place::Header(known) if known.eq_ignore_ascii_case(name));
    more.iter().any(|known| name.eq_ignore_ascii_case(known)) || hidden.iter().any(is_it)
}

/// Whether a value is the mask of a credential, or the variable for one, also behind `Bearer` or `Basic`.
fn is_hidden(value: &str) -> bool {
    let value = ["Bearer ", "Basic "].iter().find_map(|scheme| value.strip_prefix(scheme)).unwrap_or(value);
    let is_mask = value.strip_prefix("masked-").and_then(|rest| rest.get(..16)).is_some_and(|hash| {
        hash.bytes().all(|byte| byte.is_ascii_hexdigit()) && value.len() <= "masked-".len() + 16 + 1 + TAIL
    });
    let is_variable = value.strip_prefix("$CREDENTIAL").is_some_and(|rest| {
        rest.bytes().all(|byte| byte == b'_' || byte.is_ascii_uppercase() || byte.is_ascii_digit())
    });
    is_mask || is_variable
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(name: &str, value: &str) -> String {
        let mut headers = Headers::default();
        headers.push(name, value);
        let masked = Masking::new([7; 32]).headers(headers, &["X-Custom".to_owned()]);
        masked.iter().next().unwrap().text()
    }

    #[test]
    fn ui_17_credential_headers_are_masked_and_others_left_alone() {
        let secret = "s3cret-value-long-enough-4711";
        for name in [
            "Authorization",
            "cookie",
            "X-API-Key",
            "X-Api-Secret",
            "X-Auth-Token",
            "x-custom",
            "apikey",
            "XApiKey",
            "APIToken",
            "x-access-key",
        ] {
            assert!(!masked(name, secret).contains("s3cret"), "{name}");
        }
        for name in
            ["X-TagoRUN-Signature", "User-Agent", "Idempotency-Key", "X-Hub-Signature-256", "webhook-id"]
        {
            assert_eq!(masked(name, secret), secret, "{name}");
        }
    }

    #[test]
    fn a_target_that_a_header_repeats_is_masked_like_the_target_itself() {
        for name in ["Referer", "X-Original-URL", "x-forwarded-uri"] {
            let seen = masked(name, "https://h/p?a=1&token=hunter2hunter2");
            assert!(seen.starts_with("https://h/p?a=1&token=masked-"), "{seen}");
        }
    }

    #[test]
    fn a_mask_keeps_the_scheme_and_a_short_tail_but_never_a_basic_tail() {
        let bearer = masked("Authorization", "Bearer abcdefghijklmnopqrst1234");
        assert!(bearer.starts_with("Bearer masked-") && bearer.ends_with("-1234"), "{bearer}");
        let basic = masked("Authorization", "Basic dXNlcjpwYXNzd29yZHBhc3N3b3Jk");
        assert!(basic.starts_with("Basic masked-") && !basic.contains("b3Jk"), "{basic}");
        assert_eq!(masked("X-Api-Key", "short1").len(), "masked-".len() + 16);
        assert_eq!(masked("X-Api-Key", "same-value"), masked("Cookie", "same-value"));
        assert_ne!(masked("X-Api-Key", "same-value"), masked("X-Api-Key", "other-value"));
    }

    #[test]
    fn ui_17_secret_query_values_are_masked_and_the_rest_of_the_target_kept() {
        let masking = Masking::new([7; 32]);
        for name in [
            "token",
            "key",
            "secret",
            "password",
            "access_token",
            "api_key",
            "TOKEN",
            "clientSecret",
            "to%6ben",
        ] {
            let target = masking.target(&format!("/webhook/x?a=%20b&{name}=hunter2hunter2&&c"), &[]);
            assert!(!target.contains("hunter2"), "{target}");
            assert!(
                target.starts_with(&format!("/webhook/x?a=%20b&{name}=masked-")) && target.ends_with("&&c")
            );
        }
        assert_eq!(masking.target("/webhook/x?monkey=1&keyboard=2", &[]), "/webhook/x?monkey=1&keyboard=2");
    }

    #[test]
    fn what_is_at_a_hidden_place_is_masked_whatever_its_name() {
        let masking = Masking::new([7; 32]);
        let hidden = [
            Place::Header("X-Plain".to_owned()),
            Place::Query("t".to_owned()),
            Place::Part("hunter2hunter2".to_owned()),
        ];
        let target = masking.target("/webhook/x/hunter2hunter2?t=secret-of-16-byte&u=1", &hidden);
        assert!(!target.contains("hunter2") && !target.contains("secret-of"), "{target}");
        assert!(target.starts_with("/webhook/x/masked-") && target.ends_with("&u=1"), "{target}");
        let mut headers = Headers::default();
        headers.push("x-plain", "secret-of-16-byte");
        headers.push("X-Other", "value");
        let seen = masking.headers_without(headers, &[], &hidden);
        let values: Vec<String> = seen.iter().map(Header::text).collect();
        assert!(values[0].starts_with("masked-") && values[1] == "value", "{values:?}");
    }

    #[test]
    fn what_another_instance_masked_stays_and_anything_else_is_masked() {
        let masking = Masking::new([7; 32]);
        let mut headers = Headers::default();
        for (name, value) in [
            ("Authorization", "Bearer masked-0123456789abcdef-zz09"),
            ("X-API-Key", "$CREDENTIAL_X_API_KEY"),
            ("Cookie", "masked-0123456789abcdef-and-a-secret"),
            ("X-API-Key", "$CREDENTIAL and a secret"),
            ("X-Plain", "kept"),
        ] {
            headers.push(name, value);
        }
        let seen: Vec<String> = masking.imported_headers(headers, &[]).iter().map(Header::text).collect();
        assert_eq!(
            (seen[0].as_str(), seen[1].as_str()),
            ("Bearer masked-0123456789abcdef-zz09", "$CREDENTIAL_X_API_KEY")
        );
        assert!(seen[2..4].iter().all(|value| !value.contains("secret")), "{seen:?}");
        assert_eq!(seen[4], "kept");
        let target = "/w?token=masked-0123456789abcdef&a=1&key=hunter2hunter2";
        let seen = masking.imported_target(target);
        assert!(seen.starts_with("/w?token=masked-0123456789abcdef&a=1&key=masked-"), "{seen}");
        assert_eq!(masking.imported_target("/w"), "/w");
    }
}
