//! The rules of a source in words.

use std::time::Duration;

use crate::config::secret_end;
use crate::domain::{
    Credential, EventPlace, Platform, SchemaMode, Scheme, Secret, Source, UnknownEvents, plain,
};

/// One rule: what it is about, and what it says, in lines.
pub struct Rule {
    /// What it is about.
    pub name: &'static str,
    /// What it says.
    pub lines: Vec<String>,
}

impl Rule {
    fn new(name: &'static str, line: impl Into<String>) -> Self {
        Self { name, lines: vec![line.into()] }
    }

    /// Every rule of a source, in the order of the checks.
    #[must_use]
    pub fn all(source: &Source) -> Vec<Self> {
        let mut rules = Vec::new();
        if let Some(preset) = &source.preset {
            rules.push(Self::new("Preset", plain(preset)));
        }
        rules.push(Self { name: "Allowlist", lines: allowlist(source) });
        rules.push(Self { name: "Credentials", lines: credentials(source) });
        rules.push(Self { name: "Signature", lines: signature(source) });
        rules.push(Self { name: "Schema", lines: schema(source) });
        rules.push(Self { name: "Idempotency", lines: idempotency(source) });
        if let Some(rule) = &source.handshake {
            let line = format!("Answers the handshake of {}.", rule.kind.sender());
            rules.push(Self::new("Handshake", line));
        }
        if source.event != EventPlace::Scheme {
            rules.push(Self::new("Event name", plain(&source.event.sentence())));
        }
        if !source.entity.is_empty() {
            rules.push(Self::new("Device", plain(&source.entity)));
        }
        let waits = format!("The sender waits {} for a response.", span(source.sender_timeout));
        rules.push(Self::new("Timeout", waits));
        rules
    }
}

/// A secret by its name and its end: `signing-secret ••••a7f2`.
#[must_use]
pub fn shown(secret: &Secret) -> String {
    let name = plain(short_name(secret));
    secret_end(secret).map_or(name.clone(), |end| format!("{name} {end}"))
}

/// The name of a secret without the kind of its reference.
#[must_use]
pub fn short_name(secret: &Secret) -> &str {
    let name = secret.name();
    name.strip_prefix("file:").or_else(|| name.strip_prefix("env:")).unwrap_or(name)
}

fn allowlist(source: &Source) -> Vec<String> {
    if source.allow.ranges.is_empty() {
        return vec!["Any address may send.".to_owned()];
    }
    source.allow.ranges.iter().map(ToString::to_string).collect()
}

fn credentials(source: &Source) -> Vec<String> {
    if source.credentials.is_empty() {
        return vec!["None required.".to_owned()];
    }
    let line = |credential: &Credential| match credential {
        Credential::Bearer(token) => format!("Authorization: Bearer, {}", shown(token)),
        Credential::Basic { username, password } => {
            format!("Authorization: Basic, user {}, password {}", plain(username), shown(password))
        }
        Credential::ApiKey { key, secret: None, header, .. } => format!("{}: {}", plain(header), shown(key)),
        Credential::ApiKey { key, secret: Some(secret), header, secret_header } => {
            format!("{}: {}, {}: {}", plain(header), shown(key), plain(secret_header), shown(secret))
        }
    };
    source.credentials.iter().map(line).collect()
}

fn signature(source: &Source) -> Vec<String> {
    let rule = source.signature_now();
    let mut lines = vec![scheme(rule.scheme).to_owned()];
    lines.extend(rule.secrets.iter().map(|secret| format!("Secret {}", shown(secret))));
    let has_time = !matches!(rule.scheme, Scheme::Tagorun | Scheme::Github | Scheme::None);
    if has_time {
        lines.push(format!("Signed times may differ by {} from our clock.", span(rule.tolerance)));
    }
    lines
}

