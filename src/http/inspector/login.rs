//! `/login` and `/logout`.

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderMap, LOCATION, ORIGIN, RETRY_AFTER, SET_COOKIE};
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::admin_auth::{COOKIE, Login, SESSION};
use super::pages::page;
use super::state::InspectorState;
use super::{guard, json_body};
use crate::config::PublicUrl;

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage<'a> {
    next: &'a str,
    fault: &'a str,
}

/// The form.
pub async fn form(request: HttpRequest, state: web::Data<InspectorState>) -> HttpResponse {
    let next = field(request.query_string().as_bytes(), "next");
    if !state.auth.is_required() {
        return see(same_site(&next)).finish();
    }
    page::html(StatusCode::OK, &LoginPage { next: same_site(&next), fault: "" })
}

/// The password came.
pub async fn login(
    request: HttpRequest,
    payload: web::Payload,
    state: web::Data<InspectorState>,
) -> HttpResponse {
    let body = match json_body::bytes(payload).await {
        Ok(body) => body,
        Err(problem) => return problem.response(),
    };
    let next = field(&body, "next");
    let next = same_site(&next);
    match state.auth.check(&field(&body, "password")).await {
        Login::Right => {
            let id = state.auth.open_session(state.clock.now());
            see(next).insert_header((SET_COOKIE, cookie(&state, &request, &id, SESSION.as_secs()))).finish()
        }
        Login::Wrong => {
            let fault = "This is not the password.";
            page::html(StatusCode::UNAUTHORIZED, &LoginPage { next, fault })
        }
        Login::Busy => {
            let fault = "Too many login attempts; try again in a few seconds.";
            let mut answer = page::html(StatusCode::TOO_MANY_REQUESTS, &LoginPage { next, fault });
            answer.headers_mut().insert(RETRY_AFTER, actix_web::http::header::HeaderValue::from_static("5"));
            answer
        }
    }
}

/// Ends the session.
pub async fn logout(request: HttpRequest, state: web::Data<InspectorState>) -> HttpResponse {
    if let Some(id) = guard::session(request.headers()) {
        state.auth.close_session(&id);
    }
    see("/login").insert_header((SET_COOKIE, cookie(&state, &request, "", 0))).finish()
}

fn see(path: &str) -> actix_web::HttpResponseBuilder {
    let mut answer = HttpResponse::SeeOther();
    answer.insert_header((LOCATION, path));
    answer
}

/// The cookie is sent when a user follows a link from elsewhere (`Lax`): such a request reads a page and changes
/// nothing. Whatever changes something is a POST, goes without the cookie when another site makes it, and is refused
/// by the guard all the same.
fn cookie(state: &InspectorState, request: &HttpRequest, id: &str, max_age_s: u64) -> String {
    let public = state.public_url.as_deref();
    let path = public.map(PublicUrl::path).filter(|path| !path.is_empty()).unwrap_or("/");
    let is_secure = public.is_some_and(PublicUrl::is_https) || is_over_https(request.headers());
    let secure = if is_secure { "; Secure" } else { "" };
    format!("{COOKIE}={id}; Path={path}; Max-Age={max_age_s}; HttpOnly; SameSite=Lax{secure}")
}

/// Whether the page that posts the form was reached by https, which its `Origin` says.
fn is_over_https(headers: &HeaderMap) -> bool {
    headers.get(ORIGIN).is_some_and(|origin| origin.as_bytes().starts_with(b"https://"))
}

fn field(form: &[u8], name: &str) -> String {
    form_urlencoded::parse(form)
        .find(|(known, _)| known == name)
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}

/// A path of ours; anything else is the first page. Browsers read `//host` and `/\host` as another site.
fn same_site(next: &str) -> &str {
    let is_path = next.starts_with('/') && !next.starts_with("//") && !next.starts_with("/login");
    let is_plain = next.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if is_path && is_plain { next } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_leads_only_to_our_own_pages() {
        for ours in ["/", "/deliveries/0199", "/?q=a%20b&verdict=rejected"] {
            assert_eq!(same_site(ours), ours);
        }
        for strange in [
            "",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "javascript:alert(1)",
            "/\t/evil.example",
            "/a\r\nSet-Cookie: x",
            "deliveries",
            "/login?next=/login",
        ] {
            assert_eq!(same_site(strange), "/", "{strange:?}");
        }
    }
}
