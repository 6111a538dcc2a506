//! One request: renders the payload, sets headers and credentials, and signs the bytes.

use bytes::Bytes;

use super::compiled::{Compiled, CompiledValue, scope_of};
use crate::domain::{AttemptError, MessageId, MissingValue, OutgoingEvent, Scheme, Secret, Timestamp};
use crate::send::language::{Rendered, Scope};
use crate::send::wire::{MAX_ANSWER, Method, Outgoing, credential_lines};
use crate::signing;

/// The most missing paths stored per attempt.
const MOST_MISSING: usize = 50;

/// The most bytes read of the response to a batch: it reports on up to a thousand items.
const MAX_BATCH_ANSWER: usize = 512 * 1024;
/// The error for a payload that was cut off.
const TOO_LARGE: &str = "the payload would be larger than 16 MiB";

/// A request that cannot be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsendable {
    /// The part that failed.
    pub error: AttemptError,
    /// What is wrong with it, without secrets.
    pub detail: String,
}

/// Header lines, name and value.
pub type Lines = Vec<(String, Vec<u8>)>;

impl Unsendable {
    fn new(error: AttemptError, detail: impl Into<String>) -> Self {
        Self { error, detail: detail.into() }
    }
}

/// The payload of an event for a subscription.
#[derive(Clone, Debug)]
pub struct Payload {
    /// The text, exactly as sent.
    pub body: Bytes,
    /// Paths missing in the event.
    pub missing: Vec<String>,
    /// Why an expression had no value.
    pub errors: Vec<String>,
}

impl Payload {
    /// Renders the template; without one, the payload is the event's own bytes.
    #[must_use]
    pub fn render(compiled: &Compiled, event: &OutgoingEvent, scope: &Scope) -> Self {
        let Some(template) = &compiled.template else {
            return Self { body: event.body.clone(), missing: Vec::new(), errors: Vec::new() };
        };
        let mut rendered = template.render(scope);
        if rendered.is_too_large() {
            rendered.errors.insert(0, TOO_LARGE.to_owned());
        }
        rendered.missing.truncate(MOST_MISSING);
        rendered.errors.truncate(MOST_MISSING);
        Self { body: Bytes::from(rendered.text), missing: rendered.missing, errors: rendered.errors }
    }

    /// Renders the payload for sending, with the header lines of the subscription.
    ///
    /// # Errors
    /// When a value is missing and the subscription treats that as an error; when templates need a scope and the event
    /// has none; when a header cannot be sent.
    pub fn for_sending(
        compiled: &Compiled,
        event: &OutgoingEvent,
        message: MessageId,
    ) -> Result<(Self, Lines), Unsendable> {
        // Without templates the event is sent as it is, and need not be read.
        let scope = if compiled.has_templates() {
            scope_of(event)
                .map_err(|fault| Unsendable::new(AttemptError::Template, fault.to_string()))?
                .for_message(message)
        } else {
            Scope::default()
        };
        let mut payload = Self::render(compiled, event, &scope);
        if payload.errors.first().is_some_and(|error| error == TOO_LARGE) {
            return Err(Unsendable::new(AttemptError::Template, TOO_LARGE));
        }
        let lines = payload.headers(compiled, &scope)?;
        match payload.lacking(compiled) {
            Some(lacking) => Err(Unsendable::new(AttemptError::Template, lacking)),
            None => Ok((payload, lines)),
        }
    }

    /// Renders the header lines of the subscription. Values missing for them are added to those of the payload.
    ///
    /// # Errors
    /// When a header cannot be sent.
    pub fn headers(&mut self, compiled: &Compiled, scope: &Scope) -> Result<Lines, Unsendable> {
        configured_headers(compiled, Some((scope, self)))
    }

    /// The error for missing values, if the subscription treats them as an error.
    #[must_use]
    pub fn lacking(&self, compiled: &Compiled) -> Option<String> {
        let lacking: Vec<&str> = self.missing.iter().chain(&self.errors).map(String::as_str).collect();
        let is_error = compiled.subscription.missing == MissingValue::Error && !lacking.is_empty();
        is_error.then(|| format!("the event lacks {}", lacking.join(", ")))
    }

    /// Takes the value of a header and its missing paths.
    fn header(&mut self, name: &str, rendered: Rendered, is_secret: bool) -> Vec<u8> {
        let missing = rendered.missing.into_iter().filter(|path| !self.missing.contains(path));
        let room = MOST_MISSING.saturating_sub(self.missing.len());
        self.missing.extend(missing.take(room).collect::<Vec<_>>());
        // Its expressions may contain parts of the credential.
        let why = |why| if is_secret { "the template fails on this event".to_owned() } else { why };
        let errors = rendered.errors.into_iter().map(|error| format!("header {name}: {}", why(error)));
        self.errors.extend(errors.take(MOST_MISSING.saturating_sub(self.errors.len())));
        rendered.text.into_bytes()
    }
}

