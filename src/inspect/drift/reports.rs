//! The reports of event types, read from the store.

use super::compare::Report;
use crate::catalog::Catalog;
use crate::store::{DriftType, Store, StoreError};

/// Which reports are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReportQuery {
    /// Of this source.
    pub source: Option<String>,
    /// Of this event type.
    pub event_type: Option<String>,
    /// Of event types that were first seen before the one of this number.
    pub before: Option<i64>,
}

/// The reports that are asked for, the newest event types first, at most `limit`; and whether there are more.
///
/// # Errors
/// When the store cannot be read.
pub async fn reports(
    store: &Store,
    catalog: &Catalog,
    query: &ReportQuery,
    limit: usize,
) -> Result<(Vec<(DriftType, Report)>, bool), StoreError> {
    let mut types = store.drift_types().await?;
    types.retain(|known| {
        query.source.as_ref().is_none_or(|source| *source == known.source)
            && query.event_type.as_ref().is_none_or(|name| *name == known.event_type)
            && query.before.is_none_or(|before| known.id < before)
    });
    types.sort_by_key(|known| std::cmp::Reverse(known.id));
    let has_more = types.len() > limit;
    types.truncate(limit);
    let mut reports = Vec::new();
    for known in types {
        let fields = store.drift_fields(known.id).await?;
        let report = Report::of(&known, fields, catalog.get(&known.event_type));
        reports.push((known, report));
    }
    Ok((reports, has_more))
}
