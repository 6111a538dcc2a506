//! What a subscription would send for an event, without sending it.

use crate::domain::{Credential, MessageId, OutgoingEvent};
use crate::send::language::{ConditionOutcome, Place, Placed, Scope, placed, places};
use crate::send::state::Sender;
use crate::send::subscriptions::{Compiled, CompiledValue, Envelope, Payload, outgoing, scope_of};

/// The replacement for a secret.
const DOTS: &str = "••••";

/// A preview.
#[derive(Clone, Debug, Default)]
pub struct Preview {
    /// Whether the event would be sent: its type, its source and the filters match.
    pub matches: bool,
    /// Each condition with its result.
    pub conditions: Vec<ConditionOutcome>,
    /// The payload, exactly as it would be sent.
    pub payload: String,
    /// The event, as it came.
    pub event: String,
    /// What a template can name of it.
    pub places: Vec<Place>,
    /// Which values of the payload come from where in the event.
    pub placed: Vec<Placed>,
    /// The header lines, secrets masked.
    pub headers: Vec<(String, String)>,
    /// Paths of the template that the event lacks.
    pub missing: Vec<String>,
    /// Warnings, including why the event would not be sent.
    pub warnings: Vec<String>,
}

impl Sender {
    /// Evaluates the filter and the template of `compiled` on `event`.
    #[must_use]
    pub fn preview(&self, compiled: &Compiled, event: &OutgoingEvent, mut warnings: Vec<String>) -> Preview {
        let now = self.wall();
        let message = MessageId::new_at(now);
        let scope = match scope_of(event) {
            Ok(scope) => scope.for_message(message),
            Err(fault) => {
                warnings.push(fault.to_string());
                let payload = String::from_utf8_lossy(&event.body).into_owned();
                return Preview { event: payload.clone(), payload, warnings, ..Preview::default() };
            }
        };
        let judgement = compiled.judge(&event.event_type, &scope);
        warnings.extend(judgement.error.clone());
        let takes_type = compiled.takes_type(&event.event_type);
        if !takes_type {
            warnings.push(format!("events does not name {}", event.event_type));
        }
        let takes_source = compiled.takes_source(&event.source);
        if !takes_source {
            warnings.push(format!("sources does not name {}", event.source));
        }
        let mut payload = Payload::render(compiled, event, &scope);
        let lines = payload.headers(compiled, &scope);
        warnings.extend(payload.errors.iter().cloned());
        if let Some(lacking) = payload.lacking(compiled) {
            warnings.push(format!("missing is \"error\", and {lacking}: it would not be sent"));
        }
        let message_id = message.to_string();
        let event_id = event.event_id.as_deref();
        let envelope = Envelope { message_id: &message_id, event_id, attempt: 1, batch: None };
        let request = lines.and_then(|lines| outgoing(compiled, lines, &envelope, payload.body.clone(), now));
        let headers = match request {
            Ok(request) => shown(compiled, &scope, request.headers),
            Err(unsendable) => {
                warnings.push(format!("{}: {}", unsendable.error.as_str(), unsendable.detail));
                Vec::new()
            }
        };
        Preview {
            matches: takes_type && takes_source && judgement.matches,
            conditions: judgement.conditions,
            payload: String::from_utf8_lossy(&payload.body).into_owned(),
            event: String::from_utf8_lossy(&event.body).into_owned(),
            places: places(&scope),
            placed: compiled.template.as_ref().map(|made| placed(made, &event.body)).unwrap_or_default(),
            headers,
            missing: payload.missing,
            warnings,
        }
    }

    /// The payload of a message as it would be sent now.
    #[must_use]
    pub fn payload_now(
        &self,
        compiled: &Compiled,
        event: &OutgoingEvent,
        message: MessageId,
    ) -> Option<String> {
        let scope = scope_of(event).ok()?.for_message(message);
        Some(String::from_utf8_lossy(&Payload::render(compiled, event, &scope).body).into_owned())
    }
}

/// The header lines of a request with its credentials masked.
fn shown(compiled: &Compiled, scope: &Scope, headers: Vec<(String, Vec<u8>)>) -> Vec<(String, String)> {
    let mut masks: Vec<(&str, String)> = Vec::new();
    for header in &compiled.headers {
        match &header.value {
            CompiledValue::Template(_) => {}
            CompiledValue::Secret(_) => masks.push((&header.name, DOTS.to_owned())),
            CompiledValue::SecretTemplate { masked, .. } => {
                masks.push((&header.name, masked.render(scope).text));
            }
        }
    }
    match &compiled.subscription.auth {
        Some(Credential::Bearer(_) | Credential::Basic { .. }) => {
            masks.push(("Authorization", DOTS.to_owned()));
        }
        Some(Credential::ApiKey { header, secret_header, .. }) => {
            masks.extend([(&**header, DOTS.to_owned()), (&**secret_header, DOTS.to_owned())]);
        }
        None => {}
    }
    headers
        .into_iter()
        .map(|(name, value)| {
            let mask = masks.iter().find(|(known, _)| name.eq_ignore_ascii_case(known));
            let value =
                mask.map_or_else(|| String::from_utf8_lossy(&value).into_owned(), |(_, mask)| mask.clone());
            (name, value)
        })
        .collect()
}
