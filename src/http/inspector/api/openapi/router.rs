//! Registers the routes of the API, each with what describes it.

use actix_web::http::Method;
use actix_web::web::{self, ServiceConfig};
use actix_web::{FromRequest, Handler, Resource, Responder, Route, guard};
use utoipa::openapi::path::{HttpMethod, OperationBuilder, ParameterBuilder, ParameterIn, PathItem};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{Ref, RefOr, Required, Response, Responses};

use super::answers::Answer;
use super::arguments::{Arguments, Asked};
use super::schemas::Schemas;
use crate::domain::Scope;
use crate::http::inspector::problem::method_not_allowed;
use crate::http::inspector::scopes;

/// Where all routes begin.
pub const BASE: &str = "/api/v1";

/// Takes the routes.
pub struct Router<'c> {
    server: &'c mut ServiceConfig,
    /// What was registered so far.
    pub operations: Vec<Operation>,
    tag: &'static str,
}

impl<'c> Router<'c> {
    /// One that registers routes at a server.
    pub fn new(server: &'c mut ServiceConfig) -> Self {
        Self { server, operations: Vec::new(), tag: "" }
    }

    /// The subject of the routes that follow.
    pub fn subject(&mut self, tag: &'static str) {
        self.tag = tag;
    }

    /// The resource at `path`, below `/api/v1`.
    pub fn at(&mut self, path: &str) -> At<'_, 'c> {
        let full = format!("{BASE}{path}");
        At {
            resource: Some(web::resource(&full)),
            path: full.replace(":.+}", "}"),
            allow: Vec::new(),
            router: self,
        }
    }
}

/// A resource that is being registered.
pub struct At<'r, 'c> {
    router: &'r mut Router<'c>,
    resource: Option<Resource>,
    path: String,
    allow: Vec<&'static str>,
}

/// A handler of the API: its arguments and its answer are described by their types.
pub trait Described<Args>: Handler<Args, Output: Responder + Answer + 'static> {}

impl<Args, F> Described<Args> for F where F: Handler<Args, Output: Responder + Answer + 'static> {}

impl At<'_, '_> {
    /// GET and HEAD.
    pub fn get<A, F>(self, summary: &'static str, handler: F) -> Self
    where
        A: FromRequest + Arguments + 'static,
        F: Described<A>,
    {
        let reads = guard::Any(guard::Get()).or(guard::Head());
        self.with(web::route().guard(reads), HttpMethod::Get, &["GET", "HEAD"], summary, handler)
    }

    /// GET alone: it answers late or without end, or changes something.
    pub fn get_only<A, F>(self, summary: &'static str, handler: F) -> Self
    where
        A: FromRequest + Arguments + 'static,
        F: Described<A>,
    {
        self.with(web::get(), HttpMethod::Get, &["GET"], summary, handler)
    }

    /// POST.
    pub fn post<A, F>(self, summary: &'static str, handler: F) -> Self
    where
        A: FromRequest + Arguments + 'static,
        F: Described<A>,
    {
        self.with(web::post(), HttpMethod::Post, &["POST"], summary, handler)
    }

    /// PUT.
    pub fn put<A, F>(self, summary: &'static str, handler: F) -> Self
    where
        A: FromRequest + Arguments + 'static,
        F: Described<A>,
    {
        self.with(web::put(), HttpMethod::Put, &["PUT"], summary, handler)
    }

    /// PATCH.
    pub fn patch<A, F>(self, summary: &'static str, handler: F) -> Self
    where
        A: FromRequest + Arguments + 'static,
        F: Described<A>,
    {
        self.with(web::patch(), HttpMethod::Patch, &["PATCH"], summary, handler)
    }

    /// DELETE.
    pub fn delete<A, F>(self, summary: &'static str, handler: F) -> Self
    where
        A: FromRequest + Arguments + 'static,
        F: Described<A>,
    {
        self.with(web::delete(), HttpMethod::Delete, &["DELETE"], summary, handler)
    }

    fn with<A, F>(
        mut self,
        route: Route,
        method: HttpMethod,
        allow: &[&'static str],
        summary: &'static str,
        handler: F,
    ) -> Self
    where
        A: FromRequest + Arguments + 'static,
        F: Described<A>,
    {
        self.allow.extend(allow);
        self.resource = self.resource.take().map(|resource| resource.route(route.to(handler)));
        self.router.operations.push(Operation {
            tag: self.router.tag,
            path: self.path.clone(),
            method,
            name: allow.first().copied().unwrap_or_default(),
            summary,
            asked: A::describe,
            answers: F::Output::describe,
        });
        self
    }
}

/// A route that is registered, and how it is described.
pub struct Operation {
    tag: &'static str,
    /// Where it is.
    pub path: String,
    method: HttpMethod,
    /// Of the method.
    name: &'static str,
    summary: &'static str,
    asked: fn(&mut Asked, &mut Schemas),
    answers: fn(&mut Schemas) -> Vec<(u16, Response)>,
}

impl Operation {
    /// The scope that a token needs.
    fn scope(&self) -> Scope {
        let method = Method::from_bytes(self.name.as_bytes()).unwrap_or(Method::POST);
        scopes::needed(&method, &self.path)
    }

    /// Its description.
    pub fn described(&self, schemas: &mut Schemas) -> PathItem {
        let mut asked = Asked::default();
        (self.asked)(&mut asked, schemas);
        let answers = (self.answers)(schemas);
        let mut operation = OperationBuilder::new()
            .tag(self.tag)
            .summary(Some(self.summary))
            .description(Some(format!("A token needs the scope `{}`.", self.scope().as_str())))
            .operation_id(Some(operation_id(self.name, &self.path)));
        let names = self.path.split('{').skip(1).filter_map(|rest| rest.split('}').next());
        for name in names.clone() {
            let text = ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).build();
            let parameter = ParameterBuilder::new().name(name).parameter_in(ParameterIn::Path);
            operation = operation.parameter(parameter.required(Required::True).schema(Some(text)));
        }
        let mut responses = Responses::new();
        let has_query = !asked.parameters.is_empty();
        operation = asked.parameters.into_iter().fold(operation, OperationBuilder::parameter);
        let mut problems: Vec<&str> = vec!["401", "403", "503"];
        if has_query || asked.body.is_some() {
            problems.push("400");
        }
        if asked.body.is_some() {
            problems.extend(["408", "413", "415"]);
        }
        if names.count() > 0 {
            problems.push("404");
        }
        for status in problems.into_iter().chain(["default"]) {
            let problem = RefOr::Ref(Ref::from_response_name("Problem"));
            responses.responses.insert(status.to_owned(), problem);
        }
        for (status, answer) in answers {
            responses.responses.insert(status.to_string(), RefOr::T(answer));
        }
        let operation = operation.request_body(asked.body).responses(responses);
        PathItem::new(self.method.clone(), operation)
    }
}

/// `GET /api/v1/deliveries/{id}/raw` is `get_deliveries_id_raw`.
fn operation_id(method: &str, path: &str) -> String {
    let path = path.trim_start_matches(BASE);
    let words = path.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let words: Vec<String> = std::iter::once(method).chain(words).map(str::to_lowercase).collect();
    words.join("_")
}

impl Drop for At<'_, '_> {
    fn drop(&mut self) {
        let allow = self.allow.join(", ");
        let refused = move || {
            let answer = method_not_allowed(&allow);
            async move { answer }
        };
        if let Some(resource) = self.resource.take() {
            self.router.server.service(resource.default_service(web::to(refused)));
        }
    }
}
