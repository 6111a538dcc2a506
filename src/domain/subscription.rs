//! A subscription: which events go to which endpoint, and how.

use std::time::Duration;

use super::{Credential, RetryPolicy, Scheme, Secret};

/// One subscription, secrets resolved. What is configured as JSON (filters, template) stays its exact text.
#[derive(Clone, Debug)]
pub struct Subscription {
    /// The id in the API: a UUID, or for one of the configuration its name as it can stand in a URL.
    pub id: String,
    /// What people call it; not empty.
    pub name: String,
    /// The endpoint; http or https.
    pub url: String,
    /// Event types and patterns: `user.login`, `user.*`, `*`; at least one.
    pub events: Vec<String>,
    /// The sources whose events it takes; `None`: all of them.
    pub sources: Option<Vec<String>>,
    /// Header lines of every request, in order; values may be templates.
    pub headers: Vec<SubscriptionHeader>,
    /// The credential that is presented.
    pub auth: Option<Credential>,
    /// How requests are signed.
    pub signature: SigningRule,
    /// Whether events lead to messages and messages are sent.
    pub enabled: bool,
    /// Why it was disabled by itself: `gone`.
    pub disabled_reason: Option<String>,
    /// The attempts of a message.
    pub retry_policy: RetryPolicy,
    /// The time of one attempt, all in all.
    pub timeout: Duration,
    /// JSON: event names and their filters.
    pub filters: Option<String>,
    /// JSON: the payload's template. Without one the event's own bytes are sent.
    pub payload_template: Option<String>,
    /// What a missing value in the template does.
    pub missing: MissingValue,
    /// Whether messages about one entity go one after the other.
    pub ordered: bool,
    /// The id or name of the subscription that is tried when this one's attempts are exhausted.
    pub fallback: Option<String>,
    /// The most requests in any window.
    pub rate_limit: Option<RateLimit>,
    /// Many messages in one request.
    pub batch: Option<Batch>,
    /// Where it was configured.
    pub origin: SubscriptionOrigin,
}

/// Where a subscription was configured.
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
    /// The name as it is sent.
    pub name: String,
    /// The value.
    pub value: HeaderValue,
}

/// The value of a configured header.
#[derive(Clone, Debug)]
pub enum HeaderValue {
    /// Text, perhaps a template.
    Text(String),
    /// A credential. One that was written out, not named by `file:` or `env:`, may be a template.
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

/// What a missing value in the template does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MissingValue {
    /// `null` where it is the whole value, nothing inside text.
    #[default]
    Null,
    /// The message is not sent and dies.
    Error,
}

/// In no window of that length are more requests sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// The most requests in a window; at least 1.
    pub max_requests: u32,
    /// The window's length.
    pub window: Duration,
}

impl RateLimit {
    /// The specification's: 100 in a minute.
    pub const SPECIFIED: Self = Self { max_requests: 100, window: Duration::from_secs(60) };
}

/// Many messages in one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Batch {
    /// The most messages of a request; at least 1.
    pub size: u32,
    /// The longest time a message waits for others.
    pub flush_interval: Duration,
    /// The most bytes of a request; an event that is larger by itself goes alone.
    pub max_bytes: usize,
}

impl Batch {
    /// The specification's: 100, or after 5 s. It names no bytes: 1 MiB is what nginx takes as it is installed.
    pub const SPECIFIED: Self =
        Self { size: 100, flush_interval: Duration::from_secs(5), max_bytes: 1024 * 1024 };
}
