//! `/tokens`: tokens for the API, and the form that makes one. The token itself is on the answer to that form, and nowhere
//! else.

use actix_web::http::StatusCode;
use actix_web::http::header::LOCATION;
use actix_web::{HttpResponse, web};
use askama::Template;

use super::page::{self, Frame};
use crate::domain::{ApiToken, Scope, Timestamp};
use crate::http::inspector::json_body;
use crate::http::inspector::operations::tokens;
use crate::http::inspector::problem::Problem;
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
    let form = match Form::read(payload).await {
        Ok(form) => form,
        Err(problem) => return refused(&state, &problem),
    };
    let (name, scope) = (form.field("name"), form.field("scope"));
    match tokens::make(&state, &name, &scope).await {
        Ok((secret, token)) => {
            let made = Some((secret, token.name));
            show(&state, StatusCode::CREATED, Shown { made, ..Shown::default() }).await
        }
        Err(problem) => {
            let fault = Some(problem.sentences());
            show(&state, problem.status(), Shown { fault, name, scope, made: None }).await
        }
    }
}

/// Revokes a token.
pub async fn revoke(payload: web::Payload, state: web::Data<InspectorState>) -> HttpResponse {
    let revoked = async {
        let form = Form::read(payload).await?;
        tokens::revoke(&state, &form.field("id")).await
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

/// The fields of a form.
struct Form(Vec<(String, String)>);

impl Form {
    async fn read(payload: web::Payload) -> Result<Self, Problem> {
        let bytes = json_body::bytes(payload).await?;
        Ok(Self(form_urlencoded::parse(&bytes).into_owned().collect()))
    }

    fn field(&self, name: &str) -> String {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone()).unwrap_or_default()
    }
}
