//! The keys that a sender may have made of a secret.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::difference::Difference;
use super::suspect::{Known, Suspect};
use crate::signing::key::usable_key;

/// A key, and what is different about it.
pub struct Key {
    pub bytes: Vec<u8>,
    pub difference: Option<Difference>,
}

/// The usual keys of the source's secrets first, then what else they may have become, then those of others.
pub fn keys(suspect: &Suspect<'_>) -> Vec<Key> {
    let (own, others): (Vec<&Known<'_>>, Vec<&Known<'_>>) =
        suspect.secrets.iter().partition(|known| known.source.is_none());
    let mut keys = Vec::new();
    for known in &own {
        keys.extend(usual_key(known).map(|bytes| Key { bytes, difference: None }));
    }
    for known in &own {
        changed(known, &mut keys);
    }
    for known in &others {
        let source = known.source.unwrap_or_default();
        let fix = format!(
            "It is signed with {}, the secret of source “{source}”: send it to /webhook/{source}, or give the sender the \
             secret of this source.",
            known.secret.name()
        );
        let bytes = usual_key(known).unwrap_or_else(|| known.secret.expose().to_vec());
        keys.push(Key { bytes, difference: Some(Difference::new("another-sources-secret", fix)) });
    }
    for (text, what) in
        [("", "an empty secret"), ("undefined", "the word undefined"), ("null", "the word null")]
    {
        let fix = format!(
            "The sender signs with {what} as its secret: the variable that should hold it is not set."
        );
        keys.push(Key { bytes: text.into(), difference: Some(Difference::new("secret-not-set", fix)) });
    }
    // What is the same key again is told by its first name.
    let mut seen: Vec<Vec<u8>> = Vec::new();
    keys.retain(|key| {
        let is_new = !seen.contains(&key.bytes);
        seen.push(key.bytes.clone());
        is_new
    });
    keys
}

/// What a secret becomes by the usual mistakes.
fn changed(known: &Known<'_>, keys: &mut Vec<Key>) {
    let secret = known.secret.expose();
    let name = known.secret.name();
    let mut add = |bytes: Option<Vec<u8>>, variant: &'static str, fix: String| {
        if let Some(bytes) = bytes {
            keys.push(Key { bytes, difference: Some(Difference::new(variant, fix)) });
        }
    };
    prefixed(known, &mut add);
    add(
        Some(secret.trim_ascii().to_vec()),
        "secret-trimmed",
        format!("The sender signs without the blanks around the secret: take them out of {name}."),
    );
    for ending in ["\n", "\r\n", " "] {
        add(
            Some([secret, ending.as_bytes()].concat()),
            "secret-with-newline",
            "The sender signs with a line break or blank at the end of the secret, as it was read from a file or pasted: \
             take it out there."
                .to_owned(),
        );
    }
    for quote in [b'"', b'\''] {
        let inner = secret.strip_prefix(&[quote]).and_then(|rest| rest.strip_suffix(&[quote]));
        add(
            inner.map(<[u8]>::to_vec),
            "secret-unquoted",
            format!("The sender signs without the quotes around the secret: take them out of {name}."),
        );
        add(
            Some([&[quote], secret, &[quote]].concat()),
            "secret-quoted",
            "The sender signs with quotes around the secret: take them out of its configuration.".to_owned(),
        );
    }
    let decoded = "give it the decoded bytes there, or let it use the text as it is.";
    add(
        hex::decode(secret).ok(),
        "secret-hex-decoded",
        format!("The sender takes the secret for hex and decodes it before it signs: {decoded}"),
    );
    add(
        STANDARD.decode(secret).ok(),
        "secret-base64-decoded",
        format!("The sender takes the secret for base64 and decodes it before it signs: {decoded}"),
    );
    add(
        base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(secret.trim_ascii_end()).ok(),
        "secret-base64url-decoded",
        format!("The sender takes the secret for URL-safe base64 and decodes it before it signs: {decoded}"),
    );
    add(
        Some(hex::encode(secret).into_bytes()),
        "secret-hex-encoded",
        "The sender turns the secret into hex before it signs; let it use the secret as it is.".to_owned(),
    );
    add(
        Some(STANDARD.encode(secret).into_bytes()),
        "secret-base64-encoded",
        "The sender turns the secret into base64 before it signs; let it use the secret as it is.".to_owned(),
    );
    for (bytes, what) in [(secret.to_ascii_lowercase(), "small"), (secret.to_ascii_uppercase(), "capital")] {
        add(Some(bytes), "secret-other-case", format!("The sender signs with the secret in {what} letters."));
    }
    add(
        Some(name.as_bytes().to_vec()),
        "secret-is-its-name",
        format!("The sender signs with the text “{name}” itself: give it what that stands for."),
    );
}

/// What becomes of `whsec_…`.
fn prefixed(known: &Known<'_>, add: &mut impl FnMut(Option<Vec<u8>>, &'static str, String)) {
    let secret = known.secret.expose();
    let Some(rest) = secret.strip_prefix(b"whsec_") else { return };
    let ask = "the key is what follows whsec_, decoded from base64.";
    add(
        Some(rest.to_vec()),
        "whsec-not-decoded",
        format!("The sender takes off whsec_ and does not decode the rest; {ask}"),
    );
    add(
        Some(secret.to_vec()),
        "whsec-kept",
        format!("The sender signs with the whole text of the secret, whsec_ included; {ask}"),
    );
    add(
        STANDARD.decode(rest).ok(),
        "whsec-decoded",
        "The sender decodes the secret as Standard Webhooks does: set the source's signature = \"standard-webhooks\", or \
         let the sender use the text as it is."
            .to_owned(),
    );
}

/// The key of a secret under its scheme, where it is one.
fn usual_key(known: &Known<'_>) -> Option<Vec<u8>> {
    usable_key(known.scheme, known.secret).ok().map(std::borrow::Cow::into_owned)
}
