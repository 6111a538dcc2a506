//! A source: who sends to us, and by which rules its requests are checked.

use std::borrow::Cow;
use std::net::IpAddr;
use std::time::Duration;

use ipnet::IpNet;

use super::header_names::is_part_of_signature;
use super::{EventPlace, HandshakeRule, HmacForm, IdScope, Platform, Secret, Selector, SilenceAfter};

/// The default place of the event id.
pub const DEFAULT_ID_POINTER: &str = "/id";

/// One `[[source]]` of the configuration, secrets resolved.
#[derive(Clone, Debug)]
pub struct Source {
    /// The name in the URL: `POST /webhook/{name}`.
    pub name: String,
    /// The preset that it begins with.
    pub preset: Option<String>,
    /// How its signatures are made.
    pub signature: SignatureRule,
    /// Which addresses may send.
    pub allow: Allowlist,
    /// Credentials, one of which must be presented; empty: none is required.
    pub credentials: Vec<Credential>,
    /// How payloads that do not match their schema are treated.
    pub schema: SchemaMode,
    /// How events that are not in the catalogue are treated.
    pub unknown_events: UnknownEvents,
    /// The place of the event's name.
    pub event: EventPlace,
    /// JSON pointer (RFC 6901) to the event id; empty: the payload has none.
    pub id_pointer: String,
    /// What belongs to the id, besides the id itself.
    pub id_scope: IdScope,
    /// The time in which events without an id are deduplicated by their bytes.
    pub dedupe_by_body: Option<Duration>,
    /// JSON pointer to the entity, usually the device id; empty: none.
    pub entity: String,
    /// The place of the device for deliveries that do not name one; TagoIO's points often do not.
    pub device: Option<Selector>,
    /// The time without a delivery after which an entity is silent.
    pub silence_after: SilenceAfter,
    /// How long its sender waits for our response.
    pub sender_timeout: Duration,
    /// JSON pointer to the time of an event; empty: the usual place.
    pub time_pointer: String,
    /// The handshake of its platform.
    pub handshake: Option<HandshakeRule>,
}

impl Source {
    /// Its signature rule, including the secret that its sender handed over.
    #[must_use]
    pub fn signature_now(&self) -> Cow<'_, SignatureRule> {
        match self.handshake.as_ref().and_then(|rule| rule.handed.get()) {
            None => Cow::Borrowed(&self.signature),
            Some(handed) => {
                let mut rule = self.signature.clone();
                rule.secrets.push(handed.clone());
                Cow::Owned(rule)
            }
        }
    }

    /// A source without secrets and with the defaults of the configuration, for tests to change.
    #[cfg(test)]
    #[must_use]
    pub fn plain(name: &str, scheme: Scheme) -> Self {
        Self {
            name: name.to_owned(),
            preset: None,
            signature: SignatureRule { scheme, secrets: Vec::new(), tolerance: Duration::from_secs(300) },
            allow: Allowlist::default(),
            credentials: Vec::new(),
            schema: SchemaMode::Enforce,
            unknown_events: UnknownEvents::Accept,
            event: EventPlace::Scheme,
            id_pointer: DEFAULT_ID_POINTER.to_owned(),
            id_scope: IdScope::default(),
            dedupe_by_body: None,
            entity: String::new(),
            device: None,
            silence_after: SilenceAfter::Off,
            sender_timeout: Duration::from_secs(10),
            time_pointer: String::new(),
            handshake: None,
        }
    }
}

/// A signature scheme with its secrets.
#[derive(Clone, Debug)]
pub struct SignatureRule {
    /// The scheme.
    pub scheme: Scheme,
    /// Every currently valid secret; several during a rotation; none only with `Scheme::None`.
    pub secrets: Vec<Secret>,
    /// The largest difference between a signed timestamp and our clock, in both directions, inclusive.
    pub tolerance: Duration,
}

