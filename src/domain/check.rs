//! One gate's finding.

use serde::{Deserialize, Serialize};

use super::Reason;

/// The gates, in the order in which they are passed.
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
    /// Is it the event it says it is?
    Schema,
    /// Was it here before?
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

    /// The word in the API.
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

/// What a gate found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The rule holds.
    Pass,
    /// The rule does not hold; this gate answers.
    Fail,
    /// Not looked at: there is no rule, or an earlier gate failed.
    Skipped,
}

impl Outcome {
    /// The word in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Skipped => "skipped",
        }
    }
}

/// One gate's finding: what was seen, by which rule, and how long it took.
///
/// Serialised, it is the API's object: `{check, outcome, reason, seen, rule, duration_us, faults?, notes?}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// Which gate.
    #[serde(rename = "check")]
    pub gate: Gate,
    /// What it found.
    pub outcome: Outcome,
    /// Why it failed; `None` otherwise.
    pub reason: Option<Reason>,
    /// The value seen, fit to be shown: never a credential, never an expected signature.
    pub seen: String,
    /// The rule it was held against.
    pub rule: String,
    /// Microseconds the gate took.
    pub duration_us: u32,
    /// Every fault of a payload, with its place; they refuse only where the gate failed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<Fault>,
    /// What else the operator should know: `unknown event`, `given up once`, `no id`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// One fault of a payload. The sender of a 400 is told these.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// JSON pointer (RFC 6901) to the place; empty: the whole payload.
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

    /// The same fault, its place named in the sentence, after `what` is wrong as a whole.
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
