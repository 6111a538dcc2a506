//! The path of a proxy in front of ours. Routes and pages are written as if the inspector were at the root of a host;
//! here, and only here, the path of `inspector.public_url` is taken off requests and put in front of links.

use actix_web::Error;
use actix_web::body::{BoxBody, MessageBody as _};
use actix_web::dev::{ServiceRequest, ServiceResponse, Url};
use actix_web::http::Uri;
use actix_web::http::header::{CONTENT_TYPE, HeaderValue, LOCATION};
use actix_web::http::uri::PathAndQuery;
use actix_web::middleware::Next;
use actix_web::web::{self, Bytes};
use memchr::memmem;

use super::state::InspectorState;

/// The attributes that contain a path of ours. Received text never looks like one: its quotes are escaped.
const LINKS: [&str; 9] = [
    "href",
    "src",
    "action",
    "data-arrivals",
    "data-stream",
    "data-survey",
    "data-range",
    "data-copy-url",
    "data-copy-link",
];

/// In front of everything: a request loses the public path, whether or not the proxy has taken it off, and slashes at
/// its end; an answer gets the path back in its links. What is behind it must leave pages whole, as bytes.
///
/// # Errors
/// None of its own; those of the service behind it.
pub async fn mount(
    state: web::Data<InspectorState>,
    mut request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    if let Some(uri) = inside(request.uri(), state.public_path()) {
        request.match_info_mut().set(Url::new(uri.clone()));
        request.head_mut().uri = uri;
    }
    let mut response = next.call(request).await?;
    let path = state.public_path();
    if path.is_empty() {
        return Ok(response);
    }
    let headers = response.headers_mut();
    if let Some(to) = headers.get(LOCATION).and_then(|to| outside(to.to_str().ok()?, path)) {
        headers.insert(LOCATION, to);
    }
    if !headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html")) {
        return Ok(response);
    }
    Ok(response.map_body(|_, body| match body.try_into_bytes() {
        Ok(page) => BoxBody::new(Bytes::from(linked(&page, path))),
        Err(body) => body,
    }))
}

/// The address within the inspector; `None` where it is that already.
fn inside(uri: &Uri, public_path: &str) -> Option<Uri> {
    let asked = uri.path();
    let rest = asked.strip_prefix(public_path).filter(|rest| rest.is_empty() || rest.starts_with('/'));
    let path = rest.unwrap_or(asked).trim_end_matches('/');
    let path = if path.is_empty() { "/" } else { path };
    if path == asked {
        return None;
    }
    let mut parts = uri.clone().into_parts();
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    parts.path_and_query = PathAndQuery::try_from(format!("{path}{query}")).ok();
    Uri::from_parts(parts).ok()
}

/// A path of ours as the browser must ask for it.
fn outside(path: &str, public_path: &str) -> Option<HeaderValue> {
    let is_ours = path.starts_with('/') && !path.starts_with("//");
    is_ours.then(|| HeaderValue::try_from(format!("{public_path}{path}")).ok()).flatten()
}

/// A page with the public path before every path in its attributes.
fn linked(page: &[u8], public_path: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(page.len().saturating_add(page.len() / 8));
    let mut rest = page;
    while let Some(at) = memmem::find(rest, b"=\"/") {
        let (before, after) = rest.split_at(at);
        let name = before.rsplit(|byte| byte.is_ascii_whitespace()).next().unwrap_or_default();
        // The sign of equality and the quote, then the path.
        let (sign, path) = after.split_at(2);
        out.extend_from_slice(before);
        out.extend_from_slice(sign);
        if LINKS.iter().any(|link| link.as_bytes() == name) && !path.starts_with(b"//") {
            out.extend_from_slice(public_path.as_bytes());
        }
        rest = path;
    }
    out.extend_from_slice(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_finds_its_page_with_the_path_and_without_it() {
        for (asked, found) in [
            ("/", None),
            ("/tagohook", Some("/")),
            ("/tagohook/", Some("/")),
            ("/tagohook/?q=a%20b", Some("/?q=a%20b")),
            ("/tagohook/deliveries/1?view=hex", Some("/deliveries/1?view=hex")),
            ("/tagohook/deliveries/", Some("/deliveries")),
            ("/deliveries/1", None),
            ("/deliveries/?a=/", Some("/deliveries?a=/")),
            ("/tagohooks", None),
            ("/x/tagohook/", Some("/x/tagohook")),
            ("//", Some("/")),
            ("/entities/a/b%2F", None),
            ("/tagohook/tagohook/x", Some("/tagohook/x")),
        ] {
            let inside = inside(&asked.parse().unwrap(), "/tagohook");
            assert_eq!(inside.map(|uri| uri.to_string()).as_deref(), found, "{asked}");
        }
        assert_eq!(inside(&"/tagohook/x".parse().unwrap(), ""), None);
        assert_eq!(inside(&"/x/".parse().unwrap(), "").unwrap(), "/x");
    }

    #[test]
    fn only_links_of_a_page_get_the_path() {
        let page = r#"<a class="x" href="/">a</a><form action="/replays?a=/b"><img src="/static/icon.svg"><a
            href="/diff" data-key="/" data-pointer="/a"><a href="?view=hex"><a href="https://x/"><a href="//x/">
            <table data-stream="/api/v1/deliveries/stream"> href=&#34;/x&#34; href='/y' xhref="/z" value="/v">"#;
        let expected = r#"<a class="x" href="/t/">a</a><form action="/t/replays?a=/b"><img src="/t/static/icon.svg"><a
            href="/t/diff" data-key="/" data-pointer="/a"><a href="?view=hex"><a href="https://x/"><a href="//x/">
            <table data-stream="/t/api/v1/deliveries/stream"> href=&#34;/x&#34; href='/y' xhref="/z" value="/v">"#;
        assert_eq!(String::from_utf8(linked(page.as_bytes(), "/t")).unwrap(), expected);
        assert_eq!(linked(b"", "/t"), b"");
        assert_eq!(linked(b"=\"/", "/t"), b"=\"/");
    }

    #[test]
    fn a_redirect_stays_under_the_path() {
        let outside = |to| outside(to, "/t").map(|to| to.to_str().unwrap().to_owned());
        assert_eq!(outside("/login?next=%2F").as_deref(), Some("/t/login?next=%2F"));
        assert_eq!(outside("https://elsewhere/"), None);
        assert_eq!(outside("//elsewhere/"), None);
    }
}
