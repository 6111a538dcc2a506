//! The missing configuration line for a platform's unanswered question.

use actix_web::dev::RequestHead;

use crate::domain::Handshake;
use crate::http::connection::wire_head;
use crate::receive::handshake::{Question, recognise};

/// The platform of a question without a body, with the configuration line that answers it.
pub fn line_to_add(head: &RequestHead, source: &str) -> Option<String> {
    let headers = wire_head::from_map(&head.headers);
    let target = head.uri.path_and_query().map_or("/", |target| target.as_str());
    let question = Question { method: head.method.as_str(), target, headers: &headers, body: b"" };
    recognise(&question).map(|kind| sentence(kind, source))
}

fn sentence(kind: Handshake, source: &str) -> String {
    format!(
        "This is the handshake of {}, which must be answered before it sends. Add handshake = \"{}\" to source “{source}”.",
        kind.sender(),
        kind.as_str()
    )
}
