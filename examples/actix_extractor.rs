//! A service of one's own that receives TagoRUN webhooks with actix-web: its handler takes a `Verified<Event>`.
//!
//! ```text
//! SIGNING_SECRET=a-secret-of-at-least-16-bytes cargo run --example actix_extractor
//! ```
//!
//! What is wrong with a request is answered before the handler is called, as `application/problem+json` (RFC 9457).

use std::env;
use std::future::Future;
use std::pin::Pin;

use actix_web::http::StatusCode;
use actix_web::http::header::RETRY_AFTER;
use actix_web::web::{self, Bytes, Data};
use actix_web::{App, FromRequest, HttpRequest, HttpResponse, HttpServer, ResponseError, dev};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tagohook::{Catalogue, Claimed, EventStore, InvalidEvent, Request, Scheme, Verifier};

/// The name under which ids are claimed: each sender has ids of its own.
const SOURCE: &str = "tagorun";

/// What the extractor needs, as the app's data.
struct Webhooks {
    verifier: Verifier,
    catalogue: Catalogue,
    events: EventStore,
}

/// An event whose signature, payload and id were checked.
struct Verified<T> {
    event: T,
    /// Whether it was claimed before. It was answered 200 then, and the sender did not see the answer.
    is_repeat: bool,
}

impl<T: DeserializeOwned> Verified<T> {
    async fn of(request: &HttpRequest, body: Bytes) -> Result<Self, Refusal> {
        let webhooks = request.app_data::<Data<Webhooks>>().ok_or(Refusal::Unavailable)?;
        // The bytes of the wire: a body that was parsed and written again has another signature.
        let signed = webhooks.verifier.verify(&Request::new(request.headers(), &body));
        signed.map_err(|_| Refusal::Unauthorized)?;
        let event = webhooks.catalogue.validate(&body)?;
        // An event without an id cannot be recognised, and is never a repeat.
        let claimed = match &event.id {
            Some(id) => webhooks.events.claim(SOURCE, id, &body).await.map_err(|_| Refusal::Unavailable)?,
            None => Claimed::New,
        };
        if matches!(claimed, Claimed::Conflict { .. }) {
            return Err(Refusal::Conflict);
        }
        let event =
            serde_json::from_value(event.payload).map_err(|fault| Refusal::Unread(fault.to_string()))?;
        Ok(Self { event, is_repeat: claimed != Claimed::New })
    }
}

impl<T: DeserializeOwned> FromRequest for Verified<T> {
    type Error = Refusal;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Refusal>>>>;

    fn from_request(request: &HttpRequest, payload: &mut dev::Payload) -> Self::Future {
        let (request, body) = (request.clone(), Bytes::from_request(request, payload));
        Box::pin(async move {
            let body = body.await.map_err(|fault| Refusal::Body(fault.as_response_error().status_code()))?;
            Self::of(&request, body).await
        })
    }
}

/// Why a request is refused. The sender learns the status and the problems of its payload, never an expected signature.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error("the body could not be read")]
    Body(StatusCode),
    #[error("the signature is missing or wrong")]
    Unauthorized,
    #[error("the payload does not match its event")]
    Invalid(#[from] InvalidEvent),
    #[error("the payload is not what this service reads: {0}")]
    Unread(String),
    #[error("the id was used before, with another body")]
    Conflict,
    #[error("the event could not be stored; try again")]
    Unavailable,
}

impl ResponseError for Refusal {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::Body(status) => *status,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::Invalid(_) | Self::Unread(_) => StatusCode::BAD_REQUEST,
            Self::Conflict => StatusCode::CONFLICT,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    fn error_response(&self) -> HttpResponse {
        let status = self.status_code();
        let problems = match self {
            Self::Invalid(invalid) => invalid.problems.as_slice(),
            _ => &[],
        };
        let errors: Vec<Value> = problems
            .iter()
            .map(|problem| json!({"pointer": problem.pointer, "message": problem.message}))
            .collect();
        let mut answer = HttpResponse::build(status);
        if status == StatusCode::SERVICE_UNAVAILABLE {
            answer.insert_header((RETRY_AFTER, "5"));
        }
        let problem = json!({
            "title": status.canonical_reason(),
            "status": status.as_u16(),
            "detail": self.to_string(),
            "errors": errors,
        });
        answer.content_type("application/problem+json").body(problem.to_string())
    }
}

