//! Keeps hold of the part of a body that nobody reads, until its request is answered.
//!
//! The server closes the connection after an answer that leaves a body unread. Where the body comes in chunks and
//! nobody holds it any more, it reads on instead, for as long as the client likes. So the answer takes the body along.

use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::http::header::TRANSFER_ENCODING;
use actix_web::web::{Bytes, Payload};
use actix_web::{HttpRequest, HttpResponse};

/// An answer's body together with the body of its request.
struct Holding {
    answer: BoxBody,
    _unread: Payload,
}

impl MessageBody for Holding {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.answer.size()
    }

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.answer).poll_next(cx)
    }
}

/// The `answer` to `request`, holding what may be left of the request's body.
pub fn hold(request: &HttpRequest, answer: HttpResponse, unread: Payload) -> HttpResponse {
    if !request.headers().contains_key(TRANSFER_ENCODING) {
        return answer;
    }
    answer.map_body(|_, answer| BoxBody::new(Holding { answer, _unread: unread }))
}
