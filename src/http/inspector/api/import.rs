//! `POST deliveries/import`: deliveries of another instance, to look at.

use actix_web::web;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;
use utoipa::openapi::{RefOr, Schema};

use super::imported::ImportedDelivery;
use super::openapi::{Body, Done, Schemas, fields as fields_of, together};
use crate::http::inspector::operations::import::{Import, Outcome, import};
use crate::http::inspector::problem::{FieldFault, Problem};
use crate::http::inspector::request::{AsWritten, Fields, Json, Members, Readable};
use crate::http::inspector::state::InspectorState;

/// The most deliveries of a request.
pub const MOST: usize = 100;
/// The largest request, in bytes: a body of the default `max_body`, with each byte escaped, fits in.
const MAX_BODY: usize = 32 * 1024 * 1024;

/// The deliveries, each as it is in an export.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
pub struct Given {
    #[schema(value_type = Vec<ImportedDelivery>, min_items = 1, max_items = 100)]
    deliveries: Option<AsWritten>,
}

impl Members for Given {}

/// The texts of the deliveries.
#[derive(Debug)]
pub struct ImportRequest {
    deliveries: Vec<Box<RawValue>>,
}

impl Body for ImportRequest {
    fn schema(schemas: &mut Schemas) -> RefOr<Schema> {
        together("ImportRequest", &[(fields_of::<Given>, &[])], schemas)
    }
}

impl Readable for ImportRequest {
    const MAX_BODY: usize = MAX_BODY;

    fn read(fields: &mut Fields) -> Self {
        let given: Given = fields.take();
        let text = given.deliveries.map(|AsWritten(text)| text).unwrap_or_default();
        let deliveries: Vec<Box<RawValue>> = serde_json::from_str(&text).unwrap_or_default();
        if deliveries.is_empty() || deliveries.len() > MOST {
            fields.fault("deliveries", &format!("a list of 1 to {MOST} deliveries"));
        }
        Self { deliveries }
    }
}

/// The result of the import.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportResult {
    /// How many were stored.
    imported: usize,
    /// How many were here already.
    known: usize,
    /// Those that cannot be stored.
    refused: Vec<Refused>,
}

/// A delivery that cannot be stored.
#[derive(Debug, Serialize, ToSchema)]
pub struct Refused {
    /// Its place in the request, from 0.
    index: usize,
    errors: Vec<FieldFault>,
}

/// Stores them as they were. They claim no event ids, and are not processed or forwarded.
pub async fn many(
    Json(ImportRequest { deliveries }): Json<ImportRequest>,
    state: web::Data<InspectorState>,
) -> Result<Done<ImportResult>, Problem> {
    let (mut good, mut refused) = (Vec::new(), Vec::new());
    for (index, text) in deliveries.iter().enumerate() {
        match read(text, &state) {
            Ok(import) => good.push(import),
            Err(errors) => refused.push(Refused { index, errors }),
        }
    }
    let Outcome { imported, known } = import(&state, good).await?;
    Ok(Done(ImportResult { imported, known, refused }))
}

fn read(text: &RawValue, state: &InspectorState) -> Result<Import, Vec<FieldFault>> {
    let mut fields = Fields::of_json(text.get()).map_err(Problem::into_faults)?;
    let given: ImportedDelivery = fields.take();
    let import = given.import(&mut fields, state.clock.wall());
    fields.finish_form().map_err(Problem::into_faults)?;
    let fault = |pointer: &str, message: String| vec![FieldFault { pointer: pointer.to_owned(), message }];
    // Each reason why there is none is a fault.
    let import = import.ok_or_else(|| fault("", "cannot be read".to_owned()))?;
    match import.expired(state) {
        None => Ok(import),
        Some(why) => Err(fault("/received_at", why)),
    }
}
