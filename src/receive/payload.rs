//! Gate 5: is the verified body JSON of a form that we read?

use std::borrow::Cow;

use serde_json::Value;

use super::encoding::{self, EncodingFault};
use super::json;
use super::points::{self, Points};
use super::signature::VerifiedBody;
use super::trace::{Finding, Gated};
use crate::domain::{Fault, Headers, Reason, Scheme};

const RULE: &str = "one JSON object, or TagoIO's array of data points";

/// A payload that was read.
#[derive(Debug)]
pub struct Payload<'a> {
    /// The JSON text: the body with its content coding and form wrapping taken off.
    pub text: Cow<'a, [u8]>,
    /// The value; integers beyond 64 bits have lost digits here, `text` has them all.
    pub value: Value,
    /// What the points say, where the value is an array of them.
    pub points: Option<Points>,
}

/// The longest entity that is kept, in bytes; a longer value is none.
const MAX_ENTITY: usize = 256;

impl Payload<'_> {
    /// What the event is about: the string or integer at `pointer`, or the device of an array of points.
    pub fn entity(&self, pointer: &str) -> Option<String> {
        if let Some(points) = &self.points {
            return points.device.clone().filter(|device| device.len() <= MAX_ENTITY);
        }
        let entity = match self.value.pointer(pointer)? {
            Value::String(entity) => entity.clone(),
            Value::Number(number) if number.is_i64() || number.is_u64() => number.to_string(),
            _ => return None,
        };
        (!entity.is_empty() && entity.len() <= MAX_ENTITY).then_some(entity)
    }
}

/// Decodes and reads the body.
pub fn parse<'a>(
    scheme: Scheme,
    headers: &Headers,
    verified: VerifiedBody<'a>,
    max_body: usize,
) -> Gated<Payload<'a>> {
    let decoded = match encoding::decode(headers, verified.bytes(), max_body) {
        Ok(decoded) => decoded,
        Err(fault) => return refuse_encoding(fault),
    };
    let text = if scheme == Scheme::Github && is_form(headers) { form_payload(decoded) } else { decoded };
    match json::parse(&text) {
        Ok(value) => read_form(text, value),
        Err(fault) => {
            let seen = format!("not JSON: {fault}");
            Finding::new(seen.clone(), RULE).faults(vec![Fault::new("", seen)]).fail(Reason::NotJson)
        }
    }
}

fn refuse_encoding<T>(fault: EncodingFault) -> Gated<T> {
    match fault {
        EncodingFault::Unsupported(coding) => {
            Finding::new(format!("Content-Encoding: {coding}"), "gzip, deflate or br")
                .fail(Reason::UnsupportedEncoding)
        }
        EncodingFault::TooLarge => {
            Finding::new("decodes to more than max_body", "at most max_body bytes").fail(Reason::TooLarge)
        }
        EncodingFault::Corrupt(why) => {
            let seen = format!("not of its Content-Encoding: {why}");
            Finding::new(seen.clone(), RULE).faults(vec![Fault::new("", seen)]).fail(Reason::NotJson)
        }
    }
}

fn read_form<'a>(text: Cow<'a, [u8]>, value: Value) -> Gated<Payload<'a>> {
    let size = text.len();
    match &value {
        Value::Object(members) => {
            let seen = format!("an object of {} members, {size} bytes", members.len());
            Finding::new(seen, RULE).pass(Payload { text, value, points: None })
        }
        Value::Array(items) => match points::read(items) {
            Ok(points) => {
                let mut finding = Finding::new(format!("{} data points, {size} bytes", points.count), RULE);
                if points.given_up_once {
                    finding = finding.note("given up once: TagoIO handed these points to a fallback device");
                }
                finding.pass(Payload { text, value, points: Some(points) })
            }
            Err(faults) => Finding::new("an array", RULE).faults(faults).fail(Reason::InvalidPayload),
        },
        other => {
            let seen = json::kind(other);
            let fault = Fault::new("", format!("object expected, {seen} seen"));
            Finding::new(seen, RULE).faults(vec![fault]).fail(Reason::InvalidPayload)
        }
    }
}

fn is_form(headers: &Headers) -> bool {
    headers.get("content-type").is_some_and(|value| {
        let essence = value.split(|byte| *byte == b';').next().unwrap_or_default();
        essence.trim_ascii().eq_ignore_ascii_case(b"application/x-www-form-urlencoded")
    })
}

/// The `payload` field of a form, as GitHub sends it; without one, the body as it is.
fn form_payload(body: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
    let field = form_urlencoded::parse(&body).find(|(name, _)| name == "payload");
    match field.map(|(_, value)| value.into_owned().into_bytes()) {
        Some(payload) => Cow::Owned(payload),
        None => body,
    }
}