/// How a sender signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// `X-TagoRUN-Signature`: hex HMAC-SHA256 of the body.
    Tagorun,
    /// Standard Webhooks 1.0.0: base64 HMAC-SHA256 of `id.timestamp.body`.
    StandardWebhooks,
    /// `X-Hub-Signature-256`: `sha256=` and hex HMAC-SHA256 of the body.
    Github,
    /// `Stripe-Signature`: hex HMAC-SHA256 of `timestamp.body`.
    Stripe,
    /// The platform's own scheme.
    Platform(Platform),
    /// A form that the configuration describes.
    Hmac(&'static HmacForm),
    /// No signature; must be configured explicitly, never a default.
    None,
}

impl Scheme {
    /// The name of the schemes that the configuration describes.
    pub const HMAC: &'static str = "hmac";

    /// Every scheme that needs no description, in the order of the documentation.
    pub const ALL: [Self; 12] = [
        Self::Tagorun,
        Self::StandardWebhooks,
        Self::Github,
        Self::Stripe,
        Self::Platform(Platform::Slack),
        Self::Platform(Platform::Zoom),
        Self::Platform(Platform::Twitch),
        Self::Platform(Platform::Asana),
        Self::Platform(Platform::Xero),
        Self::Platform(Platform::Dropbox),
        Self::Platform(Platform::X),
        Self::None,
    ];

    /// Whether a header line is part of a signature, of this scheme or of a known one.
    #[must_use]
    pub fn signs_with(self, name: &str) -> bool {
        is_part_of_signature(name) || matches!(self, Self::Hmac(form) if form.has_header(name))
    }

    /// The name in the configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tagorun => "tagorun",
            Self::StandardWebhooks => "standard-webhooks",
            Self::Github => "github",
            Self::Stripe => "stripe",
            Self::Platform(platform) => platform.as_str(),
            Self::Hmac(_) => Self::HMAC,
            Self::None => "none",
        }
    }
}

/// Address ranges that may send. Empty allows every address.
#[derive(Clone, Debug, Default)]
pub struct Allowlist {
    /// The ranges, host bits masked; mapped IPv6 written as IPv4.
    pub ranges: Vec<IpNet>,
}

impl Allowlist {
    /// A range for people: one of a single address as that address.
    #[must_use]
    pub fn shown_range(range: &IpNet) -> String {
        let is_one = range.prefix_len() == range.max_prefix_len();
        if is_one { range.addr().to_string() } else { range.to_string() }
    }

    /// Each range for people.
    pub fn shown(&self) -> impl Iterator<Item = String> + '_ {
        self.ranges.iter().map(Self::shown_range)
    }

    /// The first range that contains `address`; the address must be in canonical form (`IpAddr::to_canonical`).
    #[must_use]
    pub fn find(&self, address: IpAddr) -> Option<&IpNet> {
        self.ranges.iter().find(|range| range.contains(&address))
    }
}

/// What a request presents: to a source as its sender, or to the endpoint of a subscription.
#[derive(Clone, Debug)]
pub enum Credential {
    /// `Authorization: Bearer TOKEN`.
    Bearer(Secret),
    /// A key in a header, and optionally a secret in a second one.
    ApiKey {
        /// The key.
        key: Secret,
        /// The second half, if there is one.
        secret: Option<Secret>,
        /// The header of the key, usually `X-API-Key`.
        header: String,
        /// The header of the second half, usually `X-API-Secret`.
        secret_header: String,
    },
    /// `Authorization: Basic …` (RFC 7617), UTF-8.
    Basic {
        /// The user name, without colons.
        username: String,
        /// The password; may contain colons.
        password: Secret,
    },
}

impl Credential {
    /// Its secrets.
    pub fn secrets(&self) -> impl Iterator<Item = &Secret> {
        let (first, second) = match self {
            Self::Bearer(secret) | Self::Basic { password: secret, .. } => (secret, None),
            Self::ApiKey { key, secret, .. } => (key, secret.as_ref()),
        };
        std::iter::once(first).chain(second)
    }
}

/// How payloads that do not match their schema are treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SchemaMode {
    /// The specification's required fields must be present; differences from the usual shape are noted.
    Enforce,
    /// The usual shape is also required.
    Strict,
    /// Differences are noted, nothing is rejected.
    Warn,
    /// Nothing is validated.
    Off,
}

/// How events that are not in the catalogue are treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnknownEvents {
    /// Accepted and marked.
    Accept,
    /// 400 `unknown_event`.
    Reject,
}
