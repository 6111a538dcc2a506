//! The page "Connect a sender", and what its forms ask for.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::check;
use super::guide::{For, Guide};
use crate::http::inspector::json_body;
use crate::http::inspector::pages::page::{self, Frame};
use crate::http::inspector::state::InspectorState;

#[derive(Template)]
#[template(path = "connect/page.html")]
struct ConnectPage {
    frame: Frame,
    guide: Guide,
}

/// `GET /connect?for=tagoio&at=https://example.com`.
pub async fn connect(request: HttpRequest, state: web::Data<InspectorState>) -> HttpResponse {
    let asked = Asked::read(request.query_string().as_bytes());
    show(&request, &state, &asked, false).await
}

/// `POST /connect/secret`, `/connect/check` and `/connect/forget`: the same page, after that was done.
pub async fn act(
    what: web::Path<String>,
    request: HttpRequest,
    payload: web::Payload,
    state: web::Data<InspectorState>,
) -> HttpResponse {
    let asked = match json_body::bytes(payload).await {
        Ok(form) => Asked::read(&form),
        Err(problem) => return problem.response(),
    };
    match what.as_str() {
        "secret" => return show(&request, &state, &asked, true).await,
        "check" => {
            let (found, base) = check::check(&state, &asked.at).await;
            state.remember_check(&asked.at, found, base).await;
        }
        "forget" => {
            state.forget_address().await;
            return show(&request, &state, &Asked { at: String::new(), ..asked }, false).await;
        }
        _ => return page::not_found(&state, "There is no page at this address."),
    }
    show(&request, &state, &asked, false).await
}

async fn show(
    request: &HttpRequest,
    state: &InspectorState,
    asked: &Asked,
    has_secret: bool,
) -> HttpResponse {
    match Guide::of(request, state, asked.who, &asked.at, has_secret).await {
        Ok(guide) => page::html(StatusCode::OK, &ConnectPage { frame: Frame::of(state, "connect"), guide }),
        Err(fault) => page::store_fault(state, &fault),
    }
}

/// What the page was asked for.
struct Asked {
    who: For,
    /// The public address as it was typed; empty: the one that is known.
    at: String,
}

impl Asked {
    fn read(form: &[u8]) -> Self {
        let field = |name: &str| {
            let found = form_urlencoded::parse(form).find(|(known, _)| known == name);
            found.map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
        };
        Self { who: For::read(&field("for")), at: field("at") }
    }
}
