//! Who may see a secret (docs/decisions/0035): users with the password, and users at this machine.

use actix_web::HttpRequest;
use actix_web::http::header::HOST;

use crate::http::inspector::state::InspectorState;

/// Headers that a proxy adds: a user behind one may be elsewhere.
const OF_PROXIES: [&str; 5] = ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via"];

/// Why a secret is not shown to this request; `None`: it may be.
pub fn refusal(request: &HttpRequest, state: &InspectorState) -> Option<&'static str> {
    if state.auth.is_required() {
        return None;
    }
    let headers = request.headers();
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let is_here = matches!(name, "localhost" | "127.0.0.1" | "[::1]");
    let is_proxied = OF_PROXIES.iter().any(|name| headers.contains_key(*name));
    (!is_here || is_proxied || state.public_url.is_some()).then_some(
        "It is not shown here: this page has no password, and it was not opened on the machine itself. Set \
         inspector.password_file to see secrets from elsewhere.",
    )
}
