//! The response to a request that the guard refuses: a page for people, a problem for programs.

use actix_web::HttpResponse;
use actix_web::dev::ServiceRequest;
use actix_web::http::StatusCode;
use askama::Template;

use super::pages::page;
use super::problem::Problem;
use crate::http::receiver::no_delivery::is_read_by_a_person;

#[derive(Template)]
#[template(path = "refused.html")]
struct Refused<'a> {
    title: &'a str,
    detail: &'a str,
    fix: &'a str,
}

/// The name in `Host` is not one of ours.
pub fn strange_host(request: &ServiceRequest, host: Option<&str>) -> HttpResponse {
    let name = host.filter(|host| is_name(host)).unwrap_or("example.com");
    let detail = format!(
        "The inspector does not answer to the host name {:?}. If this name is yours, add it to the configuration and \
         restart.",
        host.unwrap_or_default()
    );
    let fix = format!("[inspector]\nallowed_hosts = [\"{name}\"]");
    forbidden(request, "Host name not allowed", &detail, &fix)
}

/// The browser says that the request is one that another site made.
pub fn strange_site(request: &ServiceRequest) -> HttpResponse {
    let detail = "This request came from another site. If it came from the inspector's own page, set public_url to \
                  the address in the browser, and restart.";
    let fix = "[inspector]\npublic_url = \"https://example.com/tagohook/\"";
    forbidden(request, "Request from another site", detail, fix)
}

/// The page that made the request is at `origin`, which is not where it arrived: `host`. Another site made it, or a proxy
/// put another name into `Host`.
pub fn strange_origin(request: &ServiceRequest, origin: &str, host: &str) -> HttpResponse {
    let authority = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
    let Some(_) = authority.filter(|authority| is_name(authority)) else { return strange_site(request) };
    let detail = format!(
        "The page that sent this request is at {origin}, but the request arrived for the host {host}. If {origin} is \
         the inspector behind your proxy, the proxy replaced the Host header. Let the proxy pass it on, with its port \
         (nginx: proxy_set_header Host $http_host; Apache: ProxyPreserveHost On), or set public_url and restart."
    );
    let fix = format!("[inspector]\npublic_url = \"{origin}/\"");
    forbidden(request, "Origin and Host differ", &detail, &fix)
}

/// Whether a host, perhaps with a port, can be shown and copied as it is.
fn is_name(host: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte);
    !host.is_empty() && host.len() <= 255 && host.bytes().all(is_plain)
}

fn forbidden(request: &ServiceRequest, title: &str, detail: &str, fix: &str) -> HttpResponse {
    if !is_program(request.path()) && is_read_by_a_person(request.request()) {
        return page::html(StatusCode::FORBIDDEN, &Refused { title, detail, fix });
    }
    let fix = fix.replace('\n', " ");
    Problem::new(StatusCode::FORBIDDEN, format!("{title}. {detail} {fix}")).response()
}

/// Whether a program, not a person, reads at this path.
pub fn is_program(path: &str) -> bool {
    path.starts_with("/api/") || path == "/metrics" || path == "/openapi.json"
}
