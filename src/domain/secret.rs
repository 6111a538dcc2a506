//! A secret and its name.

use std::fmt;

use secrecy::{ExposeSecret, SecretBox};

/// How many characters of its end a secret shows.
const ENDING: usize = 4;
/// A shorter secret shows none.
const ENDING_FROM: usize = 16;

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

    /// Its last characters, by which people recognise it; `None` where it is too short to show them, or they are no letters or
    /// digits.
    #[must_use]
    pub fn ending(&self) -> Option<&str> {
        let bytes = self.expose();
        let ending = bytes.len().checked_sub(ENDING).and_then(|at| bytes.get(at..))?;
        let is_shown = bytes.len() >= ENDING_FROM && ending.iter().all(u8::is_ascii_alphanumeric);
        std::str::from_utf8(ending).ok().filter(|_| is_shown)
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
