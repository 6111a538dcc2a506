//! `/deliveries/{id}/schema`: a schema made of a delivery, to be copied or saved.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;

use crate::catalog::{Origin, POINTS};
use crate::domain::{Piece, StoredDelivery, pieces, plain};
use crate::http::inspector::InspectorState;
use crate::http::inspector::operations::deliveries::stored;
use crate::http::inspector::operations::schema::{self, Inferred};
use crate::http::inspector::pages::page::{self, Frame};
use crate::http::inspector::problem::Problem;

#[derive(Template)]
#[template(path = "lens/schema.html")]
struct SchemaPage {
    frame: Frame,
    id: String,
    event_type: String,
    schema: Vec<Piece>,
    can_save: bool,
    is_of_points: bool,
    is_builtin: bool,
    saved_as: Option<String>,
    fault: Option<String>,
}

/// The schema.
pub async fn show(id: web::Path<String>, state: web::Data<InspectorState>) -> HttpResponse {
    match find(&id, &state).await {
        Ok((delivery, inferred)) => {
            page::html(StatusCode::OK, &view(&state, &delivery, &inferred, None, None))
        }
        Err(problem) => page::message(&state, problem.status(), "No schema", &problem.sentences()),
    }
}

/// Saves it.
pub async fn save(id: web::Path<String>, state: web::Data<InspectorState>) -> HttpResponse {
    let (delivery, inferred) = match find(&id, &state).await {
        Ok(found) => found,
        Err(problem) => return page::message(&state, problem.status(), "No schema", &problem.sentences()),
    };
    let (status, saved_as, fault) = match schema::save(&state, &inferred) {
        Ok(path) => (StatusCode::CREATED, Some(plain(&path)), None),
        Err(problem) => (problem.status(), None, Some(plain(&problem.sentences()))),
    };
    page::html(status, &view(&state, &delivery, &inferred, saved_as, fault))
}

async fn find(id: &str, state: &InspectorState) -> Result<(StoredDelivery, Inferred), Problem> {
    let delivery = stored(id, state).await?;
    let inferred = schema::inferred(state, &delivery)?;
    Ok((delivery, inferred))
}

fn view(
    state: &InspectorState,
    delivery: &StoredDelivery,
    inferred: &Inferred,
    saved_as: Option<String>,
    fault: Option<String>,
) -> SchemaPage {
    SchemaPage {
        frame: Frame::of(state, "deliveries"),
        id: delivery.row.id.to_string(),
        event_type: plain(&inferred.event_type),
        schema: pieces(&inferred.text),
        can_save: state.schemas_dir.is_some(),
        is_of_points: inferred.event_type == POINTS,
        is_builtin: state
            .catalog
            .get(&inferred.event_type)
            .is_some_and(|event_type| event_type.origin() == Origin::Builtin),
        saved_as,
        fault,
    }
}
