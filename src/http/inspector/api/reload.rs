//! `POST reload`: reads the configuration again, and says what has changed.

use actix_web::http::StatusCode;
use actix_web::web;
use serde::Serialize;
use utoipa::ToSchema;

use super::openapi::Done;
use crate::config::Change;
use crate::http::inspector::problem::{FieldFault, Problem};
use crate::http::inspector::state::InspectorState;

/// What a reload changed.
#[derive(Debug, Serialize, ToSchema)]
pub struct Reloaded {
    changes: Vec<ChangeObject>,
}

/// A changed option.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChangeObject {
    /// Its name, as `receiver.max_body` or `source.tagorun.secrets`; of a secret whose content changed, its reference.
    path: String,
    /// The value before, as TOML; null if it was not set, or is hidden.
    from: Option<String>,
    /// The value now, likewise.
    to: Option<String>,
    /// Whether the values are not shown.
    hidden: bool,
    /// Whether the change is in force; otherwise it is in force after a restart.
    applied: bool,
}

impl From<Change> for ChangeObject {
    fn from(change: Change) -> Self {
        let Change { path, from, to, hidden, applied } = change;
        Self { path, from, to, hidden, applied }
    }
}

/// Reads the configuration again. A bad one changes nothing.
pub async fn reload(state: web::Data<InspectorState>) -> Result<Done<Reloaded>, Problem> {
    match state.reload.ask().await {
        Some(Ok(changes)) => Ok(Done(Reloaded { changes: changes.into_iter().map(Into::into).collect() })),
        Some(Err(lines)) => {
            let faults = lines.into_iter().map(|message| FieldFault { pointer: String::new(), message });
            let detail = "The configuration was not reloaded; the old one is in force.";
            Err(Problem::new(StatusCode::BAD_REQUEST, detail).with_errors(faults.collect()))
        }
        None => Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "The program is stopping.")),
    }
}
