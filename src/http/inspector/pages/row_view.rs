//! A delivery's row as the list shows it: every text of the request made visible.

use crate::domain::{DeliveryRow, plain};
use crate::http::inspector::words::{shown_time, size, took};

/// A row of the list.
#[derive(Clone, Debug)]
pub struct RowView {
    /// Our id.
    pub id: String,
    /// The verdict's word.
    pub verdict: &'static str,
    /// The reason in words; empty where there is none.
    pub reason: String,
    /// What became of it, in at most eight words.
    pub headline: String,
    /// The event type; empty where there is none.
    pub event_type: String,
    /// The name as sent, where it differs.
    pub event_name: String,
    /// The event id.
    pub event_id: String,
    /// What the event is about.
    pub entity: String,
    /// The source.
    pub source: String,
    /// Method and path.
    pub request: String,
    /// The client's address.
    pub client_ip: String,
    /// When it came, RFC 3339 in UTC.
    pub received_at: String,
    /// The same for people: a blank for the `T`.
    pub time: String,
    /// The status answered.
    pub status: u16,
    /// The body's size for people.
    pub size: String,
    /// How long it took, for people.
    pub took: String,
    /// What its unchecked body says about the event; empty if nothing was read.
    pub unverified_event: String,
    /// The device by that, by its name or id.
    pub unverified_device: String,
    /// The event id by that.
    pub unverified_id: String,
    /// Whether another instance received it.
    pub is_imported: bool,
    /// Whether it is pinned.
    pub is_pinned: bool,
    /// Its tags.
    pub tags: Vec<String>,
}

impl From<&DeliveryRow> for RowView {
    fn from(row: &DeliveryRow) -> Self {
        let shown = |text: &Option<String>| text.as_deref().map(plain).unwrap_or_default();
        let received_at = row.received_at.to_string();
        Self {
            id: row.id.to_string(),
            verdict: row.verdict.as_str(),
            reason: row.reason.map(|reason| reason.as_str().replace('_', " ")).unwrap_or_default(),
            headline: plain(&row.headline()),
            event_type: shown(&row.event_type),
            event_name: shown(&row.event_name),
            event_id: shown(&row.event_id),
            entity: shown(&row.entity),
            source: plain(&row.source),
            request: format!("{} {}", plain(&row.method), plain(&row.path)),
            client_ip: row.client_ip.to_string(),
            time: shown_time(&received_at),
            received_at,
            status: row.status,
            size: size(row.size_bytes),
            took: took(row.duration_us),
            unverified_event: shown(&row.unverified.event),
            unverified_device: shown(row.unverified.called()),
            unverified_id: shown(&row.unverified.id),
            is_imported: row.id.is_imported(),
            is_pinned: row.marks.is_pinned,
            tags: row.marks.tags.iter().map(|tag| plain(tag)).collect(),
        }
    }
}
