//! The request that a delivery becomes when it is sent again.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use url::Url;

use crate::domain::{
    Credential, ReplaySignature, Scheme, Source, StoredDelivery, Timestamp, names_credential_header,
};
use crate::inspect::export::is_of_the_connection;
use crate::send::{Method, Outgoing};
use crate::signing;

/// The header line that marks a replay; its value is the replay's id.
pub const MARK: &str = "X-Tagohook-Replay";
/// The most bytes of an answer that are kept.
const MAX_ANSWER: usize = 16 * 1024;
/// How long an answer may take.
const TIMEOUT: std::time::Duration = std::time::Duration::from_secs(60);

/// What is changed before a delivery is sent again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edits {
    /// Another method.
    pub method: Option<String>,
    /// Another path and query; only at our own receiver.
    pub path: Option<String>,
    /// Other header lines, all of them.
    pub headers: Option<Vec<(String, String)>>,
    /// Another body.
    pub body: Option<Bytes>,
}

impl Edits {
    /// Whether nothing is changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What a replay is made of.
pub struct Parts<'p> {
    pub delivery: &'p StoredDelivery,
    pub edits: &'p Edits,
    pub signature: ReplaySignature,
    /// The delivery's source, if there is one of that name.
    pub source: Option<&'p Source>,
    /// Other headers that the sources use for credentials.
    pub credential_headers: &'p [String],
    /// Whether it goes to our own receiver: then the source's own credential goes with it.
    pub is_to_us: bool,
    /// The replay's id, to mark it.
    pub mark: &'p str,
    pub url: Url,
    pub now: Timestamp,
}

/// The request; the fault says what cannot be sent.
pub fn outgoing(parts: Parts<'_>) -> Result<Outgoing, String> {
    let delivery = parts.delivery;
    let name = parts.edits.method.as_deref().unwrap_or(&delivery.row.method);
    let method = Method::named(name).ok_or_else(|| format!("the method {name} cannot be replayed"))?;
    let body = parts.edits.body.clone().unwrap_or_else(|| delivery.body.clone());
    let mut headers: Vec<(String, Vec<u8>)> = match &parts.edits.headers {
        Some(lines) => lines.iter().map(|(name, value)| (name.clone(), value.clone().into_bytes())).collect(),
        None => delivery.headers.iter().map(|header| (header.name.clone(), header.value.clone())).collect(),
    };
    let is_credential = |name: &str| {
        names_credential_header(name)
            || parts.credential_headers.iter().any(|known| known.eq_ignore_ascii_case(name))
    };
    headers.retain(|(name, value)| {
        // A received credential is stored as its hash. One that was typed in now is sent.
        let is_kept_hash = is_credential(name) && delivery.headers.get_all(name).any(|kept| kept == value);
        !is_of_the_connection(name) && !name.eq_ignore_ascii_case(MARK) && !is_kept_hash
    });
    // Without a scheme nothing is signed again, and webhook-id is the event's own id.
    let is_unsigned = parts.source.is_some_and(|source| source.signature.scheme == Scheme::None);
    let is_kept = parts.signature == ReplaySignature::Fresh && is_unsigned;
    if parts.signature != ReplaySignature::Original && !is_kept {
        let scheme = parts.source.map_or(Scheme::None, |source| source.signature.scheme);
        headers.retain(|(name, _)| !scheme.signs_with(name));
    }
    if let (ReplaySignature::Fresh, Some(source)) = (parts.signature, parts.source) {
        headers.extend(signed(source, delivery, parts.now, &body)?);
    }
    if let (true, Some(credential)) = (parts.is_to_us, parts.source.and_then(|s| s.credentials.first())) {
        let has = |name: &str, headers: &[(String, Vec<u8>)]| {
            headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name))
        };
        for (name, value) in presented(credential) {
            if !has(&name, &headers) {
                headers.push((name, value));
            }
        }
    }
    if parts.is_to_us {
        // A connection kept to ourselves would hold up the receiver's stop.
        headers.push(("Connection".to_owned(), "close".into()));
    }
    headers.push((MARK.to_owned(), parts.mark.into()));
    Ok(Outgoing { method, url: parts.url, headers, body, timeout: TIMEOUT, max_answer: MAX_ANSWER })
}

fn signed(
    source: &Source,
    delivery: &StoredDelivery,
    now: Timestamp,
    body: &[u8],
) -> Result<Vec<(String, Vec<u8>)>, String> {
    let rule = source.signature_now();
    let Some(secret) = rule.secrets.first().filter(|_| rule.scheme != Scheme::None) else {
        return Ok(Vec::new());
    };
    let own = match rule.scheme {
        Scheme::Hmac(form) => form.id.as_deref(),
        _ => None,
    };
    let kept = ["webhook-id", "svix-id", "twitch-eventsub-message-id"]
        .into_iter()
        .chain(own)
        .find_map(|name| delivery.headers.get(name));
    let id = kept.map(|id| String::from_utf8_lossy(id).into_owned());
    let id = id.unwrap_or_else(|| format!("msg_{}", delivery.row.id));
    let lines = signing::sign(rule.scheme, secret, &id, now, body)
        .map_err(|fault| format!("{} cannot sign: {fault}", secret.name()))?;
    Ok(lines.into_iter().map(|(name, value)| (name, value.into_bytes())).collect())
}

/// The header lines that present a credential.
fn presented(credential: &Credential) -> Vec<(String, Vec<u8>)> {
    let authorization = |scheme: &str, value: &[u8]| {
        vec![("Authorization".to_owned(), [scheme.as_bytes(), b" ", value].concat())]
    };
    match credential {
        Credential::Bearer(token) => authorization("Bearer", token.expose()),
        Credential::Basic { username, password } => {
            let pair = [username.as_bytes(), b":", password.expose()].concat();
            authorization("Basic", STANDARD.encode(pair).as_bytes())
        }
        Credential::ApiKey { key, secret, header, secret_header } => {
            let mut lines = vec![(header.clone(), key.expose().to_vec())];
            lines.extend(secret.iter().map(|secret| (secret_header.clone(), secret.expose().to_vec())));
            lines
        }
    }
}