/// What this service reads of an event; serde ignores the rest.
#[derive(Deserialize)]
struct Event {
    event: String,
}

/// The service itself. A repeat is answered like a new event, and not processed again.
async fn receive(Verified { event, is_repeat }: Verified<Event>) -> HttpResponse {
    let status = if is_repeat { "already_processed" } else { "processed" };
    HttpResponse::Ok().json(json!({"status": status, "event": event.event}))
}

fn routes(app: &mut web::ServiceConfig) {
    app.route("/webhook", web::post().to(receive));
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let secrets = [env::var("SIGNING_SECRET")?];
    let webhooks = Data::new(Webhooks {
        verifier: Verifier::new(Scheme::TAGORUN, secrets)?,
        catalogue: Catalogue::builtin(),
        events: EventStore::open("events.db").await?,
    });
    let app = move || App::new().app_data(Data::clone(&webhooks)).configure(routes);
    HttpServer::new(app).bind(("127.0.0.1", 3000))?.run().await?;
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use actix_web::test;
    use tagohook::Signer;

    use super::*;

    const SECRET: &str = "a-secret-of-at-least-16-bytes";
    const BODY: &str = r#"{"id":"evt_1","event":"user.login","timestamp":"2026-03-09T07:14:58.402Z",
        "user":{"id":"u1","email":"a@example.com"}}"#;

    /// Posts each body, signed with its secret, and returns the status and the JSON of each answer.
    async fn answers(requests: &[(&str, &str)]) -> Vec<(u16, Value)> {
        let folder = tempfile::tempdir().unwrap();
        let webhooks = Data::new(Webhooks {
            verifier: Verifier::new(Scheme::TAGORUN, [SECRET]).unwrap(),
            catalogue: Catalogue::builtin(),
            events: EventStore::open(folder.path().join("events.db")).await.unwrap(),
        });
        let app = test::init_service(App::new().app_data(webhooks).configure(routes)).await;
        let mut answers = Vec::new();
        for (secret, body) in requests {
            let mut request = test::TestRequest::post().uri("/webhook").set_payload((*body).to_owned());
            for (name, value) in Signer::new(Scheme::TAGORUN, secret).unwrap().sign("", body.as_bytes()) {
                request = request.insert_header((name, value));
            }
            let answer = test::call_service(&app, request.to_request()).await;
            let status = answer.status().as_u16();
            let kind = answer.headers().get("Content-Type").unwrap().to_str().unwrap().to_owned();
            assert_eq!(kind == "application/problem+json", status != 200, "{kind}");
            answers.push((status, test::read_body_json(answer).await));
        }
        answers
    }

    #[actix_web::test]
    async fn a_signed_event_reaches_the_handler_and_a_repeat_is_recognised() {
        let answers = answers(&[(SECRET, BODY), (SECRET, BODY)]).await;
        assert_eq!(answers[0], (200, json!({"status": "processed", "event": "user.login"})));
        assert_eq!(answers[1], (200, json!({"status": "already_processed", "event": "user.login"})));
    }

    #[actix_web::test]
    async fn a_wrong_signature_is_refused_and_takes_no_id() {
        let answers = answers(&[("another-secret-16-bytes", BODY), (SECRET, BODY)]).await;
        assert_eq!((answers[0].0, &answers[0].1["title"]), (401, &json!("Unauthorized")));
        assert_eq!(answers[1].1["status"], "processed");
    }

    #[actix_web::test]
    async fn every_problem_of_a_payload_is_told_and_an_id_has_one_body() {
        let incomplete = r#"{"event":"user.login","user":{"id":"u1"}}"#;
        let other = BODY.replace("u1", "u2");
        let answers =
            answers(&[(SECRET, incomplete), (SECRET, "[1"), (SECRET, BODY), (SECRET, &other)]).await;
        let pointers: Vec<&Value> =
            answers[0].1["errors"].as_array().unwrap().iter().map(|error| &error["pointer"]).collect();
        assert_eq!((answers[0].0, pointers), (400, vec![&json!("/timestamp"), &json!("/user/email")]));
        assert_eq!(answers[1].0, 400);
        assert_eq!((answers[2].0, answers[3].0), (200, 409));
    }
}
