//! The description of the whole API: OpenAPI 3.1.

use actix_web::{HttpResponse, web};
use serde_json::{Value, json};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{
    ComponentsBuilder, ContentBuilder, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder, Paths,
    ResponseBuilder, Server,
};

use super::answers::Text;
use super::router::{Operation, Router};
use super::schemas::Schemas;
use crate::http::inspector::api_document::ApiDocument;
use crate::http::inspector::problem::Problem;
use crate::http::inspector::request::Query;

const DESCRIPTION: &str = "What the inspector shows and does, for programs. Times are RFC 3339 in UTC. Ids are strings. \
    Lists have the newest first; `next` is the `before` of the next page, and null on the last one. Routes with GET also \
    answer HEAD, except the streams. Unknown parameters and members are refused. A request with a body needs \
    `Content-Type: application/json`.";

/// The subjects, in their order.
const SUBJECTS: [(&str, &str); 6] = [
    ("Deliveries", "What was received, and what was decided about it."),
    ("Replays", "Deliveries that are replayed, one or many in a run."),
    ("Checks and searches", "Stored deliveries under other rules; saved searches."),
    ("Overview", "Sources, devices, event types, schema changes, and what needs attention."),
    ("Forwarding", "Events, subscriptions, messages and dead letters."),
    ("This API", "Its tokens and its description."),
];

/// The document of the routes that a router took. It is made when it is asked for.
#[must_use]
pub fn finished(router: Router<'_>) -> ApiDocument {
    let operations = router.operations;
    ApiDocument::new(move || {
        let mut document = serde_json::to_value(described(operations)).unwrap_or_default();
        say_length_of_tuples(&mut document);
        document
    })
}

/// Says how long a tuple is. `items: false` alone allows a shorter one, and linters ask for a schema there.
fn say_length_of_tuples(document: &mut Value) {
    match document {
        Value::Object(members) => {
            if let Some(length) = members.get("prefixItems").and_then(Value::as_array).map(Vec::len) {
                members.insert("items".to_owned(), json!({}));
                members.insert("minItems".to_owned(), length.into());
                members.insert("maxItems".to_owned(), length.into());
            }
            members.values_mut().for_each(say_length_of_tuples);
        }
        Value::Array(items) => items.iter_mut().for_each(say_length_of_tuples),
        _ => {}
    }
}

fn described(operations: Vec<Operation>) -> OpenApi {
    let (mut schemas, mut paths) = (Schemas::default(), Paths::new());
    for operation in operations {
        let item = operation.described(&mut schemas);
        paths.paths.entry(operation.path).or_default().merge_operations(item);
    }
    let problem = schemas.of::<Problem>();
    let content = ContentBuilder::new().schema(Some(problem)).build();
    let problem = ResponseBuilder::new()
        .description("Why it was not done. `errors` names the members or parameters at fault.")
        .content("application/problem+json", content)
        .build();
    let mut bearer = Http::new(HttpAuthScheme::Bearer);
    let description = "The inspector's password, where `inspector.password_file` is set, or a token. Without a password nothing is \
                       needed. Each operation says which scope its token needs.";
    bearer.description = Some(description.to_owned());
    let components = ComponentsBuilder::new()
        .schemas_from_iter(schemas.0)
        .response("Problem", problem)
        .security_scheme("password", SecurityScheme::Http(bearer))
        .build();
    let subject = |(name, what): (&str, &str)| TagBuilder::new().name(name).description(Some(what)).build();
    let info = InfoBuilder::new()
        .title("tagohook")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(DESCRIPTION))
        .license(Some(
            LicenseBuilder::new()
                .name(env!("CARGO_PKG_LICENSE"))
                .identifier(Some(env!("CARGO_PKG_LICENSE")))
                .build(),
        ))
        .build();
    OpenApiBuilder::new()
        .info(info)
        .servers(Some([Server::new("/")]))
        .paths(paths)
        .components(Some(components))
        .tags(Some(SUBJECTS.map(subject)))
        // Without a password nothing is needed.
        .security(Some([SecurityRequirement::default(), SecurityRequirement::new("password", [""; 0])]))
        .build()
}

/// The document.
pub async fn show(_: Query<()>, document: web::Data<ApiDocument>) -> Result<Text, Problem> {
    Ok(Text(HttpResponse::Ok().content_type("application/json").body(document.text().to_owned())))
}
