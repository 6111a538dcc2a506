//! In front of every page and every answer of the inspector: the host, the origin, the password, and the headers that
//! keep a browser from running or framing anything.

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, COOKIE, HOST,
    HeaderMap, HeaderName, HeaderValue, LOCATION, ORIGIN, REFERRER_POLICY, RETRY_AFTER, TRANSFER_ENCODING,
    WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage as _, HttpResponse, web};

use super::access::Access;
use super::admin_auth::{self, Login};
use super::hosts::is_same_host;
use super::problem::Problem;
use super::state::InspectorState;
use super::{refusal, scopes};
use crate::domain::{ApiToken, TOKEN_PREFIX};

/// Nothing from elsewhere, nothing inline.
const CSP: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; \
                   font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Where probes ask whether the program runs, and whether it can store deliveries.
const PROBES: [&str; 2] = ["/healthz", "/readyz"];

/// The guard.
///
/// # Errors
/// None of its own; those of the service behind it.
pub async fn guard(
    state: web::Data<InspectorState>,
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let refusal = match refuse_stranger(&state, &request) {
        // A probe has no password, and may know no name of ours. The response says nothing else.
        _ if PROBES.contains(&request.path()) => None,
        Some(refusal) => Some(refusal),
        None => refuse_unknown(&state, &request).await,
    };
    let mut response = match refusal {
        Some(refusal) => request.into_response(refusal),
        None => next.call(request).await?,
    };
    protect(response.headers_mut());
    Ok(response)
}

/// The only value of a header; `None` if there is none or more than one, or if it is not ASCII.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name);
    let value = values.next()?;
    values.next().is_none().then(|| value.to_str().ok()).flatten()
}

/// Refuses what another site makes a browser send.
fn refuse_stranger(state: &InspectorState, request: &ServiceRequest) -> Option<HttpResponse> {
    let headers = request.headers();
    let host = only(headers, &HOST);
    let Some(host) = host.filter(|host| state.hosts.allows(host)) else {
        return Some(refusal::strange_host(request, host));
    };
    let site = headers.get("sec-fetch-site").map(|value| value.to_str().unwrap_or("cross-site"));
    let is_own = site == Some("same-origin");
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    if let Some(origin) = headers.get(ORIGIN) {
        let origin = only(headers, &ORIGIN).filter(|_| !origin.is_empty()).unwrap_or("null");
        // A form of a page that sends no referrer has the origin `null`; the browser itself vouches for it.
        let is_ours = if origin == "null" { is_own } else { is_our_origin(state, origin, host, is_own) };
        if !is_ours {
            return Some(match site {
                None | Some("same-origin") => refusal::strange_origin(request, origin, host),
                Some(_) => refusal::strange_site(request),
            });
        }
    }
    match site {
        None | Some("same-origin" | "none") => {}
        Some("same-site") if reads => {}
        // Somebody followed a link to a page: nothing changes by that, and nothing can be read from outside.
        Some(_) if reads && is_page_visit(request) => {}
        Some(_) => return Some(refusal::strange_site(request)),
    }
    let is_browser = site.is_some() || headers.contains_key(ORIGIN);
    if !reads && !is_browser && request.path() != "/login" && has_body(headers) && !is_json(headers) {
        let detail = "A request that changes something needs Content-Type: application/json.";
        return Some(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail).response());
    }
    None
}

/// Whether a page of this origin is one of ours. A proxy may drop the port of `Host`, add one, or put our own address
/// in its place. No other site can make a browser say `same-origin`; where it does, the name alone must be one of ours.
/// A name that the configuration lists is enough without that: browsers send it over https and to this machine only.
fn is_our_origin(state: &InspectorState, origin: &str, host: &str, is_own: bool) -> bool {
    let (usual_port, authority) = match (origin.strip_prefix("http://"), origin.strip_prefix("https://")) {
        (Some(authority), _) => (80, authority),
        (_, Some(authority)) => (443, authority),
        _ => return false,
    };
    let is_public =
        || state.public_url.as_deref().is_some_and(|url| url.origin().eq_ignore_ascii_case(origin));
    let is_known = if is_own { state.hosts.allows(authority) } else { state.hosts.lists(authority) };
    is_same_host(authority, host, usual_port) || is_public() || is_known
}

