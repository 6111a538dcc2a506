//! What every store promises about tokens for the API.

pub mod postgres;
pub mod sqlite;

use std::time::Duration;

use async_trait::async_trait;

use crate::domain::{ApiToken, Scope, Timestamp, TokenDigest};
use crate::store::StoreError;

/// The most tokens.
pub const MOST: i64 = 1_000;
/// How exactly the last use of a token is kept: it is written at most once in this time.
const USE_STEP: Duration = Duration::from_secs(60);

/// Tokens for the API.
///
/// Every method fails with `Unavailable` if the store cannot be read or written; `add_token` fails with `Full` while too
/// much waits to be written.
#[async_trait]
pub trait ApiTokens: Send + Sync {
    /// Stores a token; `false` if a thousand others are stored.
    async fn add_token(&self, token: ApiToken) -> Result<bool, StoreError>;

    /// Revokes a token; `false` if none has that id.
    async fn revoke_token(&self, id: String) -> Result<bool, StoreError>;

    /// Every token, the newest first.
    async fn tokens(&self) -> Result<Vec<ApiToken>, StoreError>;

    /// The token with this digest.
    async fn token(&self, digest: TokenDigest) -> Result<Option<ApiToken>, StoreError>;

    /// Writes down that a token was used `now`.
    async fn token_used(&self, id: String, now: Timestamp) -> Result<(), StoreError>;
}

impl ApiToken {
    /// Whether its use `now` is worth writing down.
    #[must_use]
    pub fn is_use_new(&self, now: Timestamp) -> bool {
        self.last_used_at.is_none_or(|last| last.plus(USE_STEP) <= now || now.plus(USE_STEP) <= last)
    }
}

/// The number of a scope.
const fn scope_number(scope: Scope) -> i64 {
    match scope {
        Scope::Read => 0,
        Scope::Replay => 1,
        Scope::Admin => 2,
    }
}

/// The scope with this number.
fn scope(number: i64) -> Option<Scope> {
    Scope::ALL.into_iter().find(|scope| scope_number(*scope) == number)
}
