//! The finding of one gate.

use serde::{Deserialize, Serialize};

use super::Reason;

/// The gates, in the order in which a request passes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gate {
    /// May this address send?
    Allowlist,
    /// Is the body complete, in size and in time?
    Size,
    /// Does it present one of the source's credentials?
    Credentials,
    /// Is it signed with one of the source's secrets?
    Signature,
    /// Is it JSON?
    Payload,
    /// Does the event match its declared type?
    Schema,
    /// Was it received before?
    Idempotency,
}

impl Gate {
    /// Every gate, in order.
    pub const ALL: [Self; 7] = [
        Self::Allowlist,
        Self::Size,
        Self::Credentials,
        Self::Signature,
        Self::Payload,
        Self::Schema,
        Self::Idempotency,
    ];

    /// Its name in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allowlist => "allowlist",
            Self::Size => "size",
            Self::Credentials => "credentials",
            Self::Signature => "signature",
            Self::Payload => "payload",
            Self::Schema => "schema",
            Self::Idempotency => "idempotency",
        }
    }
}

/// The outcome of a gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The rule is met.
    Pass,
    /// The rule is not met; this gate decides the response.
    Fail,
    /// Not checked: there is no rule, or an earlier gate failed.
    Skipped,
}

impl Outcome {
    /// Its name in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Skipped => "skipped",
        }
    }
}

/// The finding of one gate: the received value, the rule, and the time it took.
///
/// Serialised, it is the API's object: `{check, outcome, reason, seen, rule, duration_us, faults?, notes?}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// The gate.
    #[serde(rename = "check")]
    pub gate: Gate,
    /// Its outcome.
    pub outcome: Outcome,
    /// Why it failed; `None` otherwise.
    pub reason: Option<Reason>,
    /// The received value, in displayable form: never a credential, never an expected signature.
    pub seen: String,
    /// The rule it was checked against.
    pub rule: String,
    /// Microseconds the gate took.
    pub duration_us: u32,
    /// Every fault of a payload, with its place; faults cause a rejection only if the gate failed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<Fault>,
    /// Further notes for the operator: `unknown event`, `given up once`, `no id`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// One fault of a payload. A 400 response lists these to the sender.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// JSON pointer (RFC 6901) to the place; empty for the whole payload.
    pub path: String,
    /// One sentence.
    pub message: String,
}

impl Fault {
    /// A fault at `path`.
    #[must_use]
    pub fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { path: path.into(), message: message.into() }
    }

    /// The same fault with its place in the message, after `what`, which describes the whole fault.
    #[must_use]
    pub fn after(self, what: &str) -> Self {
        let message = match self.path.as_str() {
            "" => format!("{what}: {}", self.message),
            path => format!("{what}: {path}: {}", self.message),
        };
        Self { message, ..self }
    }
}

impl Serialize for Reason {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Reason {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let word = String::deserialize(from)?;
        Self::from_word(&word).ok_or_else(|| serde::de::Error::custom(format!("no such reason: {word}")))
    }
}
