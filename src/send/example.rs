//! A delivery as a source wants it: signed, and with its credential.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::domain::{Credential, Scheme, Source, Timestamp};
use crate::signing::{self, SecretFault};

/// The header lines of a request that `source` accepts with this `body`: content type, signature by its first secret,
/// and its first credential. `event` and `id` go into the headers of the schemes that have them there.
///
/// # Errors
/// When the source's secret is no key of its scheme.
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
    headers.extend(source.credentials.first().map(credential_lines).unwrap_or_default());
    Ok(headers)
}

fn credential_lines(credential: &Credential) -> Vec<(String, String)> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    match credential {
        Credential::Bearer(token) => {
            vec![("Authorization".to_owned(), format!("Bearer {}", text(token.expose())))]
        }
        Credential::ApiKey { key, secret, header, secret_header } => {
            let mut lines = vec![(header.clone(), text(key.expose()))];
            lines.extend(secret.as_ref().map(|secret| (secret_header.clone(), text(secret.expose()))));
            lines
        }
        Credential::Basic { username, password } => {
            let pair = [username.as_bytes(), b":", password.expose()].concat();
            vec![("Authorization".to_owned(), format!("Basic {}", STANDARD.encode(pair)))]
        }
    }
}
