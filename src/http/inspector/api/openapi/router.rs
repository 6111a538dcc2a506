//! Registers the routes of the API and describes them, in one step.

use actix_web::http::Method;
use actix_web::web::{self, ServiceConfig};
use actix_web::{FromRequest, Handler, Resource, Responder, Route, guard};
use utoipa::openapi::path::{HttpMethod, OperationBuilder, ParameterBuilder, ParameterIn, PathItem};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{Paths, Ref, RefOr, Required, Response, Responses};

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
    /// Described so far.
    pub paths: Paths,
    /// What the descriptions refer to.
    pub schemas: Schemas,
    tag: &'static str,
}

impl<'c> Router<'c> {
    /// One that registers routes at a server.
    pub fn new(server: &'c mut ServiceConfig) -> Self {
        Self { server, paths: Paths::new(), schemas: Schemas::default(), tag: "" }
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
            item: PathItem::default(),
            allow: Vec::new(),
            router: self,
        }
    }
}

/// A resource that is being described.
pub struct At<'r, 'c> {
    router: &'r mut Router<'c>,
    resource: Option<Resource>,
    path: String,
    item: PathItem,
    allow: Vec<&'static str>,
}

/// A handler of the API: its arguments and its answer are described by their types.
pub trait Described<Args>: Handler<Args, Output: Responder + Answer + 'static> {}

impl<Args, F> Described<Args> for F where F: Handler<Args, Output: Responder + Answer + 'static> {}

impl At<'_, '_> {
    /// GET and HEAD.
    pub fn get<A, F>(self, summary: &str, handler: F) -> Self
    where
        A: FromRequest + Arguments + 'static,
        F: Described<A>,
    {
        let reads = guard::Any(guard::Get()).or(guard::Head());
        self.with(web::route().guard(reads), HttpMethod::Get, &["GET", "HEAD"], summary, handler)
    }

    /// GET alone: it answers late or without end, or changes something.
    pub fn get_only<A, F>(self, summary: &str, handler: F) -> Self
    where
        A: FromRequest + Arguments + 'static,
        F: Described<A>,
    {
        self.with(web::get(), HttpMethod::Get, &["GET"], summary, handler)
    }

    /// POST.
    pub fn post<A, F>(self, summary: &str, handler: F) -> Self
    where
        A: FromRequest + Arguments + 'static,
        F: Described<A>,
    {
        self.with(web::post(), HttpMethod::Post, &["POST"], summary, handler)
    }

    /// PUT.
    pub fn put<A, F>(self, summary: &str, handler: F) -> Self
    where
        A: FromRequest + Arguments + 'static,
        F: Described<A>,
    {
        self.with(web::put(), HttpMethod::Put, &["PUT"], summary, handler)
    }

    /// PATCH.
    pub fn patch<A, F>(self, summary: &str, handler: F) -> Self
    where
        A: FromRequest + Arguments + 'static,
        F: Described<A>,
    {
        self.with(web::patch(), HttpMethod::Patch, &["PATCH"], summary, handler)
    }

    /// DELETE.
    pub fn delete<A, F>(self, summary: &str, handler: F) -> Self
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
        summary: &str,
        handler: F,
    ) -> Self
    where
        A: FromRequest + Arguments + 'static,
        F: Described<A>,
    {
        self.allow.extend(allow);
        self.resource = self.resource.take().map(|resource| resource.route(route.to(handler)));
        let mut asked = Asked::default();
        A::describe(&mut asked, &mut self.router.schemas);
        let answers = F::Output::describe(&mut self.router.schemas);
        let operation = self.operation(allow.first().copied().unwrap_or_default(), summary, asked, answers);
        self.item.merge_operations(PathItem::new(method, operation));
        self
    }

    /// The scope that a token needs.
    fn scope(&self, method: &str) -> Scope {
        let method = Method::from_bytes(method.as_bytes()).unwrap_or(Method::POST);
        scopes::needed(&method, &self.path)
    }

    fn operation(
        &self,
        method: &str,
        summary: &str,
        asked: Asked,
        answers: Vec<(u16, Response)>,
    ) -> OperationBuilder {
        let mut operation = OperationBuilder::new()
            .tag(self.router.tag)
            .summary(Some(summary))
            .description(Some(format!("A token needs the scope `{}`.", self.scope(method).as_str())))
            .operation_id(Some(operation_id(method, &self.path)));
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
        operation.request_body(asked.body).responses(responses)
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
        self.router.paths.paths.insert(self.path.clone(), std::mem::take(&mut self.item));
    }
}
