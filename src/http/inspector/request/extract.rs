//! Extractors: a handler names the type of its query or body, and is called only with one that was read.

use std::future::{Future, Ready, ready};
use std::marker::PhantomData;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::{FromRequest, HttpRequest, web};
use bytes::Bytes;

use super::fields::{Fields, Readable};
use crate::http::inspector::json_body;
use crate::http::inspector::problem::Problem;

/// The parameters of the query. `Query<()>`: none.
pub struct Query<T>(pub T);

impl<T: Readable + 'static> FromRequest for Query<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Fields::of_query(request.query_string(), T::BLANK).read().map(Self))
    }
}

/// The body, a JSON object; an empty one is `{}`.
pub struct Json<T>(pub T);

impl<T: Readable + 'static> FromRequest for Json<T> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let payload = web::Payload::from_request(request, payload);
        Box::pin(async move {
            let payload =
                payload.await.map_err(|fault| Problem::new(StatusCode::BAD_REQUEST, fault.to_string()))?;
            Fields::of_json(&json_body::text(T::MAX_BODY, payload).await?)?.read().map(Self)
        })
    }
}

impl Readable for () {
    fn read(_: &mut Fields) -> Self {}
}

/// A JSON body whose text matters; `T` describes it.
pub struct Raw<T> {
    /// The bytes of the body.
    pub bytes: Bytes,
    described: PhantomData<T>,
}

impl<T: 'static> FromRequest for Raw<T> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let payload = web::Payload::from_request(request, payload);
        Box::pin(async move {
            let payload =
                payload.await.map_err(|fault| Problem::new(StatusCode::BAD_REQUEST, fault.to_string()))?;
            Ok(Self { bytes: json_body::bytes(payload).await?, described: PhantomData })
        })
    }
}

impl<T> Raw<T> {
    /// The body as text; an empty one is `{}`.
    ///
    /// # Errors
    /// 400 if it is not UTF-8.
    pub fn text(&self) -> Result<String, Problem> {
        json_body::text_of(&self.bytes)
    }
}
