//! By what a request was let in. Answers that last ask again whether it still opens.

use actix_web::HttpMessage as _;
use actix_web::HttpRequest;

use super::problem::Problem;
use super::scopes;
use super::state::InspectorState;
use crate::domain::{Scope, TokenDigest};

/// What let a request in, if that can be taken away.
#[derive(Clone, Debug)]
pub enum Access {
    /// A token, by its digest, and its scope.
    Token(TokenDigest, Scope),
    /// A login, by the value of its cookie.
    Session(String),
}

impl Access {
    /// What let this request in; `None` if nothing was needed, or the password itself was shown.
    pub fn of(request: &HttpRequest) -> Option<Self> {
        request.extensions().get::<Self>().cloned()
    }

    /// Refuses a request that needs more than its route does.
    ///
    /// # Errors
    /// 403 with a token whose scope is too small.
    pub fn ask_for(request: &HttpRequest, needed: Scope) -> Result<(), Problem> {
        match Self::of(request) {
            Some(Self::Token(_, scope)) if !scope.covers(needed) => Err(scopes::too_small(scope, needed)),
            _ => Ok(()),
        }
    }

    /// Whether it was revoked, or the user has logged out. A store that cannot be read revokes nothing.
    pub async fn is_over(&self, state: &InspectorState) -> bool {
        match self {
            Self::Token(digest, _) => matches!(state.store.token(*digest).await, Ok(None)),
            Self::Session(id) => !state.auth.is_session(id, state.clock.now()),
        }
    }
}
