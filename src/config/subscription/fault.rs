//! Faults in the JSON of a subscription.

/// A fault in a subscription, and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonFault {
    /// JSON pointer (RFC 6901) into the subscription.
    pub pointer: String,
    /// One sentence, without secrets.
    pub message: String,
}

impl JsonFault {
    pub(super) fn new(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), message: message.into() }
    }
}
