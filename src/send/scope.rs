//! STUB until the room is merged.
#![allow(missing_docs)]
use crate::domain::Timestamp;
#[derive(Clone, Debug)]
pub struct Scope(pub serde_json::Value);
#[derive(Debug, thiserror::Error)]
#[error("not JSON")]
pub struct ScopeFault;
impl Scope {
    pub fn new(
        _id: Option<&str>,
        _event_type: &str,
        _timestamp: Timestamp,
        body: &[u8],
    ) -> Result<Self, ScopeFault> {
        serde_json::from_slice(body).map(Self).map_err(|_| ScopeFault)
    }
}
