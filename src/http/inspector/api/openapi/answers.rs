//! What a handler answers, as its type says.

use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, LOCATION};
use actix_web::{HttpRequest, HttpResponse, Responder};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::openapi::{ContentBuilder, RefOr, Response, ResponseBuilder};

use super::schemas::Schemas;
use crate::http::inspector::problem::Problem;

/// An answer of a handler.
pub trait Answer {
    /// Its statuses, and what each comes with.
    fn describe(schemas: &mut Schemas) -> Vec<(u16, Response)>;
}

impl<T: Answer> Answer for Result<T, Problem> {
    fn describe(schemas: &mut Schemas) -> Vec<(u16, Response)> {
        T::describe(schemas)
    }
}

fn json<T: ToSchema>(what: &str, schemas: &mut Schemas) -> Response {
    with_content(what, "application/json", schemas.of::<T>())
}

fn with_content(what: &str, content_type: &str, schema: RefOr<Schema>) -> Response {
    let content = ContentBuilder::new().schema(Some(schema)).build();
    ResponseBuilder::new().description(what).content(content_type, content).build()
}

/// A JSON answer of one status.
macro_rules! answer {
    ($(#[$doc:meta])* $name:ident, $status:ident, $what:literal) => {
        $(#[$doc])*
        pub struct $name<T>(pub T);

        impl<T: Serialize> Responder for $name<T> {
            type Body = BoxBody;

            fn respond_to(self, _: &HttpRequest) -> HttpResponse {
                HttpResponse::build(StatusCode::$status).json(self.0)
            }
        }

        impl<T: ToSchema> Answer for $name<T> {
            fn describe(schemas: &mut Schemas) -> Vec<(u16, Response)> {
                vec![(StatusCode::$status.as_u16(), json::<T>($what, schemas))]
            }
        }
    };
}

answer! {
    /// 200.
    Done, OK, "What was asked for."
}
answer! {
    /// 202: the work continues after the response.
    Accepted, ACCEPTED, "It is accepted."
}

/// 201, and where it is.
pub struct Created<T>(pub T, pub Option<String>);

impl<T: Serialize> Responder for Created<T> {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        let mut answer = HttpResponse::Created();
        if let Some(place) = self.1 {
            answer.insert_header((LOCATION, place));
        }
        answer.json(self.0)
    }
}

impl<T: ToSchema> Answer for Created<T> {
    fn describe(schemas: &mut Schemas) -> Vec<(u16, Response)> {
        vec![(201, json::<T>("It is created.", schemas))]
    }
}

/// 204.
pub struct NoContent;

impl Responder for NoContent {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        HttpResponse::NoContent().finish()
    }
}

impl Answer for NoContent {
    fn describe(_: &mut Schemas) -> Vec<(u16, Response)> {
        vec![(204, Response::new("It is done."))]
    }
}

/// One of two answers.
pub enum Either<A, B> {
    /// The one.
    First(A),
    /// The other.
    Second(B),
}

impl<A: Responder<Body = BoxBody>, B: Responder<Body = BoxBody>> Responder for Either<A, B> {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        match self {
            Self::First(answer) => answer.respond_to(request),
            Self::Second(answer) => answer.respond_to(request),
        }
    }
}

impl<A: Answer, B: Answer> Answer for Either<A, B> {
    fn describe(schemas: &mut Schemas) -> Vec<(u16, Response)> {
        let mut all = A::describe(schemas);
        all.extend(B::describe(schemas));
        all
    }
}

/// An answer that is not JSON.
macro_rules! raw {
    ($(#[$doc:meta])* $name:ident, $($content_type:literal),+; $what:literal) => {
        $(#[$doc])*
        pub struct $name(pub HttpResponse);

        impl Responder for $name {
            type Body = BoxBody;

            fn respond_to(self, _: &HttpRequest) -> HttpResponse {
                self.0
            }
        }

        impl Answer for $name {
            fn describe(_: &mut Schemas) -> Vec<(u16, Response)> {
                let schema = || ObjectBuilder::new().schema_type(Type::String).build();
                let content = || ContentBuilder::new().schema(Some(schema())).build();
                let response = ResponseBuilder::new().description($what);
                vec![(200, response$(.content($content_type, content()))+.build())]
            }
        }
    };
}

raw! {
    /// The bytes of a body.
    Download, "application/octet-stream"; "The exact bytes."
}
raw! {
    /// A live stream.
    Events, "text/event-stream"; "Server-sent events, until the client goes away."
}

/// Text, or JSON of somebody else's form.
pub struct Text(pub HttpResponse);

impl Responder for Text {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        debug_assert!(self.0.headers().contains_key(CONTENT_TYPE));
        self.0
    }
}

impl Answer for Text {
    fn describe(_: &mut Schemas) -> Vec<(u16, Response)> {
        let text = || ObjectBuilder::new().schema_type(Type::String).build();
        let content = || ContentBuilder::new().schema(Some(text())).build();
        let any = ContentBuilder::new().schema(Some(utoipa::openapi::schema::empty())).build();
        let response = ResponseBuilder::new().description("In the format that was asked for.");
        let response = ["text/plain", "text/csv", "application/jsonl"]
            .into_iter()
            .fold(response, |response, kind| response.content(kind, content()));
        vec![(200, response.content("application/json", any).build())]
    }
}
