//! A response that is read piece by piece.

use bytes::Bytes;

use super::failure::Failure;

/// The pieces of a response, as they arrive.
#[derive(Debug)]
pub struct Pieces(reqwest::Response);

impl Pieces {
    pub(super) const fn of(response: reqwest::Response) -> Self {
        Self(response)
    }

    /// The next piece; `None` at the end, or if the connection broke.
    pub async fn next(&mut self) -> Option<Bytes> {
        self.0.chunk().await.ok().flatten()
    }

    /// The next piece; `None` at the end of a response that has arrived whole.
    ///
    /// # Errors
    /// When the connection broke.
    pub async fn whole(&mut self) -> Result<Option<Bytes>, Failure> {
        self.0.chunk().await.map_err(|fault| Failure::of(&fault, false))
    }
}
