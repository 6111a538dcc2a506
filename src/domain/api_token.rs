//! Tokens for the API.

use sha2::{Digest as _, Sha256};

use super::Timestamp;

/// What every token begins with.
pub const PREFIX: &str = "thk_";
/// The number of random bytes of a token.
const SECRET_BYTES: usize = 32;
/// The number of characters of a token's end that are kept.
const TAIL: usize = 4;

/// What the holder of a token may do. Each scope includes those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Read everything.
    Read,
    /// Also resend what is stored: replays, dead letters, messages.
    Replay,
    /// Everything, also tokens.
    Admin,
}

impl Scope {
    /// Every scope, the least first.
    pub const ALL: [Self; 3] = [Self::Read, Self::Replay, Self::Admin];

    /// Its name in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Replay => "replay",
            Self::Admin => "admin",
        }
    }

    /// The scope with that name.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == word)
    }

    /// Whether it includes `needed`.
    #[must_use]
    pub fn covers(self, needed: Self) -> bool {
        self >= needed
    }
}

/// The digest under which a token is stored. A token is random and long, so that a plain SHA-256 hides it.
pub type TokenDigest = [u8; 32];

/// A token, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiToken {
    /// Its public id, as `tok_5f2c9a1be07d`.
    pub id: String,
    /// Its name, for people.
    pub name: String,
    /// What its holder may do.
    pub scope: Scope,
    /// SHA-256 of the token.
    pub digest: TokenDigest,
    /// The last characters of the token, to recognise it.
    pub tail: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was used last, within a minute.
    pub last_used_at: Option<Timestamp>,
}

impl ApiToken {
    /// Makes a token: the token itself, which is shown once, and what is stored of it.
    #[must_use]
    pub fn make(name: &str, scope: Scope, now: Timestamp) -> (String, Self) {
        let secret = format!("{PREFIX}{}", hex::encode(rand::random::<[u8; SECRET_BYTES]>()));
        let tail = secret.get(secret.len().saturating_sub(TAIL)..).unwrap_or_default().to_owned();
        let token = Self {
            id: format!("tok_{}", hex::encode(rand::random::<[u8; 6]>())),
            name: name.to_owned(),
            scope,
            digest: Self::digest(&secret),
            tail,
            created_at: now,
            last_used_at: None,
        };
        (secret, token)
    }

    /// The digest of a token.
    #[must_use]
    pub fn digest(secret: &str) -> TokenDigest {
        Sha256::digest(secret.as_bytes()).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_includes_those_before_it() {
        for (held, needed, covers) in [
            (Scope::Read, Scope::Read, true),
            (Scope::Read, Scope::Replay, false),
            (Scope::Replay, Scope::Read, true),
            (Scope::Replay, Scope::Admin, false),
            (Scope::Admin, Scope::Replay, true),
        ] {
            assert_eq!(held.covers(needed), covers, "{held:?} {needed:?}");
        }
        assert_eq!(Scope::ALL.map(|scope| Scope::from_word(scope.as_str())), Scope::ALL.map(Some));
        assert_eq!(Scope::from_word("Admin"), None);
    }

    #[test]
    fn only_a_digest_and_the_end_of_a_token_are_kept() {
        let (secret, token) = ApiToken::make("ci", Scope::Read, Timestamp::from_secs(5));
        let (other, _) = ApiToken::make("ci", Scope::Read, Timestamp::from_secs(5));
        assert!(secret.starts_with(PREFIX) && secret.len() == PREFIX.len() + 64 && secret != other);
        assert_eq!(token.digest, ApiToken::digest(&secret));
        assert!(secret.ends_with(&token.tail) && token.tail.len() == 4);
        assert!(!format!("{token:?}").contains(&secret));
    }
}
