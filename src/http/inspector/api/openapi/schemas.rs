//! The schemas that a description refers to.

use std::collections::BTreeMap;

use utoipa::ToSchema;
use utoipa::openapi::schema::{AdditionalProperties, Object, Schema};
use utoipa::openapi::{Ref, RefOr};

/// Named schemas.
#[derive(Default)]
pub struct Schemas(pub BTreeMap<String, RefOr<Schema>>);

impl Schemas {
    /// A reference to the schema of `T`, which is kept with those that it refers to.
    pub fn of<T: ToSchema>(&mut self) -> RefOr<Schema> {
        self.keep_inner::<T>();
        match T::schema() {
            RefOr::T(schema @ (Schema::Object(_) | Schema::AllOf(_) | Schema::OneOf(_))) => {
                let name = T::name().into_owned();
                self.0.insert(name.clone(), RefOr::T(schema));
                Ref::from_schema_name(name).into()
            }
            other => other,
        }
    }

    /// The schema of `T`, an object, itself.
    pub fn object<T: ToSchema>(&mut self) -> Object {
        self.keep_inner::<T>();
        match T::schema() {
            RefOr::T(Schema::Object(object)) => object,
            _ => Object::new(),
        }
    }

    /// A reference to an object that has no other members.
    pub fn closed(&mut self, name: String, mut object: Object) -> RefOr<Schema> {
        object.additional_properties = Some(Box::new(AdditionalProperties::FreeForm(false)));
        self.0.insert(name.clone(), RefOr::T(Schema::Object(object)));
        Ref::from_schema_name(name).into()
    }

    /// Whether an object must have members.
    pub fn requires_members(&self, schema: &RefOr<Schema>) -> bool {
        match schema {
            RefOr::Ref(to) => {
                let named = to.ref_location.rsplit('/').next().and_then(|name| self.0.get(name));
                named.is_some_and(|named| self.requires_members(named))
            }
            RefOr::T(Schema::Object(object)) => !object.required.is_empty(),
            RefOr::T(_) => false,
        }
    }

    fn keep_inner<T: ToSchema>(&mut self) {
        let mut inner = Vec::new();
        T::schemas(&mut inner);
        self.0.extend(inner);
    }
}
