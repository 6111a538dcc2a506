//! What the arguments of a handler say about its request.

use actix_web::{HttpRequest, web};
use utoipa::openapi::path::{Parameter, ParameterIn};
use utoipa::openapi::request_body::{RequestBody, RequestBodyBuilder};
use utoipa::openapi::schema::{SchemaType, Type};
use utoipa::openapi::{ContentBuilder, Object, RefOr, Required, Schema};
use utoipa::{IntoParams, ToSchema};

use super::schemas::Schemas;
use crate::http::inspector::request::{Blank, Json, Members, Query, Raw};

/// What a request may have.
#[derive(Default)]
pub struct Asked {
    /// Parameters of the query and headers.
    pub parameters: Vec<Parameter>,
    /// The body.
    pub body: Option<RequestBody>,
}

/// An argument of a handler.
pub trait Argument {
    /// Adds what it reads of a request.
    fn describe(_asked: &mut Asked, _schemas: &mut Schemas) {}
}

impl<T> Argument for web::Data<T> {}
impl<T> Argument for web::Path<T> {}
impl Argument for HttpRequest {}

/// The arguments of a handler.
pub trait Arguments {
    /// Adds what they read of a request.
    fn describe(asked: &mut Asked, schemas: &mut Schemas);
}

macro_rules! arguments {
    ($($name:ident)*) => {
        impl<$($name: Argument),*> Arguments for ($($name,)*) {
            fn describe(_asked: &mut Asked, _schemas: &mut Schemas) {
                $($name::describe(_asked, _schemas);)*
            }
        }
    };
}

arguments!();
arguments!(A);
arguments!(A B);
arguments!(A B C);
arguments!(A B C D);

/// Structs that are read from a query.
pub trait Parameters {
    /// Their fields.
    fn parameters() -> Vec<Parameter>;
}

impl Parameters for () {
    fn parameters() -> Vec<Parameter> {
        Vec::new()
    }
}

impl<T: Members + IntoParams> Parameters for T {
    fn parameters() -> Vec<Parameter> {
        let mut parameters = T::into_params(|| Some(ParameterIn::Query));
        for parameter in &mut parameters {
            parameter.schema = parameter.schema.take().map(without_null);
            if T::BLANK == Blank::Fault
                && let Some(RefOr::T(Schema::Object(text))) = &mut parameter.schema
                && text.schema_type == SchemaType::Type(Type::String)
            {
                text.min_length = text.min_length.or(Some(1));
            }
        }
        parameters
    }
}

/// What may be absent is not null in a query.
fn without_null(schema: RefOr<Schema>) -> RefOr<Schema> {
    match schema {
        RefOr::T(Schema::OneOf(mut choices)) => {
            choices
                .items
                .retain(|one| !matches!(one, RefOr::T(Schema::Object(one)) if is_null(&one.schema_type)));
            match choices.items.len() {
                1 => choices.items.swap_remove(0),
                _ => RefOr::T(Schema::OneOf(choices)),
            }
        }
        RefOr::T(Schema::Object(mut object)) => {
            if let SchemaType::Array(types) = &object.schema_type
                && let Some(one) = types.iter().find(|one| **one != Type::Null)
            {
                object.schema_type = SchemaType::Type(one.clone());
            }
            RefOr::T(Schema::Object(object))
        }
        other => other,
    }
}

fn is_null(schema_type: &SchemaType) -> bool {
    *schema_type == SchemaType::Type(Type::Null)
}

impl<A: Parameters, B: Parameters> Parameters for (A, B) {
    fn parameters() -> Vec<Parameter> {
        [A::parameters(), B::parameters()].concat()
    }
}

impl<T: Parameters> Argument for Query<T> {
    fn describe(asked: &mut Asked, _: &mut Schemas) {
        asked.parameters.extend(T::parameters());
    }
}

/// Structs that are read from a JSON object.
pub trait Body {
    /// The schema.
    fn schema(schemas: &mut Schemas) -> RefOr<Schema>;
}

impl Body for () {
    fn schema(schemas: &mut Schemas) -> RefOr<Schema> {
        schemas.closed("NoMembers".to_owned(), Object::new())
    }
}

impl<T: Members + ToSchema> Body for T {
    fn schema(schemas: &mut Schemas) -> RefOr<Schema> {
        let object = schemas.object::<T>();
        schemas.closed(T::name().into_owned(), object)
    }
}

impl<A: Members + ToSchema, B: Members + ToSchema> Body for (A, B) {
    fn schema(schemas: &mut Schemas) -> RefOr<Schema> {
        let name = format!("{}With{}", A::name(), B::name());
        together(&name, &[(fields::<A>, &[]), (fields::<B>, &[])], schemas)
    }
}

/// The fields of a struct.
pub fn fields<T: ToSchema>(schemas: &mut Schemas) -> Object {
    schemas.object::<T>()
}

/// Reads the fields of a struct's schema.
pub type Part = (fn(&mut Schemas) -> Object, &'static [&'static str]);

/// An object with the fields of several structs, each without some, and no other members.
pub fn together(name: &str, parts: &[Part], schemas: &mut Schemas) -> RefOr<Schema> {
    let mut object = Object::new();
    for (part, without) in parts {
        let part = part(schemas);
        let kept = part.properties.into_iter().filter(|(field, _)| !without.contains(&field.as_str()));
        object.properties.extend(kept);
        object.required.extend(part.required);
    }
    schemas.closed(name.to_owned(), object)
}

impl<T: Body> Argument for Json<T> {
    fn describe(asked: &mut Asked, schemas: &mut Schemas) {
        let schema = T::schema(schemas);
        asked.body = Some(json_body(schema, schemas));
    }
}

impl<T: ToSchema> Argument for Raw<T> {
    fn describe(asked: &mut Asked, schemas: &mut Schemas) {
        let schema = schemas.of::<T>();
        asked.body = Some(json_body(schema, schemas));
    }
}

/// A JSON body. An empty one is `{}`, which is not enough where members are required.
fn json_body(schema: RefOr<Schema>, schemas: &Schemas) -> RequestBody {
    let required = if schemas.requires_members(&schema) { Required::True } else { Required::False };
    let content = ContentBuilder::new().schema(Some(schema)).build();
    RequestBodyBuilder::new().content("application/json", content).required(Some(required)).build()
}
