//! The signatures of platforms, as a table: HMAC-SHA256 in one header, over the body and a prefix.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::candidates::{Candidates, from_hex};
use super::fault::{SignatureFault, check_age, joined};
use super::key::digest;
use super::standard_webhooks::seconds;
use crate::domain::{Headers, Platform, Scheme, Secret, SignatureRule, Timestamp};

/// How a platform signs.
struct Form {
    /// The header of the signature.
    header: &'static str,
    /// The text before the digest in that header.
    prefix: &'static str,
    /// Whether the digest is base64; otherwise it is hex.
    is_base64: bool,
    /// What is signed before the body.
    before: &'static [Part],
    /// The header of the signed time, if there is one.
    time: Option<&'static str>,
}

/// A part of the signed text.
enum Part {
    Text(&'static str),
    Header(&'static str),
}

const TWITCH_TIME: &str = "Twitch-Eventsub-Message-Timestamp";

/// The signature form of a platform, according to its documentation.
const fn form(platform: Platform) -> Form {
    const fn body_alone(header: &'static str, prefix: &'static str, is_base64: bool) -> Form {
        Form { header, prefix, is_base64, before: &[], time: None }
    }
    match platform {
        Platform::Slack => Form {
            header: "X-Slack-Signature",
            prefix: "v0=",
            is_base64: false,
            before: &[Part::Text("v0:"), Part::Header("X-Slack-Request-Timestamp"), Part::Text(":")],
            time: Some("X-Slack-Request-Timestamp"),
        },
        Platform::Zoom => Form {
            header: "x-zm-signature",
            prefix: "v0=",
            is_base64: false,
            before: &[Part::Text("v0:"), Part::Header("x-zm-request-timestamp"), Part::Text(":")],
            time: Some("x-zm-request-timestamp"),
        },
        Platform::Twitch => Form {
            header: "Twitch-Eventsub-Message-Signature",
            prefix: "sha256=",
            is_base64: false,
            before: &[Part::Header("Twitch-Eventsub-Message-Id"), Part::Header(TWITCH_TIME)],
            time: Some(TWITCH_TIME),
        },
        Platform::Asana => body_alone("X-Hook-Signature", "", false),
        Platform::Dropbox => body_alone("X-Dropbox-Signature", "", false),
        Platform::Xero => body_alone("x-xero-signature", "", true),
        Platform::X => body_alone("x-twitter-webhooks-signature", "sha256=", true),
    }
}

/// The signature header of a platform.
#[must_use]
pub const fn header(platform: Platform) -> &'static str {
    form(platform).header
}

/// The secret that signed `body`; a signed time must be within the tolerance.
pub fn verify<'a>(
    platform: Platform,
    rule: &'a SignatureRule,
    headers: &Headers,
    body: &[u8],
    now: Timestamp,
) -> Result<&'a Secret, SignatureFault> {
    let Form { header, prefix, is_base64, before, time } = form(platform);
    let malformed = |why| SignatureFault::Malformed { header, why };
    let mut candidates = Candidates::default();
    for text in joined(headers, header)?.split(|byte| *byte == b',') {
        let text = text.trim_ascii().strip_prefix(prefix.as_bytes());
        let text = text.ok_or_else(|| malformed("its prefix is missing"))?;
        let signature = if is_base64 {
            let decoded = STANDARD.decode(text).ok().and_then(|bytes| bytes.try_into().ok());
            decoded.ok_or_else(|| malformed("32 bytes in base64 are expected"))?
        } else {
            from_hex(text).ok_or_else(|| malformed("64 hex digits are expected"))?
        };
        if !candidates.add(signature) {
            return Err(malformed("too many signatures"));
        }
    }
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in before {
        parts.push(match part {
            Part::Text(text) => text.as_bytes(),
            Part::Header(name) => single(headers, name)?,
        });
    }
    parts.push(body);
    let signer = candidates.signer(Scheme::Platform(platform), &rule.secrets, &parts);
    let signer = signer.ok_or(SignatureFault::Mismatch { header, bytes: body.len() })?;
    if let Some(name) = time {
        let line = single(headers, name)?;
        let signed_at = signed_time(line).ok_or(SignatureFault::Malformed {
            header: name,
            why: "seconds since 1970, or a time of RFC 3339, are expected",
        })?;
        check_age(signed_at, now, rule.tolerance)?;
    }
    Ok(signer)
}

