//! The body on a delivery's page, as a tree, text, bytes, a form, parts, points or an image; and what is downloaded of it.

use std::sync::Arc;

use actix_web::http::header::{
    CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS,
};
use actix_web::{HttpResponse, web};
use bytes::Bytes;

use super::page;
use crate::domain::json::without_mark;
use crate::domain::{Check, Fault, HexPage, Piece, StoredDelivery, TextPage, pieces, plain};
use crate::http::inspector::operations::deliveries::stored;
use crate::http::inspector::state::InspectorState;
use crate::inspect::body::{
    Image, Pair, Parts, Points, image, is_points, media_type, pairs, parts, payload_of, points,
};
use crate::inspect::json_tree::{Tree, Wish, tree};
use crate::payload::decode;

/// The most bytes that a packed body is unpacked to.
const MAX_DECODED: usize = 16 * 1024 * 1024;
/// Nothing that is served from a body is a page, a frame, or a script.
const NOTHING_RUNS: &str = "sandbox; default-src 'none'; frame-ancestors 'none'";

/// What the page's address asks for.
#[derive(Clone, Debug, Default)]
pub struct Look {
    pub view: Option<String>,
    /// The first byte of the value that a tree begins with.
    pub at: usize,
    /// The first byte, item or point of a page.
    pub offset: usize,
    /// A part of a multipart body instead of the whole.
    pub part: Option<usize>,
}

/// The section.
pub struct BodySection {
    pub tabs: Vec<Tab>,
    pub view: View,
    pub notes: Vec<String>,
    /// The parameters that lead to what is looked at, but for `view`, `at` and `offset`.
    pub base: String,
    pub query: Vec<Pair>,
    /// Where all that is looked at is downloaded.
    pub raw_url: String,
}

pub struct Tab {
    pub label: &'static str,
    pub url: String,
    pub is_here: bool,
}

