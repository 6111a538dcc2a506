//! The response to each handshake question.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use subtle::ConstantTimeEq as _;

use super::kinds::Asked;
use super::link::confirmation_link;
use crate::domain::{Handshake, HandshakeRule, Reason, Secret, Source};
use crate::receive::trace::{Finding, Gated};
use crate::signing::digest;

/// The longest challenge that is returned, in bytes.
const LONGEST: usize = 2048;
/// The longest token that is signed, in bytes.
const LONGEST_SIGNED: usize = 256;
/// The allowed sizes of a secret handed over by a sender, in bytes.
const HANDED: std::ops::RangeInclusive<usize> = 16..=256;

const TEXT: &str = "text/plain; charset=utf-8";
const JSON: &str = "application/json";

/// The response to a platform.
#[derive(Debug)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The media type; empty if there is no body.
    pub content_type: &'static str,
    /// The body.
    pub body: Vec<u8>,
    /// A further header line.
    pub header: Option<(&'static str, String)>,
    /// The action that must happen before the response.
    pub follow_up: Option<FollowUp>,
}

/// An action that must happen before the response.
#[derive(Debug)]
pub enum FollowUp {
    /// Open this link.
    Open(String),
    /// Store this secret.
    Keep(Secret),
}

impl Reply {
    fn new(content_type: &'static str, body: impl Into<Vec<u8>>) -> Self {
        Self { status: 200, content_type, body: body.into(), header: None, follow_up: None }
    }
}

/// Answers the question of `asked`, or rejects it with a reason.
pub fn gate(source: &Source, rule: &HandshakeRule, asked: &Asked) -> Gated<Reply> {
    let kind = asked.handshake;
    let seen = format!("Handshake of {}", kind.sender());
    let configured = format!("handshake = \"{}\"", kind.as_str());
    match answer(source, rule, asked) {
        Ok((reply, said)) => Finding::new(seen, configured).note(said).pass(reply),
        Err(Refusal { reason, why }) => Finding::new(format!("{seen}: {why}"), configured).fail(reason),
    }
}

struct Refusal {
    reason: Reason,
    why: &'static str,
}

const fn malformed(why: &'static str) -> Refusal {
    Refusal { reason: Reason::HandshakeMalformed, why }
}

const fn refused(why: &'static str) -> Refusal {
    Refusal { reason: Reason::HandshakeRefused, why }
}

type Answered = Result<(Reply, String), Refusal>;

fn answer(source: &Source, rule: &HandshakeRule, asked: &Asked) -> Answered {
    let returned = || "answered with the challenge".to_owned();
    let challenge = || shown(&asked.given);
    Ok(match asked.handshake {
        Handshake::Slack | Handshake::Dropbox | Handshake::Twitch | Handshake::MicrosoftGraph => {
            (Reply::new(TEXT, challenge()?), returned())
        }
        Handshake::EventGrid => {
            (Reply::new(JSON, json!({"validationResponse": challenge()?}).to_string()), returned())
        }
        Handshake::Okta => (Reply::new(JSON, json!({"verification": challenge()?}).to_string()), returned()),
        Handshake::Meta => {
            let expected = rule.token.as_ref().map(Secret::expose).unwrap_or_default();
            let is_ours = !expected.is_empty() && bool::from(asked.token.as_bytes().ct_eq(expected));
            if !is_ours {
                return Err(refused("its verify token is not the one of handshake_token"));
            }
            (Reply::new(TEXT, challenge()?), returned())
        }
        Handshake::Zoom => {
            let (token, digest) = signed(source, &asked.given)?;
            let body = json!({"plainToken": token, "encryptedToken": hex::encode(digest)});
            (Reply::new(JSON, body.to_string()), "answered with the token and its signature".to_owned())
        }
        Handshake::X => {
            let (_, digest) = signed(source, &asked.given)?;
            let body = json!({"response_token": format!("sha256={}", STANDARD.encode(digest))});
            (Reply::new(JSON, body.to_string()), "answered with the token's signature".to_owned())
        }
        Handshake::Xero => (Reply::new("", Vec::new()), "the signature is valid: answered 200".to_owned()),
        Handshake::Asana => keep(rule, &asked.given)?,
        Handshake::AwsIot | Handshake::AwsSns => link(rule, asked)?,
    })
}

/// A challenge that may be returned as text.
fn shown(given: &str) -> Result<&str, Refusal> {
    match given {
        "" => Err(malformed("its challenge is missing")),
        long if long.len() > LONGEST => Err(malformed("its challenge is longer than 2048 bytes")),
        odd if odd.chars().any(char::is_control) => Err(malformed("its challenge has a control character")),
        given => Ok(given),
    }
}

/// A token with its signature. Tokens use an alphabet that cannot express JSON or a signed event, so this never signs
/// an event.
fn signed<'g>(source: &Source, given: &'g str) -> Result<(&'g str, [u8; 32]), Refusal> {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=_-.".contains(&byte);
    if given.is_empty() || given.len() > LONGEST_SIGNED || !given.bytes().all(is_token) {
        return Err(malformed("its token is not 1 to 256 letters, digits and + / = _ - ."));
    }
    let secret = source.signature.secrets.first().ok_or(refused("the source has no secret"))?;
    Ok((given, digest(secret.expose(), &[given.as_bytes()])))
}

/// The secret that Asana hands over: the first one is stored, and the same one gets the same answer.
fn keep(rule: &HandshakeRule, given: &str) -> Answered {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=_-".contains(&byte);
    if !HANDED.contains(&given.len()) || !given.bytes().all(is_letter) {
        return Err(malformed("its secret is not 16 to 256 letters, digits and + / = _ -"));
    }
    let mut reply = Reply::new("", Vec::new());
    reply.header = Some(("X-Hook-Secret", given.to_owned()));
    let file = rule.handed.file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    match rule.handed.get() {
        None => {
            reply.follow_up = Some(FollowUp::Keep(Secret::new(format!("file:{file}"), given.as_bytes())));
            Ok((
                reply,
                format!("answered with its secret, which is kept as file:{file} and signs from now on"),
            ))
        }
        Some(known) if bool::from(known.expose().ct_eq(given.as_bytes())) => {
            Ok((reply, format!("answered with the secret of file:{file} once more")))
        }
        Some(_) => Err(refused(
            "another secret was handed over before; to accept this one, remove its file and reload",
        )),
    }
}

fn link(rule: &HandshakeRule, asked: &Asked) -> Answered {
    let link = confirmation_link(asked.handshake, &asked.given)
        .ok_or(malformed("its link does not lead to a confirmation address of AWS"))?;
    let mut reply = Reply::new("", Vec::new());
    if rule.opens_links {
        reply.follow_up = Some(FollowUp::Open(link));
        return Ok((reply, "answered 200; its link is opened".to_owned()));
    }
    Ok((reply, format!("open this link to confirm: {link}")))
}

#[cfg(test)]
mod tests;
