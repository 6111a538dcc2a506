//! Tokens for the API.

use actix_web::http::StatusCode;

use crate::domain::{ApiToken, Scope};
use crate::http::inspector::json_body::{bad, fault};
use crate::http::inspector::problem::Problem;
use crate::http::inspector::state::InspectorState;
use crate::store::MOST_TOKENS;

/// The longest name, in characters.
const LONGEST_NAME: usize = 60;

/// Makes a token: the token itself, which is shown only now, and what is stored of it.
///
/// # Errors
/// 400 for an invalid name or scope, 409 if there are too many, 503.
pub async fn make(state: &InspectorState, name: &str, scope: &str) -> Result<(String, ApiToken), Problem> {
    let name = name.trim();
    let is_name = (1..=LONGEST_NAME).contains(&name.chars().count()) && !name.contains(char::is_control);
    let mut faults = Vec::new();
    if !is_name {
        faults.push(fault("/name", &format!("1 to {LONGEST_NAME} characters")));
    }
    let Some(scope) = Scope::from_word(scope).filter(|_| is_name) else {
        if Scope::from_word(scope).is_none() {
            let known = Scope::ALL.map(Scope::as_str).join(", ");
            faults.push(fault("/scope", &format!("one of {known}")));
        }
        return Err(bad(faults));
    };
    let (secret, token) = ApiToken::make(name, scope, state.clock.now());
    match state.store.add_token(token.clone()).await {
        Ok(true) => {
            tracing::info!(id = token.id, name, scope = scope.as_str(), "a token was created");
            Ok((secret, token))
        }
        Ok(false) => {
            let detail = format!("There are {MOST_TOKENS} tokens: revoke one first.");
            Err(Problem::new(StatusCode::CONFLICT, detail))
        }
        Err(wrong) => Err(Problem::store_fault(&wrong)),
    }
}

/// Revokes a token. It opens nothing from now on.
///
/// # Errors
/// 404 if there is none, 503.
pub async fn revoke(state: &InspectorState, id: &str) -> Result<(), Problem> {
    let revoked =
        state.store.revoke_token(id.to_owned()).await.map_err(|wrong| Problem::store_fault(&wrong))?;
    if !revoked {
        return Err(Problem::not_found("There is no token of that id."));
    }
    tracing::info!(id, "a token was revoked");
    Ok(())
}
