//! How a sender signs.

use super::Invalid;
use crate::config::hmac_form;
use crate::domain;
use crate::signing::header_of;

/// How a sender signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scheme(pub(super) domain::Scheme);

impl Scheme {
    /// TagoRUN: `X-TagoRUN-Signature` contains the hex HMAC-SHA256 of the body.
    pub const TAGORUN: Self = Self(domain::Scheme::Tagorun);
    /// Standard Webhooks 1.0.0: `webhook-signature` contains the base64 HMAC-SHA256 of `id.timestamp.body`.
    pub const STANDARD_WEBHOOKS: Self = Self(domain::Scheme::StandardWebhooks);
    /// GitHub: `X-Hub-Signature-256` contains `sha256=` and the hex HMAC-SHA256 of the body.
    pub const GITHUB: Self = Self(domain::Scheme::Github);
    /// Stripe: `Stripe-Signature` contains the hex HMAC-SHA256 of `timestamp.body`.
    pub const STRIPE: Self = Self(domain::Scheme::Stripe);

    /// The scheme with that name in the configuration of the program: those above as `tagorun`, `standard-webhooks`, `github`,
    /// `stripe`; and `slack`, `zoom`, `twitch`, `asana`, `xero`, `dropbox`, `x`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let all = domain::Scheme::ALL.into_iter().filter(|scheme| *scheme != domain::Scheme::None);
        all.map(Self).find(|scheme| scheme.name() == name)
    }

    /// A scheme of another sender: HMAC over parts of the request, in one header. It is described as the key `hmac` of a source in
    /// the configuration of the program.
    ///
    /// ```
    /// # fn main() -> Result<(), tagohook::Invalid> {
    /// use tagohook::Scheme;
    /// let scheme = Scheme::hmac(
    ///     r#"{ header = "X-Signature", prefix = "sha512=", algorithm = "sha512", signed = "{timestamp}.{body}", timestamp = "X-Time" }"#,
    /// )?;
    /// assert_eq!(scheme.header(), "X-Signature");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When the description is not a TOML table, a key of it is unknown, or a value is not allowed.
    pub fn hmac(description: &str) -> Result<Self, Invalid> {
        hmac_form(description).map(|form| Self(domain::Scheme::Hmac(form))).map_err(Invalid)
    }

    /// Its name in the configuration of the program; `hmac` for one that was described.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.0.as_str()
    }

    /// The header that contains the signature.
    #[must_use]
    pub fn header(self) -> &'static str {
        header_of(self.0)
    }
}
