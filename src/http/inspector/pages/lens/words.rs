//! Addresses of the lens' pages.

use crate::domain::{DeliveryRow, Verdict};
use crate::inspect::entities::entity_url;

/// The page of what was learnt of a delivery's event type.
pub fn drift_url(row: &DeliveryRow) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("source", &row.source);
    query.append_pair("event_type", row.event_type.as_deref().unwrap_or_default());
    format!("/drift?{}", query.finish())
}

/// The page of what a delivery is about; `None` where it was not taken, or is about nothing.
pub fn entity_url_of(row: &DeliveryRow) -> Option<String> {
    let is_taken = matches!(row.verdict, Verdict::Accepted | Verdict::Duplicate);
    row.entity.as_deref().filter(|_| is_taken).map(|entity| entity_url(&row.source, entity))
}