/// Metadata about the messages in a request.
pub struct Envelope<'a> {
    /// The message's id, or a separate id for a batch.
    pub message_id: &'a str,
    /// The event's id, if there is one event with an id.
    pub event_id: Option<&'a str>,
    /// The number of the attempt.
    pub attempt: u32,
    /// Metadata of a batch.
    pub batch: Option<BatchEnvelope>,
}

/// Metadata of a batch.
#[derive(Clone, Copy)]
pub struct BatchEnvelope {
    /// The number of payloads.
    pub size: usize,
    /// One of its messages, by which our own receiver recognises the batch: its id changes at each attempt.
    pub carries: Option<MessageId>,
}

/// The request that carries `body` with the header lines of the subscription.
///
/// # Errors
/// When a secret cannot sign.
pub fn outgoing(
    compiled: &Compiled,
    mut headers: Lines,
    envelope: &Envelope<'_>,
    body: Bytes,
    now: Timestamp,
) -> Result<Outgoing, Unsendable> {
    if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
        headers.push(("Content-Type".to_owned(), b"application/json".to_vec()));
    }
    headers.extend(signature(compiled, envelope.message_id, now, &body)?);
    let mut tell = |name: &str, value: String| headers.push((name.to_owned(), value.into_bytes()));
    if let Some(id) = envelope.event_id.filter(|id| is_header_text(id)) {
        tell("X-TagoRUN-Event-Id", id.to_owned());
    }
    tell("X-TagoRUN-Message-Id", envelope.message_id.to_owned());
    tell("X-TagoRUN-Attempt", envelope.attempt.to_string());
    if let Some(batch) = envelope.batch {
        tell("X-TagoRUN-Batch-Size", batch.size.to_string());
        if let Some(message) = batch.carries {
            tell("X-TagoRUN-Batch-Carries", message.to_string());
        }
    }
    let timeout = compiled.subscription.timeout;
    let max_answer = if envelope.batch.is_some() { MAX_BATCH_ANSWER } else { MAX_ANSWER };
    Ok(Outgoing { method: Method::Post, url: compiled.url.clone(), headers, body, timeout, max_answer })
}

/// The configured header lines and the credential. Without a scope, as for a health check, templates are left out.
/// With one, missing values are recorded in the payload.
///
/// # Errors
/// When the result of a template cannot be a header value.
pub fn configured_headers(
    compiled: &Compiled,
    mut event: Option<(&Scope, &mut Payload)>,
) -> Result<Lines, Unsendable> {
    let mut headers = Vec::new();
    for header in &compiled.headers {
        let (template, is_secret) = match &header.value {
            CompiledValue::Secret(secret) => {
                headers.push((header.name.clone(), secret.expose().to_vec()));
                continue;
            }
            CompiledValue::Template(template) => (template, false),
            CompiledValue::SecretTemplate { value, .. } => (value, true),
        };
        let Some((scope, payload)) = &mut event else { continue };
        let value = payload.header(&header.name, template.render(scope), is_secret);
        if value.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0)) {
            let detail = format!("{} would contain a line break or NUL", header.name);
            return Err(Unsendable::new(AttemptError::HeaderInvalid, detail));
        }
        headers.push((header.name.clone(), value));
    }
    headers.extend(compiled.subscription.auth.as_ref().map(credential_lines).unwrap_or_default());
    Ok(headers)
}

/// HTTP can carry these characters in a header without loss.
fn is_header_text(text: &str) -> bool {
    text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) && text.trim() == text
}

/// The lines that sign `body`; several secrets give several signatures, in one header.
fn signature(
    compiled: &Compiled,
    message_id: &str,
    now: Timestamp,
    body: &[u8],
) -> Result<Lines, Unsendable> {
    let rule = &compiled.subscription.signature;
    let separator = if rule.scheme == Scheme::StandardWebhooks { " " } else { "," };
    let mut lines: Vec<(String, String)> = Vec::new();
    for secret in &rule.secrets {
        for (name, value) in sign(rule.scheme, secret, message_id, now, body)? {
            match lines.iter_mut().find(|(known, _)| *known == name) {
                Some((_, before)) if *before != value => *before = format!("{before}{separator}{value}"),
                Some(_) => {}
                None => lines.push((name, value)),
            }
        }
    }
    Ok(lines.into_iter().map(|(name, value)| (name, value.into_bytes())).collect())
}

fn sign(
    scheme: Scheme,
    secret: &Secret,
    message_id: &str,
    now: Timestamp,
    body: &[u8],
) -> Result<Vec<(String, String)>, Unsendable> {
    signing::sign(scheme, secret, message_id, now, body).map_err(|fault| {
        Unsendable::new(AttemptError::HeaderInvalid, format!("{} cannot sign: {fault}", secret.name()))
    })
}
