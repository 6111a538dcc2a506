//! Deliveries as CSV (RFC 4180): a row for each, the columns of the list.

use std::borrow::Cow;

use crate::domain::DeliveryRow;

/// The columns, named as in the API.
const COLUMNS: [&str; 16] = [
    "id",
    "received_at",
    "source",
    "verdict",
    "reason",
    "status",
    "event_type",
    "event_name",
    "event_id",
    "entity",
    "method",
    "path",
    "client_ip",
    "size_bytes",
    "duration_us",
    "duplicate_of",
];

/// The line of the columns' names.
#[must_use]
pub fn csv_head() -> Vec<u8> {
    line(&COLUMNS.map(Cow::Borrowed))
}

/// The line of a delivery. A value that a spreadsheet would run as a formula has an apostrophe in front.
#[must_use]
pub fn csv_line(row: &DeliveryRow) -> Vec<u8> {
    line(&[
        row.id.to_string().into(),
        row.received_at.to_string().into(),
        harmless(&row.source),
        row.verdict.as_str().into(),
        row.reason.map_or("", |reason| reason.as_str()).into(),
        row.status.to_string().into(),
        text(row.event_type.as_deref()),
        text(row.event_name.as_deref()),
        text(row.event_id.as_deref()),
        text(row.entity.as_deref()),
        harmless(&row.method),
        harmless(&row.path),
        row.client_ip.to_string().into(),
        row.size_bytes.to_string().into(),
        row.duration_us.to_string().into(),
        row.duplicate_of.map(|first| first.to_string()).unwrap_or_default().into(),
    ])
}

fn harmless(text: &str) -> Cow<'_, str> {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) {
        Cow::Owned(format!("'{text}"))
    } else {
        Cow::Borrowed(text)
    }
}

fn line(values: &[Cow<'_, str>; 16]) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    // Writing into memory does not fail.
    let _ = writer.write_record(values.iter().map(|value| value.as_bytes()));
    writer.into_inner().unwrap_or_default()
}

fn text(value: Option<&str>) -> Cow<'_, str> {
    harmless(value.unwrap_or_default())
}
