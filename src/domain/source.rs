//! A source: who sends to us, and by which rules its requests are checked.

use std::borrow::Cow;
use std::net::IpAddr;
use std::time::Duration;

use ipnet::IpNet;

use super::{EventPlace, HandshakeRule, IdScope, Platform, Secret, Selector, SilenceAfter};

/// Where the event id is, where a source says nothing.
pub const DEFAULT_ID_POINTER: &str = "/id";

/// One `[[source]]` of the configuration, secrets resolved.
#[derive(Clone, Debug)]
pub struct Source {
    /// The name in the URL: `POST /webhook/{name}`.
    pub name: String,
    /// How its signatures are made.
    pub signature: SignatureRule,
    /// Which addresses may send.
    pub allow: Allowlist,
    /// Credentials, any one of which must be presented; empty: none is asked for.
    pub credentials: Vec<Credential>,
    /// What a payload that departs from its schema gets.
    pub schema: SchemaMode,
    /// What an event that the catalogue does not know gets.
    pub unknown_events: UnknownEvents,
    /// Where the event's name is.
    pub event: EventPlace,
    /// JSON pointer (RFC 6901) to the event id; empty: the payload has none.
    pub id_pointer: String,
    /// What belongs to the id, besides the id itself.
    pub id_scope: IdScope,
    /// Events without an id are deduplicated by their bytes within this time.
    pub dedupe_by_body: Option<Duration>,
    /// JSON pointer to what a timeline is about, usually the device id; empty: nothing.
    pub entity: String,
    /// Where the device is read of a delivery that names none itself; TagoIO's points often do not.
    pub device: Option<Selector>,
    /// After what time without a delivery such a thing is silent.
    pub silence_after: SilenceAfter,
    /// How long its sender waits for our answer.
    pub sender_timeout: Duration,
    /// JSON pointer to when an event happened; empty: where it usually is.
    pub time_pointer: String,
    /// What its platform asks before it sends.
    pub handshake: Option<HandshakeRule>,
}

impl Source {
    /// The rule of its signatures, with the secret that its sender handed over.
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
}

/// A signature scheme with its secrets.
#[derive(Clone, Debug)]
pub struct SignatureRule {
    /// The scheme.
    pub scheme: Scheme,
    /// Every secret that is valid now; several during a rotation; none only with `Scheme::None`.
    pub secrets: Vec<Secret>,
    /// How far a signed timestamp may lie from our clock, to either side, the edge included.
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
    /// As the platform does.
    Platform(Platform),
    /// No signature; written out in the configuration, never a default.
    None,
}

impl Scheme {
    /// Every scheme, in the order of the documentation.
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

    /// The name in the configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tagorun => "tagorun",
            Self::StandardWebhooks => "standard-webhooks",
            Self::Github => "github",
            Self::Stripe => "stripe",
            Self::Platform(platform) => platform.as_str(),
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
    /// The first range that holds `address`; the address must be in canonical form (`IpAddr::to_canonical`).
    #[must_use]
    pub fn find(&self, address: IpAddr) -> Option<&IpNet> {
        self.ranges.iter().find(|range| range.contains(&address))
    }
}

/// What a request presents: to a source to be let in, or to the endpoint of a subscription.
#[derive(Clone, Debug)]
pub enum Credential {
    /// `Authorization: Bearer TOKEN`.
    Bearer(Secret),
    /// A key in a header, and a secret in a second one where the configuration has it.
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
        /// The user name; holds no colon.
        username: String,
        /// The password; may hold colons.
        password: Secret,
    },
}

/// What a payload that departs from its schema gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SchemaMode {
    /// The specification's required fields must be there; departures from the usual shape are noted.
    Enforce,
    /// The usual shape is required too.
    Strict,
    /// Departures are noted, nothing is refused.
    Warn,
    /// Nothing is looked at.
    Off,
}

/// What an event gets that the catalogue does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnknownEvents {
    /// Accepted and marked.
    Accept,
    /// 400 `unknown_event`.
    Reject,
}
