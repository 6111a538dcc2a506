//! What a request of the inspector needs of the token it comes with.

use actix_web::http::{Method, StatusCode};
use percent_encoding::percent_decode_str;

use super::problem::Problem;
use crate::domain::Scope;

/// What tokens of the scope `replay` may do: resend what is stored. A star is any one segment.
const REPLAYS: [&str; 10] = [
    "/api/v1/deliveries/attempts",
    "/api/v1/deliveries/replay",
    "/api/v1/deliveries/*/replay",
    "/api/v1/replay-runs/*/stop",
    "/api/v1/replay-runs/*/resume",
    "/api/v1/messages/send-now",
    "/api/v1/messages/*/send-now",
    "/api/v1/dead-letters/replay",
    "/api/v1/dead-letters/*/replay",
    "/api/v1/subscriptions/*/check",
];
/// What changes nothing, although it is posted. A schema is saved by administrators only: its operation asks for that.
const QUESTIONS: [&str; 4] =
    ["/api/v1/what-if", "/api/v1/what-if/*", "/api/v1/subscriptions/preview", "/api/v1/deliveries/*/schema"];
/// What only administrators see.
const SECRET: [&str; 2] = ["/api/v1/tokens", "/tokens"];

/// The scope that a request needs.
pub fn needed(method: &Method, path: &str) -> Scope {
    let is_one_of = |patterns: &[&str]| patterns.iter().any(|pattern| matches(pattern, path));
    // The router also knows a path by its decoded form.
    let decoded = percent_decode_str(path).decode_utf8_lossy();
    if SECRET.iter().any(|pattern| matches(pattern, &decoded)) {
        return Scope::Admin;
    }
    if matches!(*method, Method::GET | Method::HEAD) || is_one_of(&QUESTIONS) {
        return Scope::Read;
    }
    if *method == Method::POST && is_one_of(&REPLAYS) { Scope::Replay } else { Scope::Admin }
}

/// The refusal of a token with too small a scope.
pub fn too_small(scope: Scope, needed: Scope) -> Problem {
    let detail =
        format!("This token has the scope {}; the request needs {}.", scope.as_str(), needed.as_str());
    Problem::new(StatusCode::FORBIDDEN, detail)
}

fn matches(pattern: &str, path: &str) -> bool {
    let (mut wanted, mut given) = (pattern.split('/'), path.split('/'));
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return true,
            (Some("*"), Some(segment)) if !segment.is_empty() => {}
            (Some(wanted), Some(given)) if wanted == given => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_reads_replays_and_changes() {
        for (method, path, scope) in [
            (Method::GET, "/api/v1/deliveries", Scope::Read),
            (Method::HEAD, "/metrics", Scope::Read),
            (Method::GET, "/", Scope::Read),
            (Method::GET, "/api/v1/tokens", Scope::Admin),
            (Method::GET, "/tokens", Scope::Admin),
            (Method::GET, "/api/v1/%74okens", Scope::Admin),
            (Method::GET, "/%74%6Fkens", Scope::Admin),
            (Method::POST, "/api/v1/deliveries/x%2Freplay", Scope::Admin),
            (Method::POST, "/api/v1/what-if", Scope::Read),
            (Method::DELETE, "/api/v1/what-if/w1", Scope::Read),
            (Method::POST, "/api/v1/deliveries/x/replay", Scope::Replay),
            (Method::POST, "/api/v1/deliveries/replay", Scope::Replay),
            (Method::POST, "/api/v1/deliveries//replay", Scope::Admin),
            (Method::POST, "/api/v1/deliveries/x/y/replay", Scope::Admin),
            (Method::PATCH, "/api/v1/deliveries/replay", Scope::Admin),
            (Method::POST, "/api/v1/events", Scope::Admin),
            (Method::DELETE, "/api/v1/dead-letters/x", Scope::Admin),
            (Method::POST, "/connect/send", Scope::Admin),
        ] {
            assert_eq!(needed(&method, path), scope, "{method} {path}");
        }
    }
}