/// What a scheme signs, and the header of its signature.
fn scheme(scheme: Scheme) -> String {
    let fixed = match scheme {
        Scheme::Tagorun => "X-TagoRUN-Signature: HMAC-SHA256 of the body, in hex",
        Scheme::StandardWebhooks => "webhook-signature: Standard Webhooks, HMAC-SHA256 of id, time and body",
        Scheme::Github => "X-Hub-Signature-256: HMAC-SHA256 of the body, as GitHub signs",
        Scheme::Stripe => "Stripe-Signature: HMAC-SHA256 of time and body, as Stripe signs",
        Scheme::Platform(Platform::Slack) => "X-Slack-Signature, as Slack signs",
        Scheme::Platform(Platform::Zoom) => "x-zm-signature, as Zoom signs",
        Scheme::Platform(Platform::Twitch) => "Twitch-Eventsub-Message-Signature, as Twitch signs",
        Scheme::Platform(Platform::Asana) => "X-Hook-Signature, as Asana signs",
        Scheme::Platform(Platform::Xero) => "x-xero-signature, as Xero signs",
        Scheme::Platform(Platform::Dropbox) => "X-Dropbox-Signature, as Dropbox signs",
        Scheme::Platform(Platform::X) => "x-twitter-webhooks-signature, as X signs",
        Scheme::Hmac(form) => return form.sentence(),
        Scheme::None => "No signature is checked.",
    };
    fixed.to_owned()
}

fn schema(source: &Source) -> Vec<String> {
    let payload = match source.schema {
        SchemaMode::Enforce => "Payloads without a required field are rejected.",
        SchemaMode::Strict => "Payloads that differ from the schema or the typical shape are rejected.",
        SchemaMode::Warn => "Differences from the schema are noted. Nothing is rejected.",
        SchemaMode::Off => "Payloads are not checked.",
    };
    let unknown = match source.unknown_events {
        UnknownEvents::Accept => "Unknown event types are accepted.",
        UnknownEvents::Reject => "Unknown event types are rejected.",
    };
    vec![payload.to_owned(), unknown.to_owned()]
}

fn idempotency(source: &Source) -> Vec<String> {
    let mut lines = Vec::new();
    match source.signature.scheme {
        Scheme::Github => lines.push("The same body is a duplicate.".to_owned()),
        Scheme::StandardWebhooks | Scheme::Stripe => {
            lines.push("The same event id is a duplicate.".to_owned())
        }
        _ if source.id_pointer.is_empty() => lines.push("Events have no id.".to_owned()),
        _ => lines.push(format!(
            "The event id is at {}. The same id and values are a duplicate; other values are 409.",
            plain(&source.id_pointer)
        )),
    }
    let scope = source.id_scope.words();
    if !scope.is_empty() {
        lines.push(format!("The id counts for each {} separately.", scope.join(" and ")));
    }
    if let Some(window) = source.dedupe_by_body {
        lines.push(format!("Without an id, equal bodies within {} are duplicates.", span(window)));
    }
    lines
}

/// A duration for people, without a rest.
fn span(time: Duration) -> String {
    let ms = time.as_millis();
    match ms {
        _ if ms.is_multiple_of(3_600_000) => format!("{} h", ms / 3_600_000),
        _ if ms.is_multiple_of(60_000) => format!("{} min", ms / 60_000),
        _ if ms.is_multiple_of(1_000) => format!("{} s", ms / 1_000),
        _ => format!("{ms} ms"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_shown_by_its_name_and_its_last_letters_only_where_it_is_long() {
        let long = Secret::new("file:signing-secret", b"0123456789abcdefa7f2".as_slice());
        assert_eq!(shown(&long), "signing-secret ••••a7f2");
        assert_eq!(shown(&Secret::new("env:TOKEN", b"short".as_slice())), "TOKEN");
    }

    #[test]
    fn a_duration_has_its_largest_whole_unit() {
        let told = [300_000, 3_600_000, 90_000, 1_500].map(|ms| span(Duration::from_millis(ms)));
        assert_eq!(told, ["5 min", "1 h", "90 s", "1500 ms"]);
    }
}
