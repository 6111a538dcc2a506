//! What is wrong with a secret, a description of a scheme, or a schema.

/// A secret, a description of a scheme or a folder of schemas cannot be used. The text says why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Invalid(pub(super) String);
