//! Selects dead letters by the parameters of a request or by the members of its body.

use serde::Deserialize;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{IntoParams, ToSchema};

use super::ids::MessageIds;
use crate::domain::Timestamp;
use crate::http::inspector::api::openapi::{Body, Part, Schemas, fields, together};
use crate::http::inspector::request::{As, AsWritten, Fields, Members, Readable, Word, time};
use crate::store::DeadLetterFilter;

/// `Instant` as a request writes it.
type InstantParam = As<Instant>;

/// Which dead letters.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, IntoParams, ToSchema)]
pub struct LetterParams {
    /// Those of this subscription.
    pub subscription_id: Option<String>,
    /// Those of this event.
    pub event_id: Option<String>,
    /// Those of this event type.
    pub event_type: Option<String>,
    /// Those whose error contains this.
    pub error: Option<String>,
    /// Those whose error is this.
    pub error_is: Option<String>,
    /// Those that failed at this time or later.
    #[schema(inline)]
    #[param(inline)]
    pub from: Option<InstantParam>,
    /// Those that failed before this time.
    #[schema(inline)]
    #[param(inline)]
    pub to: Option<InstantParam>,
}

impl Members for LetterParams {}

/// A time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instant(pub Timestamp);

impl Word for Instant {
    fn expected() -> String {
        "a time as 2026-03-09T08:00:00Z".to_owned()
    }

    fn read(text: &str) -> Result<Self, Option<String>> {
        Timestamp::parse_rfc3339(text).map(Self).ok_or(None)
    }

    fn schema() -> RefOr<Schema> {
        time()
    }
}

impl From<LetterParams> for DeadLetterFilter {
    fn from(params: LetterParams) -> Self {
        let at = |time: Option<As<Instant>>| time.map(|As(Instant(at))| at);
        Self {
            ids: Vec::new(),
            subscription: params.subscription_id,
            event_id: params.event_id,
            event_type: params.event_type,
            error: params.error,
            error_is: params.error_is,
            from: at(params.from),
            to: at(params.to),
        }
    }
}

/// What to do with which dead letters. The filter may stand at the top too.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
pub struct LetterOptions {
    /// Only these messages; at most 1,000.
    #[schema(value_type = Option<Vec<String>>, min_items = 1, max_items = 1_000)]
    pub ids: Option<MessageIds>,
    /// Explicitly all.
    pub all: Option<bool>,
    /// Whether to only say what would be done.
    pub dry_run: Option<bool>,
}

impl Members for LetterOptions {}

/// The filter as an object.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
pub struct Nested {
    /// Which dead letters.
    #[schema(value_type = Option<LetterParams>)]
    pub filter: Option<AsWritten>,
}

impl Members for Nested {}

/// The dead letters that a body selects.
#[derive(Clone, Debug, Default)]
pub struct LetterRequest {
    /// The filter.
    pub filter: DeadLetterFilter,
    /// Whether to only count them.
    pub dry_run: bool,
    /// Whether the body selects some, or explicitly all.
    pub is_meant: bool,
}

impl Readable for LetterRequest {
    fn read(fields: &mut Fields) -> Self {
        let options: LetterOptions = fields.take();
        let Nested { filter } = fields.take();
        let params: LetterParams = match filter {
            Some(AsWritten(text)) => fields.take_with(&text, None, &[]),
            None => fields.take(),
        };
        let ids = options.ids.map(|MessageIds(ids)| ids).unwrap_or_default();
        let filter = DeadLetterFilter { ids, ..params.into() };
        let is_meant = options.all.unwrap_or_default() || filter != DeadLetterFilter::default();
        Self { filter, dry_run: options.dry_run.unwrap_or_default(), is_meant }
    }
}

impl Body for LetterRequest {
    fn schema(schemas: &mut Schemas) -> RefOr<Schema> {
        let parts: [Part; 3] =
            [(fields::<LetterParams>, &[]), (fields::<Nested>, &[]), (fields::<LetterOptions>, &[])];
        together("LetterRequest", &parts, schemas)
    }
}
