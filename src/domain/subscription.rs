//! A subscription: which events are sent to which endpoint, and how.

use std::time::Duration;

use super::{Credential, RetryPolicy, Scheme, Secret};

/// One subscription, secrets resolved. JSON settings (filters, template) keep their exact text.
#[derive(Clone, Debug)]
pub struct Subscription {
    /// The id in the API: a UUID, or for a configured subscription its name in URL form.
    pub id: String,
    /// The display name; not empty.
    pub name: String,
    /// The endpoint; http or https.
    pub url: String,
    /// Event types and patterns: `user.login`, `user.*`, `*`; at least one.
    pub events: Vec<String>,
    /// The sources whose events it accepts; `None`: all of them.
    pub sources: Option<Vec<String>>,
    /// Header lines of every request, in order; values may be templates.
    pub headers: Vec<SubscriptionHeader>,
    /// The credential to present.
    pub auth: Option<Credential>,
    /// How requests are signed.
    pub signature: SigningRule,
    /// Whether it gets messages and sends them.
    pub enabled: bool,
    /// Why it was disabled automatically: `gone`.
    pub disabled_reason: Option<String>,
    /// The attempts of a message.
    pub retry_policy: RetryPolicy,
    /// The time limit of one attempt.
    pub timeout: Duration,
    /// JSON: event names and their filters.
    pub filters: Option<String>,
    /// JSON: the payload template. Without one, the event's own bytes are sent.
    pub payload_template: Option<String>,
    /// How missing template values are treated.
    pub missing: MissingValue,
    /// Whether messages of one entity are sent one after the other.
    pub ordered: bool,
    /// The id or name of the subscription that is used when this one's attempts are exhausted.
    pub fallback: Option<String>,
    /// The most requests in any window.
    pub rate_limit: Option<RateLimit>,
    /// Many messages in one request.
    pub batch: Option<Batch>,
    /// Where it was defined.
    pub origin: SubscriptionOrigin,
}

/// Where a subscription was defined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubscriptionOrigin {
    /// Through the API or a page; it can be changed there.
    Api,
    /// `[[subscription]]` of the configuration: read-only in the API.
    Config,
}

/// One configured header line.
#[derive(Clone, Debug)]
pub struct SubscriptionHeader {
    /// The name as sent.
    pub name: String,
    /// The value.
    pub value: HeaderValue,
}

/// The value of a configured header.
#[derive(Clone, Debug)]
pub enum HeaderValue {
    /// Text, possibly a template.
    Text(String),
    /// A credential. A literal one, not from `file:` or `env:`, may be a template.
    Secret(Secret),
}

/// How requests are signed.
#[derive(Clone, Debug)]
pub struct SigningRule {
    /// `Tagorun`, `StandardWebhooks` or `None`.
    pub scheme: Scheme,
    /// The secrets; several during a rotation. Empty with `Scheme::None`.
    pub secrets: Vec<Secret>,
}

/// How missing template values are treated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MissingValue {
    /// `null` as a whole value, nothing inside text.
    #[default]
    Null,
    /// The message is not sent and becomes a dead letter.
    Error,
}

/// A rate limit: no window of that length contains more requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// The most requests in a window; at least 1.
    pub max_requests: u32,
    /// The window's length.
    pub window: Duration,
}

impl RateLimit {
    /// The specification's default: 100 per minute.
    pub const SPECIFIED: Self = Self { max_requests: 100, window: Duration::from_secs(60) };
}

/// Many messages in one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Batch {
    /// The most messages in a request; at least 1.
    pub size: u32,
    /// The longest time a message waits for others.
    pub flush_interval: Duration,
    /// The most bytes in a request; a larger event is sent alone.
    pub max_bytes: usize,
}

impl Batch {
    /// The specification's default: 100 messages, or after 5 s. It does not limit bytes: 1 MiB is nginx's default
    /// limit.
    pub const SPECIFIED: Self =
        Self { size: 100, flush_interval: Duration::from_secs(5), max_bytes: 1024 * 1024 };
}
