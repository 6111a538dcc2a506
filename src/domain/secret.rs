//! A secret and its name.

use std::fmt;

use secrecy::{ExposeSecret, SecretBox};

/// Secret bytes that never print, with the reference they came from (`file:signing-secret`), which may be printed.
pub struct Secret {
    name: String,
    bytes: SecretBox<Box<[u8]>>,
}

impl Secret {
    /// A secret with the printable `name`.
    #[must_use]
    pub fn new(name: impl Into<String>, bytes: impl Into<Box<[u8]>>) -> Self {
        Self { name: name.into(), bytes: SecretBox::new(Box::new(bytes.into())) }
    }

    /// The reference of this secret; safe to log and to show.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The secret bytes. Compare or sign with them; never copy them into anything that prints.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        self.bytes.expose_secret()
    }
}

impl Clone for Secret {
    fn clone(&self) -> Self {
        Self::new(self.name.clone(), self.expose().to_vec())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Secret({})", self.name)
    }
}
