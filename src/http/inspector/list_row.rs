//! A row of the list: made here, and only here, for the page and for the live stream.

use askama::Template;

use super::InspectorState;
use super::words::{When, took};
use crate::domain::{DeliveryRow, Timestamp, Verdict, plain};

/// How many characters of a device's id are shown next to its name.
const TAIL: usize = 4;

/// A row of the list. Its texts are as they are shown: what hides is made visible, and the template escapes them.
#[derive(Clone, Debug)]
pub struct ListRow {
    /// When it came.
    pub at: Timestamp,
    /// Our id.
    pub id: String,
    /// The verdict's word.
    pub verdict: &'static str,
    /// What it is: the headline of a refusal, the event of everything else.
    pub what: String,
    /// The event of a refusal.
    pub event: String,
    /// The event id.
    pub event_id: String,
    /// Whether its cause is still to be found out.
    pub is_unnamed: bool,
    /// Whether event, id and device are only what a refused body says.
    pub is_unverified: bool,
    /// What the event is about: its name, or its id.
    pub device: String,
    /// The end of its id, where it has a name.
    pub device_tail: String,
    /// The source.
    pub source: String,
    /// The status answered.
    pub status: u16,
    /// How long it took, for people.
    pub took: String,
    /// When it came, RFC 3339 in UTC.
    pub received_at: String,
    /// The same for people.
    pub exact: String,
    /// How long ago that is.
    pub ago: String,
    /// Whether it is pinned.
    pub is_pinned: bool,
    /// Whether it has a note.
    pub has_note: bool,
    /// Its tags.
    pub tags: Vec<String>,
}

impl ListRow {
    /// A row at the time `now`; `name` is the name of its device.
    fn of(row: &DeliveryRow, name: Option<&str>, now: Timestamp) -> Self {
        let shown = |text: Option<&str>| text.map(plain).unwrap_or_default();
        // What was read of the event, else what a refused body says.
        let said = &row.unverified;
        let event = row.event_type.as_deref().or(said.event.as_deref());
        let event_id = row.event_id.as_deref().or(said.id.as_deref());
        let device_id = row.entity.as_deref().or(said.device.as_deref());
        let name = name.or(said.device_name.as_deref());
        let request = || format!("{} {}", plain(&row.method), plain(&row.path));
        let event = event.map_or_else(request, plain);
        let (what, event) = match row.verdict {
            Verdict::Rejected => (plain(&row.headline()), event),
            _ => (event, String::new()),
        };
        let device_id = shown(device_id);
        let name = name.map(plain).filter(|name| !name.is_empty() && *name != device_id);
        let received_at = row.received_at.to_string();
        Self {
            at: row.received_at,
            id: row.id.to_string(),
            verdict: row.verdict.as_str(),
            what,
            event,
            event_id: shown(event_id),
            is_unnamed: row.cause.is_none() && matches!(row.verdict, Verdict::Rejected | Verdict::Duplicate),
            is_unverified: !said.is_empty(),
            device_tail: name.as_ref().map(|_| tail(&device_id)).unwrap_or_default(),
            device: name.unwrap_or(device_id),
            source: plain(&row.source),
            status: row.status,
            took: took(row.duration_us),
            exact: format!("{} UTC", received_at.replacen('T', " ", 1).trim_end_matches('Z')),
            ago: When::in_list(row.received_at, now).shown,
            received_at,
            is_pinned: row.marks.is_pinned,
            has_note: row.marks.note.is_some(),
            tags: row.marks.tags.iter().map(|tag| plain(tag)).collect(),
        }
    }
}

fn tail(id: &str) -> String {
    let letters = id.chars().count();
    id.chars().skip(letters.saturating_sub(TAIL)).collect()
}

#[derive(Template)]
#[template(path = "list/row.html")]
struct RowHtml<'a> {
    row: &'a ListRow,
    /// What is before the paths of links.
    base: &'a str,
}

/// A row as HTML. Pages get the public path afterwards; for HTML that is not a page, `base` is that path.
pub fn html(row: &ListRow, base: &str) -> String {
    RowHtml { row, base }.render().unwrap_or_default()
}

