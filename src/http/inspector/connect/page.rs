//! The page "Connect a sender", and what its forms ask for.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::check;
use super::guide::{For, Guide, Shown};
use crate::http::api::json_body;
use crate::http::inspector::page::{self, Frame};
use crate::http::inspector::state::InspectorState;

#[derive(Template)]
#[template(path = "connect/page.html")]
struct ConnectPage {
    frame: Frame,
    guide: Guide,
}

/// `GET /connect?for=tagoio&at=https://example.com`.
pub async fn connect(request: HttpRequest, state: web::Data<InspectorState>) -> HttpResponse {
    let fields = Fields::read(request.query_string().as_bytes());
    show(&request, &state, &fields, Shown::default()).await
}

/// `POST /connect/secret`: the same page, with the secret in clear.
pub async fn show_secret(
    request: HttpRequest,
    payload: web::Payload,
    state: web::Data<InspectorState>,
) -> HttpResponse {
    let fields = match Fields::of(payload).await {
        Ok(fields) => fields,
        Err(refusal) => return refusal,
    };
    show(&request, &state, &fields, Shown { secret: true, ..Shown::default() }).await
}

/// `POST /connect/check`: the same page, with what the public address answered.
pub async fn try_address(
    request: HttpRequest,
    payload: web::Payload,
    state: web::Data<InspectorState>,
) -> HttpResponse {
    let fields = match Fields::of(payload).await {
        Ok(fields) => fields,
        Err(refusal) => return refusal,
    };
    let result = check::check(&state, &fields.at).await;
    show(&request, &state, &fields, Shown { check: Some(result), ..Shown::default() }).await
}

async fn show(request: &HttpRequest, state: &InspectorState, fields: &Fields, shown: Shown) -> HttpResponse {
    match Guide::of(request, state, fields.who, &fields.at, shown).await {
        Ok(guide) => page::html(StatusCode::OK, &ConnectPage { frame: Frame::of(state, "connect"), guide }),
        Err(fault) => page::store_fault(state, &fault),
    }
}

/// What the page was asked for.
struct Fields {
    who: For,
    at: String,
}

impl Fields {
    fn read(form: &[u8]) -> Self {
        let field = |name: &str| {
            let found = form_urlencoded::parse(form).find(|(known, _)| known == name);
            found.map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
        };
        Self { who: For::read(&field("for")), at: field("at") }
    }

    async fn of(payload: web::Payload) -> Result<Self, HttpResponse> {
        json_body::bytes(payload).await.map(|form| Self::read(&form)).map_err(|problem| problem.response())
    }
}
