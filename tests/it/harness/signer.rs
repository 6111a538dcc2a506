//! Signatures over the `hmac` crate, and events to sign.

use base64::Engine as _;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// Hex HMAC-SHA256.
pub fn hmac_hex(secret: &[u8], body: &[u8]) -> String {
    hex::encode(digest(secret, body))
}

/// The `webhook-signature` of Standard Webhooks.
pub fn standard_webhooks(key: &[u8], id: &str, time_s: i64, body: &[u8]) -> String {
    let content = [format!("{id}.{time_s}.").as_bytes(), body].concat();
    format!("v1,{}", base64::engine::general_purpose::STANDARD.encode(digest(key, &content)))
}

fn digest(secret: &[u8], body: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).unwrap();
    mac.update(body);
    mac.finalize().into_bytes().to_vec()
}

/// A login with this id.
pub fn login(id: &str) -> String {
    format!(
        r#"{{"id":"{id}","event":"user.login","timestamp":"2026-03-09T07:14:58.402Z","user":{{"id":"u1","email":"a@example.com"}}}}"#
    )
}

/// A whole signed request to the source `tagorun`, a login with this id, on a connection that is kept.
pub fn signed_request(id: &str) -> String {
    let body = login(id);
    let hex = hmac_hex(super::SECRET.as_bytes(), body.as_bytes());
    let length = body.len();
    format!(
        "POST /webhook/tagorun HTTP/1.1\r\nHost: x\r\nX-TagoRUN-Signature: {hex}\r\nContent-Length: {length}\r\n\r\n{body}"
    )
}