/// The source and the id of what a delivery is about.
fn device(row: &DeliveryRow) -> Option<(String, String)> {
    let id = row.entity.clone().or_else(|| row.unverified.device.clone())?;
    Some((row.source.clone(), id))
}

/// The rows of some deliveries, with the names of their devices as far as they are known.
pub async fn views(state: &InspectorState, rows: &[DeliveryRow]) -> Vec<ListRow> {
    let devices = rows.iter().filter_map(device);
    // A list without names still is a list.
    let names = state.store.entity_names(devices.collect()).await.unwrap_or_default();
    let now = state.clock.wall();
    rows.iter()
        .map(|row| {
            let name = device(row).and_then(|device| names.get(&device));
            ListRow::of(row, name.map(String::as_str), now)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Cause, DeliveryId, Marks, Reason, Unverified};

    fn row(verdict: Verdict, reason: Option<Reason>) -> DeliveryRow {
        let at = Timestamp::parse_rfc3339("2026-11-28T14:01:26.039Z").unwrap();
        DeliveryRow {
            seq: 1,
            id: DeliveryId::new_at(at),
            source: "tagorun".into(),
            received_at: at,
            method: "POST".into(),
            path: "/webhook/<b>\u{202e}".into(),
            client_ip: "127.0.0.1".parse().unwrap(),
            event_type: None,
            event_name: None,
            event_id: Some("a\"b".into()),
            entity: Some("64c2f1a9b7e3d80009a1c0de".into()),
            verdict,
            reason,
            status: 200,
            size_bytes: 1,
            duration_us: 1_234,
            duplicate_of: None,
            marks: Marks::default(),
            cause: None,
            unverified: Unverified::default(),
        }
    }

    #[test]
    fn a_row_says_what_it_is_and_everything_in_it_is_text() {
        let now = Timestamp::parse_rfc3339("2026-11-28T14:01:38Z").unwrap();
        let refused = row(Verdict::Rejected, Some(Reason::SignatureMismatch));
        let view = ListRow::of(&refused, Some("Tank <i>"), now);
        assert_eq!(view.what, "Signature mismatch");
        assert_eq!((view.device.as_str(), view.device_tail.as_str()), ("Tank <i>", "c0de"));
        assert_eq!((view.ago.as_str(), view.exact.as_str()), ("11 s ago", "2026-11-28 14:01:26.039 UTC"));
        let html = html(&view, "/tagohook");
        assert!(html.contains(&format!("href=\"/tagohook/deliveries/{}\"", refused.id)), "{html}");
        assert!(html.contains(" data-unnamed>"), "its cause is still to be found out: {html}");
        for raw in ["<b>", "<i>", "\u{202e}", "a\"b"] {
            assert!(!html.contains(raw), "{raw} in {html}");
        }
        assert!(!html.contains("unverified"), "{html}");
        let said = Unverified {
            event: Some("data.threshold".into()),
            device: Some("64c2f1a9b7e3d80009a1c0de".into()),
            device_name: Some("Tank level".into()),
            ..Unverified::default()
        };
        let unread = DeliveryRow { event_id: None, entity: None, unverified: said, ..refused };
        let cause = Some(Cause { code: "unsigned".into(), headline: "Not signed".into() });
        let unread = DeliveryRow { cause, ..unread };
        let view = ListRow::of(&unread, None, now);
        assert_eq!(view.what, "Not signed");
        assert!(!super::html(&view, "").contains("data-unnamed"));
        assert_eq!((view.event.as_str(), view.device.as_str()), ("data.threshold", "Tank level"));
        assert!(super::html(&view, "").contains("(unverified)"));
        let accepted = ListRow::of(&row(Verdict::Accepted, None), None, now);
        assert!(accepted.what.starts_with("POST /webhook/"), "{}", accepted.what);
        assert_eq!((accepted.event.as_str(), accepted.device_tail.as_str()), ("", ""));
    }
}
