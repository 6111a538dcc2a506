//! A Content-Length that does not fit its body: one that counts characters, one that counts a zero byte, and none.

use serde::de::IgnoredAny;

use super::scan::scan;
use crate::domain::json::without_mark;
use crate::domain::{BodyEnd, Gate, Source, StoredDelivery, Transfer};
use crate::signing;

const COUNTS_CHARACTERS: &str = "The sender counts characters, not bytes: it must take the length of the encoded text, as len(text.encode()).";

/// What is wrong with the length of a refused delivery's body, in a sentence or two.
#[must_use]
pub fn length_hint(delivery: &StoredDelivery) -> Option<String> {
    let declared: Option<usize> = declared(delivery);
    let body = delivery.body.as_ref();
    if delivery.body_end != BodyEnd::Complete {
        let missing = declared?.checked_sub(body.len()).filter(|missing| *missing > 0)?;
        let is_whole = serde_json::from_slice::<IgnoredAny>(without_mark(body)).is_ok();
        let why = if missing <= 2 { ": a zero byte or a line break was counted" } else { "" };
        return is_whole.then(|| {
            format!("The document is complete: Content-Length is {missing} too large{why}. Send the exact number of bytes.")
        });
    }
    match (surplus(delivery), declared) {
        (Some(surplus), None) if body.is_empty() => Some(format!(
            "The request has neither Content-Length nor Transfer-Encoding, yet {} followed. Set Content-Length to the \
             number of bytes.",
            bytes(surplus)
        )),
        (Some(surplus), Some(_)) => {
            let why =
                if beyond_ascii(body) > 0 { COUNTS_CHARACTERS } else { "Send the exact number of bytes." };
            Some(format!("Content-Length is {} short: more followed. {why}", bytes(surplus)))
        }
        (None, Some(_)) => {
            let missing = closing(body)?.len();
            (missing == beyond_ascii(body)).then(|| {
                format!(
                    "The end of the document is missing: {}, as many as its letters beyond ASCII take more. {COUNTS_CHARACTERS}",
                    bytes(missing)
                )
            })
        }
        (_, None) => None,
    }
}

/// What closes all that is open in a body that ends too early; `None` where nothing is, or it is not JSON so far.
#[must_use]
pub fn closing(body: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(without_mark(body)).ok()?;
    scan(text).closing.filter(|closing| !closing.is_empty())
}

/// Says that the signature of a delivery belongs to its body with the end that Content-Length cut off.
#[must_use]
pub fn signed_with_its_end(delivery: &StoredDelivery, source: &Source) -> Option<String> {
    let closing = closing(&delivery.body)?;
    let whole = [delivery.body.as_ref(), closing.as_bytes()].concat();
    signing::verify(&source.signature, &delivery.headers, &whole, delivery.row.received_at).ok()?;
    let missing = bytes(closing.len());
    Some(format!(
        "The signature belongs to this body with “{closing}” behind it: Content-Length is {missing} short. {COUNTS_CHARACTERS}"
    ))
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
