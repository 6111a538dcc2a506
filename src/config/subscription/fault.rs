//! What is wrong with the JSON of a subscription.

/// What is wrong with a subscription, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonFault {
    /// JSON pointer (RFC 6901) into the subscription.
    pub pointer: String,
    /// One sentence; repeats no secret.
    pub message: String,
}

impl JsonFault {
    pub(super) fn new(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), message: message.into() }
    }
}
