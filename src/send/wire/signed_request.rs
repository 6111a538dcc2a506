//! An example request that a source accepts: signed, with its credential.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::domain::{Credential, Scheme, Source, Timestamp};
use crate::signing::{self, SecretFault};

/// The header lines of a request with this `body` that `source` accepts: content type, signature and credential. The
/// signature uses its first secret, and the credential is its first one. `event` and `id` go into headers if the
/// signature scheme has headers for them.
///
/// # Errors
/// When the source's secret is not a valid key for its scheme.
pub fn signed_request(
    source: &Source,
    event: &str,
    id: &str,
    now: Timestamp,
    body: &[u8],
) -> Result<Vec<(String, String)>, SecretFault> {
    let mut headers = vec![("Content-Type".to_owned(), "application/json".to_owned())];
    if source.signature.scheme == Scheme::Github {
        headers.push(("X-GitHub-Event".to_owned(), event.to_owned()));
        headers.push(("X-GitHub-Delivery".to_owned(), id.to_owned()));
    }
    if let Some(secret) = source.signature.secrets.first() {
        headers.extend(signing::sign(source.signature.scheme, secret, id, now, body)?);
    }
    let lines = source.credentials.first().map(credential_lines).unwrap_or_default();
    headers
        .extend(lines.into_iter().map(|(name, value)| (name, String::from_utf8_lossy(&value).into_owned())));
    Ok(headers)
}

/// The header lines that present a credential.
pub fn credential_lines(credential: &Credential) -> Vec<(String, Vec<u8>)> {
    let line = |name: &str, value: Vec<u8>| (name.to_owned(), value);
    match credential {
        Credential::Bearer(token) => {
            vec![line("Authorization", [b"Bearer ".as_slice(), token.expose()].concat())]
        }
        Credential::ApiKey { key, secret, header, secret_header } => {
            let mut lines = vec![line(header, key.expose().to_vec())];
            lines.extend(secret.as_ref().map(|secret| line(secret_header, secret.expose().to_vec())));
            lines
        }
        Credential::Basic { username, password } => {
            let pair = [username.as_bytes(), b":", password.expose()].concat();
            vec![line("Authorization", format!("Basic {}", STANDARD.encode(pair)).into_bytes())]
        }
    }
}
