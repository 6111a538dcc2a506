//! `/tokens`: tokens for the API, and the form that makes one. The token itself is on the answer to that form, and nowhere
//! else.

use actix_web::http::StatusCode;
use actix_web::http::header::LOCATION;
use actix_web::{HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use super::page::{self, Frame};
use crate::domain::{ApiToken, Scope, Timestamp};
use crate::http::inspector::json_body;
use crate::http::inspector::operations::tokens::{self, TokenRequest};
use crate::http::inspector::problem::Problem;
use crate::http::inspector::request::{Fields, Members};
use crate::http::inspector::state::InspectorState;
use crate::http::inspector::words::When;

#[derive(Template)]
#[template(path = "tokens.html")]
struct Page {
    frame: Frame,
    /// The token that was just made, with its name.
    made: Option<(String, String)>,
    fault: Option<String>,
    name: String,
    scope: String,
    /// Whether the inspector asks for a password at all.
    is_protected: bool,
    tokens: Vec<TokenView>,
}

struct TokenView {
    id: String,
    name: String,
    scope: &'static str,
    tail: String,
    created: When,
    used: Option<When>,
}

/// Every token.
pub async fn list(state: web::Data<InspectorState>) -> HttpResponse {
    show(&state, StatusCode::OK, Shown::default()).await
}

/// Makes a token.
pub async fn create(payload: web::Payload, state: web::Data<InspectorState>) -> HttpResponse {
    let form = match json_body::bytes(payload).await {
        Ok(form) => form,
        Err(problem) => return refused(&state, &problem),
    };
    let mut fields = Fields::of_form(&form, &["name"]);
    let request: TokenRequest = fields.take();
    let made = match fields.finish_form() {
        Ok(()) => tokens::make(&state, request).await,
        Err(problem) => Err(problem),
    };
    match made {
        Ok((secret, token)) => {
            let made = Some((secret, token.name));
            show(&state, StatusCode::CREATED, Shown { made, ..Shown::default() }).await
        }
        Err(problem) => {
            let fault = Some(problem.sentences());
            let Typed { name, scope } = Fields::of_form(&form, &[]).take();
            show(&state, problem.status(), Shown { fault, name, scope, made: None }).await
        }
    }
}

/// The form as it was filled in.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Typed {
    name: String,
    scope: String,
}

impl Members for Typed {}

/// The token to revoke.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Revoked {
    id: String,
}

impl Members for Revoked {}

/// Revokes a token.
pub async fn revoke(payload: web::Payload, state: web::Data<InspectorState>) -> HttpResponse {
    let revoked = async {
        let Revoked { id } = Fields::of_form(&json_body::bytes(payload).await?, &[]).take();
        tokens::revoke(&state, &id).await
    };
    match revoked.await {
        Ok(()) => HttpResponse::SeeOther().insert_header((LOCATION, "/tokens")).finish(),
        Err(problem) => refused(&state, &problem),
    }
}

fn refused(state: &InspectorState, problem: &Problem) -> HttpResponse {
    page::message(state, problem.status(), "The token was not changed", &problem.sentences())
}

/// What a page shows apart from the list.
#[derive(Default)]
struct Shown {
    made: Option<(String, String)>,
    fault: Option<String>,
    name: String,
    scope: String,
}

async fn show(state: &InspectorState, status: StatusCode, shown: Shown) -> HttpResponse {
    match state.store.tokens().await {
        Ok(tokens) => {
            let Shown { made, fault, name, scope } = shown;
            let page = Page {
                frame: Frame::of(state, "tokens"),
                made,
                fault,
                name,
                scope: if scope.is_empty() { Scope::Read.as_str().to_owned() } else { scope },
                is_protected: state.auth.is_required(),
                tokens: tokens.into_iter().map(|token| view(token, state.clock.now())).collect(),
            };
            page::html(status, &page)
        }
        Err(fault) => page::store_fault(state, &fault),
    }
}

fn view(token: ApiToken, now: Timestamp) -> TokenView {
    TokenView {
        id: token.id,
        name: token.name,
        scope: token.scope.as_str(),
        tail: token.tail,
        created: When::relative(token.created_at, now),
        used: token.last_used_at.map(|used| When::relative(used, now)),
    }
}
