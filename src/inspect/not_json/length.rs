//! A Content-Length that does not fit its body: one that counts characters, one that counts a zero byte, and none.

use serde::de::IgnoredAny;

use super::scan::scan;
use crate::domain::json::without_mark;
use crate::domain::{BodyEnd, Gate, Source, StoredDelivery, Transfer};
use crate::inspect::told::Diagnosis;
use crate::signing::{self, SignedRequest};

const COUNTS_CHARACTERS: &str =
    "The sender counts characters, not bytes. | Take the length of the encoded text, as len(text.encode()).";

/// What is wrong with the length of a refused delivery's body.
#[must_use]
pub fn length_hint(delivery: &StoredDelivery) -> Option<Diagnosis> {
    let declared: Option<usize> = declared(delivery);
    let body = delivery.body.as_ref();
    if delivery.body_end != BodyEnd::Complete {
        let missing = declared?.checked_sub(body.len()).filter(|missing| *missing > 0)?;
        let is_whole = serde_json::from_slice::<IgnoredAny>(without_mark(body)).is_ok();
        let why = if missing <= 2 { ": a zero byte or a line break was counted" } else { "" };
        return is_whole.then(|| {
            let said = format!(
                "The document is complete: Content-Length is {missing} too large{why}. | Send the exact number of bytes."
            );
            Diagnosis::of("length-too-large", "Content-Length is too large", &said)
        });
    }
    match (surplus(delivery), declared) {
        (Some(surplus), None) if body.is_empty() => {
            let said = format!(
                "The request has neither Content-Length nor Transfer-Encoding, yet {} followed. | Set Content-Length to the \
                 number of bytes.",
                bytes(surplus)
            );
            Some(Diagnosis::of("length-missing", "The request has no Content-Length", &said))
        }
        (Some(surplus), Some(_)) if beyond_ascii(body) > 0 => {
            Some(counts_characters(&format!("Content-Length is {} short: more followed.", bytes(surplus))))
        }
        (Some(surplus), Some(_)) => {
            let said = format!(
                "Content-Length is {} short: more followed. | Send the exact number of bytes.",
                bytes(surplus)
            );
            Some(Diagnosis::of("length-too-small", "Content-Length is too small", &said))
        }
        (None, Some(_)) => {
            let missing = closing(body)?.len();
            (missing == beyond_ascii(body)).then(|| {
                counts_characters(&format!(
                    "The end of the document is missing: {}, as many as its letters beyond ASCII take more.",
                    bytes(missing)
                ))
            })
        }
        (_, None) => None,
    }
}

fn counts_characters(said: &str) -> Diagnosis {
    let headline = "Content-Length counts characters, not bytes";
    Diagnosis::of("length-in-characters", headline, &format!("{said} {COUNTS_CHARACTERS}"))
}

/// What closes all that is open in a body that ends too early; `None` if nothing is, or it is not JSON so far.
#[must_use]
pub fn closing(body: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(without_mark(body)).ok()?;
    scan(text).closing.filter(|closing| !closing.is_empty())
}

/// Says that the signature of a delivery belongs to its body with the end that Content-Length cut off.
#[must_use]
pub fn signed_with_its_end(delivery: &StoredDelivery, source: &Source) -> Option<Diagnosis> {
    let closing = closing(&delivery.body)?;
    let whole = [delivery.body.as_ref(), closing.as_bytes()].concat();
    let request = SignedRequest {
        method: &delivery.row.method,
        target: &delivery.row.path,
        headers: &delivery.headers,
        body: &whole,
    };
    signing::verify(&source.signature, &request, delivery.row.received_at).ok()?;
    let missing = bytes(closing.len());
    Some(counts_characters(&format!(
        "The signature belongs to this body with “{closing}” behind it: Content-Length is {missing} short."
    )))
}

fn declared(delivery: &StoredDelivery) -> Option<usize> {
    std::str::from_utf8(delivery.headers.get("content-length")?).ok()?.trim().parse().ok()
}

/// How many bytes followed the body.
fn surplus(delivery: &StoredDelivery) -> Option<usize> {
    let size = delivery.checks.iter().find(|check| check.gate == Gate::Size)?;
    size.notes.iter().find_map(|note| Transfer::surplus_in(note))
}

/// How many bytes the letters of a text take beyond one each.
fn beyond_ascii(body: &[u8]) -> usize {
    body.iter().filter(|byte| **byte & 0xc0 == 0x80).count()
}

fn bytes(count: usize) -> String {
    if count == 1 { "1 byte".to_owned() } else { format!("{count} bytes") }
}
