//! `POST deliveries/{id}/schema`: a JSON Schema generated from one delivery, and saved on request.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde_json::{Value, json};

use crate::http::inspector::InspectorState;
use crate::http::inspector::json_body::{bad, fault, object};
use crate::http::inspector::operations::deliveries::stored;
use crate::http::inspector::operations::schema::{inferred, save};
use crate::http::inspector::problem::answer;

/// Generates a schema from a delivery; `{"save": true}` saves it.
pub async fn infer_one(
    id: web::Path<String>,
    payload: web::Payload,
    state: web::Data<InspectorState>,
) -> HttpResponse {
    answer(
        async {
            let members = object(payload, &["save"]).await?;
            let is_saved = match members.get("save") {
                None | Some(Value::Null) => false,
                Some(Value::Bool(save)) => *save,
                Some(_) => return Err(bad(vec![fault("/save", "true or false")])),
            };
            let delivery = stored(&id, &state).await?;
            let inferred = inferred(&state, &delivery)?;
            let saved_as = if is_saved { Some(save(&state, &inferred)?) } else { None };
            let status = if is_saved { StatusCode::CREATED } else { StatusCode::OK };
            let schema: Value = serde_json::from_str(&inferred.text).unwrap_or_default();
            Ok(HttpResponse::build(status).json(json!({
                "event_type": inferred.event_type,
                "schema": schema,
                "saved_as": saved_as,
            })))
        }
        .await,
    )
}