fn is_page_visit(request: &ServiceRequest) -> bool {
    let says = |name: &str, value: &str| request.headers().get(name).is_some_and(|seen| seen == value);
    !refusal::is_program(request.path())
        && says("sec-fetch-mode", "navigate")
        && says("sec-fetch-dest", "document")
}

fn has_body(headers: &HeaderMap) -> bool {
    headers.contains_key(TRANSFER_ENCODING) || headers.get(CONTENT_LENGTH).is_some_and(|length| length != "0")
}

fn is_json(headers: &HeaderMap) -> bool {
    let media_type = only(headers, &CONTENT_TYPE).and_then(|value| value.split(';').next());
    media_type.is_some_and(|value| value.trim().eq_ignore_ascii_case("application/json"))
}

/// Refuses who has not shown the password, where there is one.
async fn refuse_unknown(state: &InspectorState, request: &ServiceRequest) -> Option<HttpResponse> {
    let path = request.path();
    if path == "/login" || path.starts_with("/static/") {
        return None;
    }
    let headers = request.headers();
    let bearer = bearer(headers);
    // A token counts where no password is set, too: its holder wants no more than its scope.
    if let Some(token) = bearer.as_deref().filter(|token| token.starts_with(TOKEN_PREFIX)) {
        return refuse_token(state, request, token).await;
    }
    if !state.auth.is_required() {
        return None;
    }
    if let Some(token) = bearer {
        return match state.auth.check(&token).await {
            Login::Right => None,
            Login::Wrong => Some(unauthorized("This is neither the password nor a token.")),
            Login::Busy => Some(busy()),
        };
    }
    let is_browser = headers.contains_key("sec-fetch-site") || headers.contains_key(ORIGIN);
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let session = session(headers).filter(|id| state.auth.is_session(id, state.clock.now()));
    if let Some(session) = session
        && (reads || is_browser)
    {
        request.extensions_mut().insert(Access::Session(session));
        return None;
    }
    if refusal::is_program(path) || !reads {
        return Some(unauthorized(
            "This needs the inspector's password or a token, as Authorization: Bearer.",
        ));
    }
    let next = request.uri().path_and_query().map_or("/", |target| target.as_str());
    let query = form_urlencoded::Serializer::new(String::new()).append_pair("next", next).finish();
    Some(HttpResponse::SeeOther().insert_header((LOCATION, format!("/login?{query}"))).finish())
}

/// Refuses a token that is unknown, or whose scope is too small.
async fn refuse_token(state: &InspectorState, request: &ServiceRequest, token: &str) -> Option<HttpResponse> {
    let digest = ApiToken::digest(token);
    let token = match state.store.token(digest).await {
        Ok(Some(token)) => token,
        Ok(None) => return Some(unauthorized("This token is unknown, or it was revoked.")),
        Err(fault) => return Some(Problem::from(fault).response()),
    };
    let needed = scopes::needed(request.method(), request.path());
    if !token.scope.covers(needed) {
        return Some(scopes::too_small(token.scope, needed).response());
    }
    let now = state.clock.now();
    if token.is_use_new(now)
        && let Err(fault) = state.store.token_used(token.id, now).await
    {
        tracing::warn!(%fault, "the last use of a token could not be written");
    }
    request.extensions_mut().insert(Access::Token(digest, token.scope));
    None
}

fn bearer(headers: &HeaderMap) -> Option<String> {
    let value = only(headers, &AUTHORIZATION)?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())
}

/// The session's id in the cookies of a request.
pub fn session(headers: &HeaderMap) -> Option<String> {
    let lines = headers.get_all(COOKIE).filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == admin_auth::COOKIE).map(|(_, value)| value.to_owned())
}

fn unauthorized(detail: &str) -> HttpResponse {
    let mut answer = Problem::new(StatusCode::UNAUTHORIZED, detail).response();
    answer.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"tagohook\""));
    answer
}

fn busy() -> HttpResponse {
    let detail = "Too many login attempts; try again in a few seconds.";
    let mut answer = Problem::new(StatusCode::TOO_MANY_REQUESTS, detail).response();
    answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("5"));
    answer
}

/// The headers of every answer; what a handler has set stricter stays.
fn protect(headers: &mut HeaderMap) {
    let fixed = [
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    for (name, value) in [(CONTENT_SECURITY_POLICY, CSP), (CACHE_CONTROL, "no-store")] {
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
}
