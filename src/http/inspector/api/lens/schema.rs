//! `POST deliveries/{id}/schema`: a JSON Schema generated from one delivery, and saved on request.

use actix_web::{HttpRequest, web};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::domain::Scope;
use crate::http::inspector::access::Access;
use crate::http::inspector::api::openapi::{Created, Done, Either};
use crate::http::inspector::operations::deliveries::stored;
use crate::http::inspector::operations::schema::{inferred, save};
use crate::http::inspector::problem::Problem;
use crate::http::inspector::request::{Json, Members};
use crate::http::inspector::state::InspectorState;

/// What to do with the schema.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
pub struct SchemaRequest {
    /// Whether to save it in `schemas_dir`, which needs the scope `admin`.
    save: Option<bool>,
}

impl Members for SchemaRequest {}

/// A generated schema.
#[derive(Debug, Serialize, ToSchema)]
pub struct GeneratedSchema {
    event_type: String,
    /// The JSON Schema.
    #[schema(value_type = Object)]
    schema: Value,
    /// The name of its file.
    saved_as: Option<String>,
}

/// Generates a schema from a delivery; `{"save": true}` saves it, which needs the scope `admin`.
pub async fn infer_one(
    request: HttpRequest,
    id: web::Path<String>,
    Json(asked): Json<SchemaRequest>,
    state: web::Data<InspectorState>,
) -> Result<Either<Done<GeneratedSchema>, Created<GeneratedSchema>>, Problem> {
    let is_saved = asked.save.unwrap_or_default();
    if is_saved {
        Access::ask_for(&request, Scope::Admin)?;
    }
    let delivery = stored(&id, &state).await?;
    let inferred = inferred(&state, &delivery)?;
    let saved_as = if is_saved { Some(save(&state, &inferred)?) } else { None };
    let schema = serde_json::from_str(&inferred.text).unwrap_or_default();
    let generated = GeneratedSchema { event_type: inferred.event_type, schema, saved_as };
    Ok(if is_saved { Either::Second(Created(generated, None)) } else { Either::First(Done(generated)) })
}
