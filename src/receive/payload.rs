//! Gate 5: is the verified body JSON in a supported form?

use super::signature::VerifiedBody;
use super::trace::{Finding, Gated};
use crate::domain::{Fault, Headers, Reason, Scheme, shown_size};
use crate::payload::{self, EncodingFault, Payload, PayloadFault};

const RULE: &str = "one JSON object, or TagoIO's array of data points";

/// Decodes and reads the body.
pub fn parse<'a>(
    scheme: Scheme,
    headers: &Headers,
    verified: &VerifiedBody<'a>,
    max_body: usize,
) -> Gated<Payload<'a>> {
    match payload::read(scheme, headers, verified.bytes(), max_body) {
        Ok(payload) => pass(payload),
        Err(PayloadFault::Encoding(fault)) => refuse_encoding(fault, max_body),
        Err(PayloadFault::NotJson(fault)) => not_json(fault.after("not JSON")),
        Err(PayloadFault::NotPoints(faults)) => {
            Finding::new("an array", RULE).faults(faults).fail(Reason::InvalidPayload)
        }
        Err(PayloadFault::NotAnEvent(kind)) => {
            let fault = Fault::new("", format!("object expected, {kind} seen"));
            Finding::new(kind, RULE).faults(vec![fault]).fail(Reason::InvalidPayload)
        }
    }
}

fn pass(payload: Payload<'_>) -> Gated<Payload<'_>> {
    let size = payload.text.len();
    let seen = match (&payload.points, &payload.value) {
        _ if payload.batch.is_some() => {
            let events = payload.batch.as_ref().map_or(0, |batch| batch.0.len());
            format!("a CloudEvents batch of {events}, {size} bytes")
        }
        (Some(points), _) => format!("{} data points, {size} bytes", points.count),
        (None, value) => {
            let members = value.as_object().map_or(0, serde_json::Map::len);
            format!("an object of {members} members, {size} bytes")
        }
    };
    let mut finding = Finding::new(seen, RULE);
    if payload.points.as_ref().is_some_and(|points| points.given_up_once) {
        finding = finding.note("given up once: TagoIO handed these points to a fallback device");
    }
    finding.pass(payload)
}

fn not_json<T>(fault: Fault) -> Gated<T> {
    Finding::new(fault.message.clone(), RULE).faults(vec![fault]).fail(Reason::NotJson)
}

fn refuse_encoding<T>(fault: EncodingFault, max_body: usize) -> Gated<T> {
    match fault {
        EncodingFault::Unsupported(coding) => {
            Finding::new(format!("Content-Encoding: {coding}"), "gzip, deflate or br")
                .fail(Reason::UnsupportedEncoding)
        }
        EncodingFault::TooLarge => {
            let most = shown_size(max_body);
            Finding::new(format!("decodes to more than {most}"), format!("at most {most}"))
                .fail(Reason::TooLarge)
        }
        EncodingFault::Corrupt(why) => {
            not_json(Fault::new("", format!("not of its Content-Encoding: {why}")))
        }
    }
}
