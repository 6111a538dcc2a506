//! Deliveries as CSV (RFC 4180): a row for each, the columns of the list and the marks.

use std::borrow::Cow;

use crate::domain::DeliveryRow;

/// The columns, named as in the API.
const COLUMNS: [&str; 24] = [
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
    "headline",
    "unverified_event",
    "unverified_event_id",
    "unverified_device",
    "unverified_device_name",
    "pinned",
    "tags",
    "note",
];

/// The line of the columns' names, behind a byte order mark: without one Excel reads UTF-8 as the old code page of its
/// country, and "Müller" as "MÃ¼ller".
#[must_use]
pub fn csv_head() -> Vec<u8> {
    ["\u{feff}".as_bytes(), &line(&COLUMNS.map(Cow::Borrowed))].concat()
}

/// The line of a delivery. A value that a spreadsheet would run as a formula has an apostrophe in front.
#[must_use]
pub fn csv_line(row: &DeliveryRow) -> Vec<u8> {
    let tags = row.marks.tags.join(", ");
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
        row.headline(),
        text(row.unverified.event.as_deref()),
        text(row.unverified.id.as_deref()),
        text(row.unverified.device.as_deref()),
        text(row.unverified.device_name.as_deref()),
        row.marks.is_pinned.to_string().into(),
        harmless(&tags),
        text(row.marks.note.as_deref()),
    ])
}

fn harmless(text: &str) -> Cow<'_, str> {
    if is_formula(text) { Cow::Owned(format!("'{text}")) } else { Cow::Borrowed(text) }
}

/// Whether a spreadsheet may run the text: it starts with a sign of a formula, full-width ones among them (Excel with an
/// East Asian locale), or does once blanks and invisible characters in front are dropped, as some imports do.
fn is_formula(text: &str) -> bool {
    let is_unseen = |letter: char| {
        letter.is_whitespace()
            || letter.is_control()
            || matches!(letter, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    let seen = text.trim_start_matches(is_unseen);
    text.starts_with(['\t', '\r', '\n']) || seen.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠'])
}

fn line(values: &[Cow<'_, str>; 24]) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    // Writing into memory does not fail.
    let _ = writer.write_record(values.iter().map(|value| value.as_bytes()));
    writer.into_inner().unwrap_or_default()
}

fn text(value: Option<&str>) -> Cow<'_, str> {
    harmless(value.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_spreadsheet_would_run_gets_an_apostrophe_however_it_is_disguised() {
        for front in
            ["", " ", "\u{a0}", "\u{feff}", "\u{200b}", "\u{3000}", " \u{200b} ", "\u{0}", "\u{2060}"]
        {
            for sign in ["=", "+", "-", "@", "＝", "＋", "－", "＠"] {
                let text = format!("{front}{sign}1+1");
                assert_eq!(harmless(&text), format!("'{text}"), "{text:?}");
            }
        }
        for text in ["\tx", "\rx", "\nx"] {
            assert_eq!(harmless(text), format!("'{text}"));
        }
        for plain in ["", " ", "a=1", "1-1", " x", "Müller", "．1", "#x"] {
            assert_eq!(harmless(plain), plain);
        }
    }

    #[test]
    fn the_head_starts_with_a_byte_order_mark_for_excel() {
        assert!(csv_head().starts_with("\u{feff}id,received_at,".as_bytes()));
    }
}
