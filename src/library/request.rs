//! A request as the caller received it.

use crate::domain::Headers;
use crate::signing::SignedRequest;

/// A request whose signature is checked.
///
/// The body must be the bytes of the wire: a body that was parsed and written again has another signature.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    pub(super) method: &'a str,
    pub(super) target: &'a str,
    pub(super) headers: Headers,
    pub(super) body: &'a [u8],
}

impl<'a> Request<'a> {
    /// A request with these header lines, in the order of the wire, repeats included.
    ///
    /// ```
    /// let request = tagohook::Request::new([("X-TagoRUN-Signature", "00ff")], b"{}");
    /// ```
    #[must_use]
    pub fn new<N: AsRef<str>, V: AsRef<[u8]>>(
        headers: impl IntoIterator<Item = (N, V)>,
        body: &'a [u8],
    ) -> Self {
        let mut lines = Headers::default();
        for (name, value) in headers {
            lines.push(name.as_ref(), value.as_ref().trim_ascii());
        }
        Self { method: "POST", target: "", headers: lines, body }
    }

    /// With its method, and its path and query as on the request line. Only some schemes sign them.
    #[must_use]
    pub fn with_target(self, method: &'a str, target: &'a str) -> Self {
        Self { method, target, ..self }
    }

    pub(super) fn signed(&self) -> SignedRequest<'_> {
        SignedRequest { method: self.method, target: self.target, headers: &self.headers, body: self.body }
    }
}