/// One view of it.
pub enum View {
    Empty,
    Tree { tree: Tree, up: Option<String> },
    Text { page: TextPage, next: Option<usize>, is_later: bool },
    Hex { page: HexPage, next: Option<usize>, is_later: bool },
    Form { pairs: Vec<Pair>, count: usize },
    Parts { parts: Vec<PartView>, fault: Option<String> },
    Points { points: Points, next: Option<usize> },
    Image { kind: &'static str, url: String },
}

pub struct PartView {
    pub number: usize,
    pub name: String,
    pub file_name: Option<String>,
    pub headers: Vec<(String, String)>,
    pub size: usize,
    pub start: Vec<Piece>,
    pub is_text: bool,
}

/// What was read of a body before anything is shown.
struct Readable {
    /// As it came, or the part that is asked for.
    wire: Bytes,
    /// Without its content coding.
    read: Bytes,
    media: String,
    parts: Option<Parts>,
    notes: Vec<String>,
}

async fn readable(delivery: &StoredDelivery, part: Option<usize>) -> Readable {
    let mut notes = Vec::new();
    let wire = delivery.body.clone();
    let read = match decode(&delivery.headers, &wire, MAX_DECODED) {
        Ok(decoded) if decoded.len() == wire.len() && *decoded == *wire => wire.clone(),
        Ok(decoded) => {
            notes.push(format!(
                "Unpacked: {} bytes arrived, {} are shown. Bytes shows what arrived.",
                wire.len(),
                decoded.len()
            ));
            Bytes::from(decoded.into_owned())
        }
        Err(fault) => {
            notes.push(format!("The body cannot be unpacked ({fault}), so it is shown as it arrived."));
            wire.clone()
        }
    };
    let media = media_type(&delivery.headers);
    let content_type = delivery.headers.get("content-type").map(String::from_utf8_lossy);
    let found = match content_type.filter(|_| media == "multipart/form-data") {
        Some(content_type) => Some(parts(&content_type, read.clone()).await),
        None => None,
    };
    let chosen = part.and_then(|number| found.as_ref()?.parts.get(number).cloned());
    match (part, chosen) {
        (Some(number), Some(chosen)) => {
            let of = |(name, value): &(String, String)| {
                let media = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
                (name == "content-type").then_some(media)
            };
            notes.push(format!("Part {} of the body, “{}”.", number.saturating_add(1), plain(&chosen.name)));
            let media = chosen.headers.iter().find_map(of).unwrap_or_default();
            Readable { wire: chosen.body.clone(), read: chosen.body, media, parts: None, notes }
        }
        _ => Readable { wire, read, media, parts: found, notes },
    }
}

impl BodySection {
    /// The body of a delivery as the address asks, or as suits it.
    pub async fn of(delivery: &Arc<StoredDelivery>, look: Look) -> Self {
        let readable = readable(delivery, look.part).await;
        let delivery = Arc::clone(delivery);
        let made = tokio::task::spawn_blocking(move || section(&delivery, readable, &look)).await;
        made.unwrap_or_else(|_| Self {
            tabs: Vec::new(),
            view: View::Empty,
            notes: vec!["This cannot be shown; the raw body is there to download.".to_owned()],
            base: String::new(),
            query: Vec::new(),
            raw_url: String::new(),
        })
    }
}

fn section(delivery: &StoredDelivery, readable: Readable, look: &Look) -> BodySection {
    let base = look.part.map_or(String::new(), |part| format!("part={part}&"));
    let (_, query) = delivery.row.path.split_once('?').unwrap_or_default();
    let mut section = BodySection {
        tabs: Vec::new(),
        view: View::Empty,
        notes: readable.notes.clone(),
        base,
        query: shown_pairs(query.as_bytes()).0,
        raw_url: match look.part {
            Some(part) => format!("/deliveries/{}/parts/{part}", delivery.row.id),
            None => format!("/api/v1/deliveries/{}/raw", delivery.row.id),
        },
    };
    if readable.wire.is_empty() {
        return section;
    }
    let has_faults = delivery.checks.iter().any(|check| !check.faults.is_empty());
    let ways = ways(&readable, has_faults);
    let chosen = look.view.as_deref().filter(|view| ways.iter().any(|(name, _)| name == view));
    let chosen = chosen.or(ways.first().map(|(name, _)| *name)).unwrap_or("hex");
    section.tabs = ways
        .iter()
        .map(|(name, label)| Tab {
            label,
            url: format!("?{}view={name}#body", section.base),
            is_here: *name == chosen,
        })
        .collect();
    section.view = view(delivery, readable, look, chosen);
    section
}

/// How it can be looked at, the best way first. The tree marks the faults of a payload.
fn ways(readable: &Readable, has_faults: bool) -> Vec<(&'static str, &'static str)> {
    let read = &readable.read;
    let text = without_mark(read);
    let first = text.iter().find(|byte| !byte.is_ascii_whitespace());
    let is_form = readable.media == "application/x-www-form-urlencoded";
    let has_payload = is_form && payload_of(read).is_some();
    let is_json = matches!(first, Some(b'{' | b'[')) || readable.media.ends_with("json");
    let is_text = std::str::from_utf8(read).is_ok();
    let is_points = is_points(read);
    let are_points_best = is_points && first == Some(&b'[') && !has_faults;
    let all = [
        ("image", "Image", image(read).is_some()),
        ("parts", "Parts", readable.parts.is_some()),
        ("points", "Points", are_points_best),
        ("tree", "Tree", is_json || has_payload),
        ("form", "Form", is_form),
        ("points", "Points", is_points && !are_points_best),
        ("text", "Text", is_text),
        ("hex", "Bytes", true),
    ];
    all.into_iter().filter(|(.., is_so)| *is_so).map(|(name, label, _)| (name, label)).collect()
}

fn view(delivery: &StoredDelivery, readable: Readable, look: &Look, chosen: &str) -> View {
    let read = &readable.read;
    match chosen {
        "image" => View::Image {
            kind: image(read).map_or("", Image::media_type),
            url: format!(
                "/deliveries/{}/image{}",
                delivery.row.id,
                look.part.map_or(String::new(), |part| format!("?part={part}"))
            ),
        },
        "parts" => {
            let Parts { parts, fault } = readable.parts.unwrap_or_default();
            let fault = fault.map(|fault| plain(&fault));
            View::Parts { parts: parts.iter().enumerate().map(part_view).collect(), fault }
        }
        "tree" => {
            let faults: Vec<Fault> =
                delivery.checks.iter().flat_map(|check: &Check| check.faults.clone()).collect();
            let payload = payload_of(read).filter(|_| readable.media == "application/x-www-form-urlencoded");
            let bytes = payload.as_deref().unwrap_or(read);
            let tree = tree(bytes, Wish { at: look.at, offset: look.offset, faults: &faults });
            View::Tree { up: (look.at > 0).then(|| plain(&tree.pointer)), tree }
        }
        "form" => {
            let (pairs, count) = shown_pairs(read);
            View::Form { pairs, count }
        }
        "points" => match points(read, look.offset) {
            Some(points) => {
                let next = points.from.saturating_add(points.rows.len());
                View::Points { next: (next < points.count).then_some(next), points }
            }
            None => View::Empty,
        },
        "text" => {
            let page = TextPage::of(std::str::from_utf8(read).unwrap_or_default(), look.offset);
            View::Text { next: page.is_cut.then_some(page.to), is_later: page.from > 0, page }
        }
        _ => {
            let page = HexPage::of(&readable.wire, look.offset);
            View::Hex { next: page.is_cut.then_some(page.to), is_later: page.from > 0, page }
        }
    }
}

fn shown_pairs(text: &[u8]) -> (Vec<Pair>, usize) {
    let (pairs, count) = pairs(text);
    let shown =
        pairs.into_iter().map(|pair| Pair { name: plain(&pair.name), value: plain(&pair.value), ..pair });
    (shown.collect(), count)
}

/// So much of a part is shown with it, in bytes.
const PART_START: usize = 600;

fn part_view((number, part): (usize, &crate::inspect::body::Part)) -> PartView {
    let text = std::str::from_utf8(&part.body).ok();
    let start = text.map(|text| text.get(..text.floor_char_boundary(PART_START)).unwrap_or(text));
    PartView {
        number,
        name: plain(&part.name),
        file_name: part.file_name.as_deref().map(plain),
        headers: part.headers.iter().map(|(name, value)| (plain(name), plain(value))).collect(),
        size: part.body.len(),
        start: start.map(pieces).unwrap_or_default(),
        is_text: text.is_some(),
    }
}

/// The image that a body is, or a part of it.
pub async fn picture(
    id: web::Path<String>,
    request: actix_web::HttpRequest,
    state: web::Data<InspectorState>,
) -> HttpResponse {
    let delivery = match stored(&id, &state).await {
        Ok(delivery) => delivery,
        Err(problem) => return problem.response(),
    };
    let readable = readable(&delivery, look(request.query_string()).part).await;
    match image(&readable.read) {
        Some(kind) => safe()
            .insert_header((CONTENT_TYPE, kind.media_type()))
            .insert_header((CONTENT_DISPOSITION, "inline"))
            .body(readable.read),
        None => page::not_found(&state, "The body is not an image."),
    }
}

/// One part of a multipart body, to be kept, never to be shown.
pub async fn part(path: web::Path<(String, usize)>, state: web::Data<InspectorState>) -> HttpResponse {
    let (id, number) = path.into_inner();
    let delivery = match stored(&id, &state).await {
        Ok(delivery) => delivery,
        Err(problem) => return problem.response(),
    };
    let found = readable(&delivery, None).await.parts.and_then(|parts| parts.parts.get(number).cloned());
    match found {
        Some(part) => safe()
            .insert_header((CONTENT_TYPE, "application/octet-stream"))
            .insert_header((
                CONTENT_DISPOSITION,
                format!("attachment; filename=\"{}\"", safe_name(part.file_name.as_deref(), number)),
            ))
            .body(part.body),
        None => page::not_found(&state, "There is no such part."),
    }
}

fn safe() -> actix_web::HttpResponseBuilder {
    let mut answer = HttpResponse::Ok();
    answer
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((CONTENT_SECURITY_POLICY, NOTHING_RUNS));
    answer
}

/// A file name that is only a name: letters, digits, dots and lines, and no folder.
fn safe_name(given: Option<&str>, number: usize) -> String {
    let last = given.unwrap_or_default().rsplit(['/', '\\']).next().unwrap_or_default();
    let kept: String = last
        .chars()
        .map(|letter| if letter.is_ascii_alphanumeric() || "._-".contains(letter) { letter } else { '_' })
        .take(100)
        .collect();
    let kept = kept.trim_start_matches('.');
    if kept.is_empty() { format!("part-{}.bin", number.saturating_add(1)) } else { kept.to_owned() }
}

/// What a page's address asks for; what cannot be read asks for nothing.
pub fn look(query: &str) -> Look {
    let mut look = Look::default();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        match &*name {
            "view" => look.view = Some(value.into_owned()),
            "at" => look.at = value.parse().unwrap_or(0),
            "offset" => look.offset = value.parse().unwrap_or(0),
            "part" => look.part = value.parse().ok(),
            _ => {}
        }
    }
    look
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ui_16_a_file_name_is_only_a_name() {
        assert_eq!(safe_name(Some("\"><svg onload=..>.html"), 0), "___svg_onload_..>.html".replace('>', "_"));
        assert_eq!(safe_name(Some("../../etc/passwd"), 0), "passwd");
        assert_eq!(safe_name(Some("C:\\x\\.bashrc"), 0), "bashrc");
        assert_eq!(safe_name(Some("a\r\nSet-Cookie: b"), 0), "a__Set-Cookie__b");
        assert_eq!(safe_name(Some("…/"), 2), "part-3.bin");
        assert_eq!(safe_name(None, 0), "part-1.bin");
    }
}
