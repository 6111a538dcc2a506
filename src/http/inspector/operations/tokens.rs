//! Tokens for the API.

use serde::Deserialize;
use utoipa::ToSchema;

use super::replay::fault;
use crate::domain::{ApiToken, Scope};
use crate::http::inspector::problem::Problem;
use crate::http::inspector::request::{As, Members, ScopeParam, Word};
use crate::http::inspector::state::InspectorState;
use crate::store::MOST_TOKENS;

/// The longest name, in characters.
const LONGEST_NAME: usize = 60;

/// A token to make.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
pub struct TokenRequest {
    /// Its name, of 1 to 60 characters.
    #[schema(value_type = String, min_length = 1, max_length = 60)]
    pub name: Option<As<TokenName>>,
    // With a description, the library would say that it is a text and an object.
    #[schema(inline, value_type = ScopeParam)]
    pub scope: Option<ScopeParam>,
}

impl Members for TokenRequest {}

/// The name of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenName(pub String);

impl Word for TokenName {
    fn expected() -> String {
        format!("1 to {LONGEST_NAME} characters")
    }

    fn read(text: &str) -> Result<Self, Option<String>> {
        let name = text.trim();
        let is_name = (1..=LONGEST_NAME).contains(&name.chars().count()) && !name.contains(char::is_control);
        is_name.then(|| Self(name.to_owned())).ok_or(None)
    }
}

/// Makes a token: the token itself, which is shown only now, and what is stored of it.
///
/// # Errors
/// 400 for an invalid name or scope, 409 if there are too many, 503.
pub async fn make(state: &InspectorState, request: TokenRequest) -> Result<(String, ApiToken), Problem> {
    let mut faults = Vec::new();
    if request.name.is_none() {
        faults.push(fault("/name", TokenName::expected()));
    }
    if request.scope.is_none() {
        faults.push(fault("/scope", Scope::expected()));
    }
    let (Some(As(TokenName(name))), Some(As(scope))) = (request.name, request.scope) else {
        return Err(Problem::bad_body(faults));
    };
    let (secret, token) = ApiToken::make(&name, scope, state.clock.now());
    if !state.store.add_token(token.clone()).await? {
        return Err(Problem::conflict(format!("There are {MOST_TOKENS} tokens: revoke one first.")));
    }
    tracing::info!(id = token.id, name, scope = scope.as_str(), "a token was created");
    Ok((secret, token))
}

/// Revokes a token. It opens nothing from now on.
///
/// # Errors
/// 404 if there is none, 503.
pub async fn revoke(state: &InspectorState, id: &str) -> Result<(), Problem> {
    if !state.store.revoke_token(id.to_owned()).await? {
        return Err(Problem::not_found("There is no token of that id."));
    }
    tracing::info!(id, "a token was revoked");
    Ok(())
}
