//! The methods of outgoing requests.

/// An HTTP method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Sends a body.
    Post,
    /// Asks only for the head of the response.
    Head,
    /// Reads.
    Get,
    /// Removes.
    Delete,
    /// Replaces.
    Put,
    /// Changes.
    Patch,
    /// Asks which methods are allowed.
    Options,
}

impl Method {
    /// The method with that name; `None` for any other name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "POST" => Self::Post,
            "HEAD" => Self::Head,
            "GET" => Self::Get,
            "DELETE" => Self::Delete,
            "PUT" => Self::Put,
            "PATCH" => Self::Patch,
            "OPTIONS" => Self::Options,
            _ => return None,
        })
    }
}
