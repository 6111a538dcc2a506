//! Turns a body into a payload: removes its coding and form wrapping, and reads its JSON strictly.

use std::borrow::Cow;

use serde_json::Value;

use super::cloud_batch::{self, Batch};
use super::cloud_event::CloudMode;
use super::encoding::{self, EncodingFault};
use super::points::{self, Points};
use super::strict;
use crate::domain::json::pointer::value_at;
use crate::domain::json::seen;
use crate::domain::{Fault, Headers, Platform, Scheme, Selector};

/// A parsed payload.
#[derive(Debug)]
pub struct Payload<'a> {
    /// The JSON text: the body without its content coding and form wrapping.
    pub text: Cow<'a, [u8]>,
    /// The value; integers beyond 64 bits have lost digits here, `text` has all of them.
    pub value: Value,
    /// The points, if the value is an array of points.
    pub points: Option<Points>,
    /// The events, if the value is a batch.
    pub batch: Option<Batch>,
}

/// The fault of a batch on a source with a signature: the header that makes it a batch is not signed.
const BATCH_IS_UNSIGNED: &str = "a CloudEvents batch is read only by a source with signature = \"none\"; send each event in a \
     request of its own";

/// The longest entity that is stored, in bytes; longer values are ignored.
const MAX_ENTITY: usize = 256;

impl Payload<'_> {
    /// The entity of a delivery to `target`. If the payload names no device, `device` is the place to read one from.
    pub fn entity_of(
        &self,
        pointer: &str,
        device: Option<&Selector>,
        headers: &Headers,
        target: &str,
    ) -> Option<String> {
        // Points of several devices have no entity.
        let is_named = self.points.as_ref().is_some_and(|points| points.names_devices);
        let read = || device.filter(|_| !is_named)?.of(target, headers, &self.value);
        self.entity(pointer).or_else(read)
    }

    /// The entity of the event: the string or integer at `pointer`, or the device of an array of points.
    pub fn entity(&self, pointer: &str) -> Option<String> {
        if let Some(points) = &self.points {
            return points.device.clone().filter(|device| device.len() <= MAX_ENTITY);
        }
        if self.batch.is_some() {
            let mut entities = self.value.as_array()?.iter().map(|event| entity_at(event, pointer));
            let first = entities.next()?;
            return entities.all(|entity| entity == first).then_some(first)?;
        }
        entity_at(&self.value, pointer)
    }
}

/// The string or integer at `pointer`.
pub(super) fn entity_at(value: &Value, pointer: &str) -> Option<String> {
    let entity = match value_at(value, pointer)? {
        Value::String(entity) => entity.clone(),
        Value::Number(number) if number.is_i64() || number.is_u64() => number.to_string(),
        _ => return None,
    };
    (!entity.is_empty() && entity.len() <= MAX_ENTITY).then_some(entity)
}

/// Why a body is not a payload.
#[derive(Debug)]
pub enum PayloadFault {
    /// It could not be decoded.
    Encoding(EncodingFault),
    /// It is not JSON: what is wrong, and where.
    NotJson(Fault),
    /// It is an array, but neither of data points nor a batch of events.
    NotPoints(Vec<Fault>),
    /// It is neither an object nor an array: `a number`.
    NotAnEvent(&'static str),
}

/// Decodes and reads a body of a source with the signature scheme `scheme`.
///
/// # Errors
/// When it cannot be decoded, is not JSON, or is JSON of another form.
pub fn read<'a>(
    scheme: Scheme,
    headers: &Headers,
    body: &'a [u8],
    max_body: usize,
) -> Result<Payload<'a>, PayloadFault> {
    let decoded = encoding::decode(headers, body, max_body).map_err(PayloadFault::Encoding)?;
    let text = if is_form(headers) { form_text(scheme, decoded) } else { decoded };
    let value = strict::parse(&text).map_err(PayloadFault::NotJson)?;
    let is_batch = CloudMode::of(headers) == Some(CloudMode::Batch);
    if is_batch && scheme == Scheme::None {
        let batch = cloud_batch::read(&value).map_err(PayloadFault::NotPoints)?;
        return Ok(Payload { text, value, points: None, batch: Some(batch) });
    }
    if is_batch {
        return Err(PayloadFault::NotPoints(vec![Fault::new("", BATCH_IS_UNSIGNED)]));
    }
    let points = match &value {
        Value::Object(_) => None,
        Value::Array(_) if matches!(scheme, Scheme::Hmac(form) if form.arrays) => None,
        Value::Array(items) => Some(points::read(items).map_err(PayloadFault::NotPoints)?),
        other => return Err(PayloadFault::NotAnEvent(seen(other))),
    };
    Ok(Payload { text, value, points, batch: None })
}

fn is_form(headers: &Headers) -> bool {
    headers.get("content-type").is_some_and(|value| {
        let essence = value.split(|byte| *byte == b';').next().unwrap_or_default();
        essence.trim_ascii().eq_ignore_ascii_case(b"application/x-www-form-urlencoded")
    })
}

/// A form as JSON, where senders of the scheme post forms.
fn form_text(scheme: Scheme, body: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
    match scheme {
        Scheme::Github => form_payload(body),
        Scheme::Platform(Platform::Slack) => match form_payload(body) {
            Cow::Owned(payload) if strict::parse(&payload).is_ok() => Cow::Owned(payload),
            body => form_fields(&body),
        },
        Scheme::Hmac(form) if form.takes_forms() => form_fields(&body),
        _ => body,
    }
}

/// The fields of a form as an object. A name that is there several times has a list.
fn form_fields(body: &[u8]) -> Cow<'static, [u8]> {
    let mut fields = serde_json::Map::new();
    for (name, value) in form_urlencoded::parse(body) {
        let value = Value::String(value.into_owned());
        match fields.get_mut(&*name) {
            None => drop(fields.insert(name.into_owned(), value)),
            Some(Value::Array(values)) => values.push(value),
            Some(single) => *single = Value::Array(vec![single.take(), value]),
        }
    }
    Cow::Owned(Value::Object(fields).to_string().into_bytes())
}

/// The `payload` field of a form, as GitHub sends it; without one, the unchanged body.
fn form_payload(body: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
    let field = form_urlencoded::parse(&body).find(|(name, _)| name == "payload");
    match field.map(|(_, value)| value.into_owned().into_bytes()) {
        Some(payload) => Cow::Owned(payload),
        None => body,
    }
}
