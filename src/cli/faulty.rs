//! Requests that are wrong on purpose, and what a receiver answers to them.

use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;

use super::arguments::SendFault;
use super::fault::Fault;
use crate::config::ReceiverConfig;
use crate::domain::{Credential, Scheme, Secret, SignatureRule, Source, Timestamp};
use crate::send::{Answer, signed_request};

/// The wrong secret and the wrong token.
const WRONG: &str = "a-secret-that-nobody-configured-0123456789";
/// How much longer than allowed.
const MARGIN: Duration = Duration::from_secs(60);

/// A request.
#[derive(Clone, Debug)]
pub struct Request {
    /// The header lines.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
    /// The pause after each byte, if it is sent slowly.
    pub pause: Option<Duration>,
}

/// What is sent for a fault, and what answers it right.
#[derive(Clone, Debug)]
pub struct Trial {
    /// The requests; the last one shows the fault.
    pub requests: Vec<Request>,
    /// The status.
    status: u16,
    /// A word that the response contains, if the status alone does not show it.
    word: Option<&'static str>,
}

impl Trial {
    /// Whether the last response is the right one; otherwise a sentence.
    pub fn judge(&self, answer: &Answer) -> Result<(), String> {
        let word = self.word.unwrap_or_default();
        if answer.status == self.status && String::from_utf8_lossy(&answer.body).contains(word) {
            return Ok(());
        }
        let expected = format!("{} {word}", self.status);
        Err(format!("the fault was not noticed: expected {}, got {}", expected.trim_end(), answer.status))
    }
}

/// What a request is made of.
pub struct Sample<'a> {
    /// The source.
    pub source: &'a Source,
    /// The limits of the receiver.
    pub receiver: &'a ReceiverConfig,
    /// The event.
    pub event: &'a str,
    /// Its id.
    pub id: &'a str,
    /// The time.
    pub now: Timestamp,
    /// The body without a fault.
    pub body: Bytes,
}

impl Sample<'_> {
    /// The requests for a fault.
    ///
    /// # Errors
    /// `Fault::Usage`, where the source cannot notice such a fault.
    pub fn with(&self, fault: SendFault) -> anyhow::Result<Trial> {
        let trial = |requests, status| Trial { requests, status, word: None };
        Ok(match fault {
            SendFault::BadSignature => {
                trial(vec![self.request(&self.wrong_source()?, self.now, self.body.clone())?], 401)
            }
            SendFault::Stale => trial(vec![self.stale()?], 401),
            SendFault::Duplicate => {
                let right = self.right(self.body.clone())?;
                Trial { requests: vec![right.clone(), right], status: 200, word: Some("already_processed") }
            }
            SendFault::Conflict => {
                let other = self.changed(|payload| {
                    payload.as_object_mut()?.insert("conflict".to_owned(), true.into());
                    serde_json::to_vec(payload).ok()
                })?;
                trial(vec![self.right(self.body.clone())?, self.right(other)?], 409)
            }
            SendFault::Reencoded => {
                self.need_signature("other bytes")?;
                let other = self.changed(|payload| serde_json::to_vec_pretty(payload).ok())?;
                trial(vec![Request { body: other, ..self.right(self.body.clone())? }], 401)
            }
            SendFault::Huge => {
                let mut body = self.body.to_vec();
                body.resize(self.receiver.max_body.saturating_add(1).max(body.len()), b' ');
                trial(vec![self.right(body.into())?], 413)
            }
            SendFault::Slow => {
                let lasts = self.receiver.body_timeout.saturating_add(Duration::from_secs(2));
                let bytes = u32::try_from(self.body.len()).unwrap_or(u32::MAX).max(1);
                let right = self.right(self.body.clone())?;
                trial(vec![Request { pause: Some(lasts.checked_div(bytes).unwrap_or(lasts)), ..right }], 408)
            }
        })
    }

    /// The request without a fault.
    ///
    /// # Errors
    /// When the secret of the source cannot sign.
    pub fn right(&self, body: Bytes) -> anyhow::Result<Request> {
        self.request(self.source, self.now, body)
    }

    fn request(&self, source: &Source, now: Timestamp, body: Bytes) -> anyhow::Result<Request> {
        Ok(Request { headers: signed_request(source, self.event, self.id, now, &body)?, body, pause: None })
    }

    fn changed(&self, change: impl Fn(&mut Value) -> Option<Vec<u8>>) -> anyhow::Result<Bytes> {
        let payload = serde_json::from_slice(&self.body).ok();
        let changed = payload.and_then(|mut payload: Value| change(&mut payload));
        changed.map(Bytes::from).ok_or_else(|| Fault::usage("this fault needs a body that is a JSON object"))
    }

    fn need_signature(&self, what: &str) -> anyhow::Result<()> {
        if self.source.signature.scheme != Scheme::None {
            return Ok(());
        }
        let name = &self.source.name;
        Err(Fault::usage(format!("source {name} requires no signature, so it cannot notice {what}")))
    }

    /// The source with another secret, or another credential.
    fn wrong_source(&self) -> anyhow::Result<Source> {
        let wrong = || Secret::new("a wrong secret", WRONG.as_bytes());
        let mut source = self.source.clone();
        if source.signature.scheme == Scheme::None {
            let Some(first) = source.credentials.first_mut() else {
                return Err(Fault::usage(format!(
                    "source {} requires neither a signature nor a credential, so nothing can be wrong with them",
                    source.name
                )));
            };
            match first {
                Credential::Bearer(token) => *token = wrong(),
                Credential::ApiKey { key, .. } => *key = wrong(),
                Credential::Basic { password, .. } => *password = wrong(),
            }
        } else {
            source.signature = SignatureRule { secrets: vec![wrong()], ..source.signature };
        }
        Ok(source)
    }

    fn stale(&self) -> anyhow::Result<Request> {
        self.need_signature("an old one")?;
        let old = self.now.minus(self.source.signature.tolerance.saturating_add(MARGIN));
        let request = self.request(self.source, old, self.body.clone())?;
        if request.headers == self.right(self.body.clone())?.headers {
            let scheme = self.source.signature.scheme.as_str();
            return Err(Fault::usage(format!(
                "the signature scheme {scheme} signs no time, so no request is stale; choose a --source whose scheme does, \
                 as standard-webhooks or stripe"
            )));
        }
        Ok(request)
    }
}
