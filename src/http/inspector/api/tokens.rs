//! `GET tokens`, `POST tokens`, `DELETE tokens/{id}`: tokens for the API.

use actix_web::web;
use serde::Serialize;
use utoipa::ToSchema;

use super::openapi::{Created, Done, NoContent};
use crate::domain::ApiToken;
use crate::http::inspector::answer::{ScopeWord, Time};
use crate::http::inspector::operations::tokens::{TokenRequest, make, revoke};
use crate::http::inspector::problem::Problem;
use crate::http::inspector::request::Json;
use crate::http::inspector::state::InspectorState;

/// Tokens.
#[derive(Debug, Serialize, ToSchema)]
pub struct TokenList {
    tokens: Vec<TokenObject>,
    next: Option<String>,
}

/// A token for the API.
#[derive(Debug, Serialize, ToSchema)]
pub struct TokenObject {
    id: String,
    name: String,
    scope: ScopeWord,
    /// The token itself, when it was just made.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    token: Option<String>,
    /// Its last characters.
    tail: String,
    created_at: Time,
    last_used_at: Option<Time>,
}

impl TokenObject {
    fn of(token: ApiToken, secret: Option<String>) -> Self {
        Self {
            id: token.id,
            name: token.name,
            scope: token.scope.into(),
            token: secret,
            tail: token.tail,
            created_at: token.created_at.into(),
            last_used_at: token.last_used_at.map(Time),
        }
    }
}

/// Every token, the newest first.
pub async fn list(state: web::Data<InspectorState>) -> Result<Done<TokenList>, Problem> {
    let all = state.store.tokens().await?;
    let tokens = all.into_iter().map(|token| TokenObject::of(token, None)).collect();
    Ok(Done(TokenList { tokens, next: None }))
}

/// Makes a token.
pub async fn create(
    Json(request): Json<TokenRequest>,
    state: web::Data<InspectorState>,
) -> Result<Created<TokenObject>, Problem> {
    let (secret, token) = make(&state, request).await?;
    Ok(Created(TokenObject::of(token, Some(secret)), None))
}

/// Revokes a token.
pub async fn delete(id: web::Path<String>, state: web::Data<InspectorState>) -> Result<NoContent, Problem> {
    revoke(&state, &id).await?;
    Ok(NoContent)
}
