//! Keeps the unread part of a body until its request is answered.
//!
//! The server closes the connection after a response that leaves a body unread. If a chunked body is dropped early,
//! the server instead reads on, for as long as the client likes. The response therefore keeps the body.

use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderMap, TRANSFER_ENCODING};
use actix_web::middleware::Next;
use actix_web::web::Bytes;
use actix_web::{Error, HttpMessage as _, HttpRequest, HttpResponse};
use futures_util::{Stream as _, stream};

/// A response body together with the body of its request.
struct Holding<B> {
    answer: BoxBody,
    _unread: B,
}

impl<B: Unpin> MessageBody for Holding<B> {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.answer.size()
    }

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.answer).poll_next(cx)
    }
}

/// The body of an `answer`, with the possibly unread body of its request.
pub fn hold<B: Unpin + 'static>(answer: BoxBody, unread: B) -> BoxBody {
    BoxBody::new(Holding { answer, _unread: unread })
}

/// Middleware: each response keeps the unread part of its request's body.
///
/// # Errors
/// Those of the wrapped service.
pub async fn keep(
    mut request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let unread = share(&mut request);
    let response = next.call(request).await?;
    Ok(match unread {
        Some(unread) => response.map_body(|_, answer| hold(answer, unread)),
        None => response,
    })
}

/// The `answer` to `request`, with the request's body if needed.
pub fn answer<B: Unpin + 'static>(request: &HttpRequest, answer: HttpResponse, unread: B) -> HttpResponse {
    if is_chunked(request.headers()) { answer.map_body(|_, answer| hold(answer, unread)) } else { answer }
}

fn is_chunked(headers: &HeaderMap) -> bool {
    headers.contains_key(TRANSFER_ENCODING)
}

/// The body of `request`, shared by its response and the service that reads it.
fn share(request: &mut ServiceRequest) -> Option<Rc<RefCell<Payload>>> {
    if !is_chunked(request.headers()) {
        return None;
    }
    let body = Rc::new(RefCell::new(request.take_payload()));
    let read = Rc::clone(&body);
    let payload = stream::poll_fn(move |cx| Pin::new(&mut *read.borrow_mut()).poll_next(cx));
    request.set_payload(Payload::Stream { payload: Box::pin(payload) });
    Some(body)
}
