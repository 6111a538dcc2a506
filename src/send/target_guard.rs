//! STUB until the room is merged.
#![allow(missing_docs)]
#[derive(Clone, Debug)]
pub struct TargetGuard {
    deny_private: bool,
}
#[derive(Debug, thiserror::Error)]
#[error("blocked")]
pub struct Blocked;
impl TargetGuard {
    pub fn new(deny_private: bool) -> Self {
        Self { deny_private }
    }
    pub fn check_url(&self, url: &url::Url) -> Result<(), Blocked> {
        if self.deny_private && url.host_str() == Some("127.0.0.1") {
            return Err(Blocked);
        }
        Ok(())
    }
}
