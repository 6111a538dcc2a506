//! `GET tokens`, `POST tokens`, `DELETE tokens/{id}`: tokens for the API.

use actix_web::{HttpResponse, web};
use serde::Serialize;
use serde_json::Value;

use crate::domain::ApiToken;
use crate::http::inspector::InspectorState;
use crate::http::inspector::json_body::object;
use crate::http::inspector::operations::tokens::{make, revoke};
use crate::http::inspector::problem::{Problem, answer};

#[derive(Serialize)]
struct List {
    tokens: Vec<TokenObject>,
    next: Option<String>,
}

#[derive(Serialize)]
struct TokenObject {
    id: String,
    name: String,
    scope: &'static str,
    /// The token itself, when it was just made.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    tail: String,
    created_at: String,
    last_used_at: Option<String>,
}

impl TokenObject {
    fn of(token: ApiToken, secret: Option<String>) -> Self {
        Self {
            id: token.id,
            name: token.name,
            scope: token.scope.as_str(),
            token: secret,
            tail: token.tail,
            created_at: token.created_at.to_string(),
            last_used_at: token.last_used_at.map(|used| used.to_string()),
        }
    }
}

/// Every token, the newest first.
pub async fn list(state: web::Data<InspectorState>) -> HttpResponse {
    match state.store.tokens().await {
        Ok(all) => {
            let tokens = all.into_iter().map(|token| TokenObject::of(token, None)).collect();
            HttpResponse::Ok().json(List { tokens, next: None })
        }
        Err(wrong) => Problem::store_fault(&wrong).response(),
    }
}

/// Makes a token.
pub async fn create(payload: web::Payload, state: web::Data<InspectorState>) -> HttpResponse {
    let made = async {
        let members = object(payload, &["name", "scope"]).await?;
        let text = |key: &str| members.get(key).and_then(Value::as_str).unwrap_or_default();
        let (secret, token) = make(&state, text("name"), text("scope")).await?;
        Ok(HttpResponse::Created().json(TokenObject::of(token, Some(secret))))
    };
    answer(made.await)
}

/// Revokes a token.
pub async fn delete(id: web::Path<String>, state: web::Data<InspectorState>) -> HttpResponse {
    answer(revoke(&state, &id).await.map(|()| HttpResponse::NoContent().finish()))
}