/// The value of a header; several lines must be equal.
pub(super) fn single<'a>(headers: &'a Headers, header: &'static str) -> Result<&'a [u8], SignatureFault> {
    let mut lines = headers.get_all(header).map(<[u8]>::trim_ascii).filter(|line| !line.is_empty());
    let first = lines.next().ok_or(SignatureFault::Missing { header })?;
    if lines.any(|line| line != first) {
        return Err(SignatureFault::Malformed { header, why: "it has two values" });
    }
    Ok(first)
}

/// Seconds since 1970, also of a time of RFC 3339.
pub(super) fn signed_time(line: &[u8]) -> Option<i64> {
    let text = || std::str::from_utf8(line).ok();
    seconds(line).or_else(|| Timestamp::parse_rfc3339(text()?).map(Timestamp::as_secs))
}

/// The header lines of a signed message.
pub fn sign(
    platform: Platform,
    key: &[u8],
    message_id: &str,
    timestamp: Timestamp,
    body: &[u8],
) -> Vec<(String, String)> {
    let Form { header, prefix, is_base64, before, time } = form(platform);
    let at =
        if platform == Platform::Twitch { timestamp.to_string() } else { timestamp.as_secs().to_string() };
    let value = |name: &str| if Some(name) == time { at.clone() } else { message_id.to_owned() };
    let mut lines = Vec::new();
    let mut signed = Vec::new();
    for part in before {
        match part {
            Part::Text(text) => signed.extend_from_slice(text.as_bytes()),
            Part::Header(name) => {
                signed.extend_from_slice(value(name).as_bytes());
                lines.push(((*name).to_owned(), value(name)));
            }
        }
    }
    let digest = digest(key, &[&signed, body]);
    let text = if is_base64 { STANDARD.encode(digest) } else { hex::encode(digest) };
    lines.push((header.to_owned(), format!("{prefix}{text}")));
    lines
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn rule(platform: Platform, secret: &str) -> SignatureRule {
        let secrets = vec![Secret::new("file:s", secret.as_bytes())];
        SignatureRule { scheme: Scheme::Platform(platform), secrets, tolerance: Duration::from_secs(300) }
    }

    fn headers(lines: &[(&str, &str)]) -> Headers {
        let mut headers = Headers::default();
        for (name, value) in lines {
            headers.push(*name, value.as_bytes());
        }
        headers
    }

    #[test]
    fn slacks_published_example_holds_and_is_stale_after_the_tolerance() {
        // Slack, "Verifying requests from Slack".
        let body = b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
        let signed = headers(&[
            ("X-Slack-Request-Timestamp", "1531420618"),
            ("X-Slack-Signature", "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"),
        ]);
        let rule = rule(Platform::Slack, "8f742231b10e8888abcd99yyyzzz85a5");
        let at = Timestamp::from_secs;
        let judged = |now| verify(Platform::Slack, &rule, &signed, body, at(now)).map(|_| ());
        assert_eq!(judged(1_531_420_618 + 300), Ok(()));
        assert!(matches!(judged(1_531_420_618 + 301), Err(SignatureFault::Stale { .. })));
        let other = verify(Platform::Slack, &rule, &signed, b"{}", at(1_531_420_618));
        assert!(matches!(other, Err(SignatureFault::Mismatch { .. })));
    }

    #[test]
    fn every_platform_verifies_what_it_signs_and_nothing_else() {
        let now = Timestamp::from_secs(1_800_000_000);
        for platform in [
            Platform::Slack,
            Platform::Zoom,
            Platform::Twitch,
            Platform::Asana,
            Platform::Xero,
            Platform::Dropbox,
            Platform::X,
        ] {
            let lines = sign(platform, b"0123456789abcdef", "id-1", now, b"{}");
            let signed: Vec<(&str, &str)> =
                lines.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            let (right, wrong) = (rule(platform, "0123456789abcdef"), rule(platform, "another-secret-1"));
            assert!(verify(platform, &right, &headers(&signed), b"{}", now).is_ok(), "{platform:?}");
            assert!(verify(platform, &wrong, &headers(&signed), b"{}", now).is_err(), "{platform:?}");
            assert!(verify(platform, &right, &headers(&signed), b"{ }", now).is_err(), "{platform:?}");
            let missing = verify(platform, &right, &Headers::default(), b"{}", now);
            assert!(matches!(missing, Err(SignatureFault::Missing { .. })), "{platform:?}");
            let odd = headers(&[(header(platform), "nonsense")]);
            let malformed = verify(platform, &right, &odd, b"{}", now);
            assert!(matches!(malformed, Err(SignatureFault::Malformed { .. })), "{platform:?}");
        }
    }
}
