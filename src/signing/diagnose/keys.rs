//! The keys that a sender may have derived from a secret.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _};
use sha2::{Digest as _, Sha256};

use super::difference::Difference;
use super::digest::LENIENT;
use super::suspect::{Known, Suspect};
use crate::domain::{Scheme, Secret};
use crate::signing::key::usable_key;

/// A key, ready for the usual digest, and its difference from the usual key.
pub struct Key {
    pub bytes: Vec<u8>,
    pub sha256: Option<Hmac<Sha256>>,
    pub difference: Option<Difference>,
}

impl Key {
    pub fn new(bytes: Vec<u8>, difference: Option<Difference>) -> Self {
        let sha256 = Hmac::new_from_slice(&bytes).ok();
        Self { bytes, sha256, difference }
    }
}

/// A mistake with the text of a secret: its variant, its description, and the fix, in which {name} is the secret's
/// name.
struct Slip {
    variant: &'static str,
    make: fn(&[u8]) -> Vec<Vec<u8>>,
    fix: &'static str,
}

const SLIPS: &[Slip] = &[
    Slip {
        variant: "secret-trimmed",
        make: |secret| vec![secret.trim_ascii().to_vec()],
        fix: "The sender signs without the blanks around the secret. | Take them out of {name}.",
    },
    Slip {
        variant: "secret-with-newline",
        make: |secret| ["\n", "\r\n", " "].iter().map(|end| [secret, end.as_bytes()].concat()).collect(),
        fix: "The sender signs with a line break or blank at the end of the secret, as it was read from a file or pasted. | \
              Take it out there.",
    },
    Slip {
        variant: "secret-unquoted",
        make: |secret| {
            let inner = |quote: u8| secret.strip_prefix(&[quote])?.strip_suffix(&[quote]);
            [inner(b'"'), inner(b'\'')].into_iter().flatten().map(<[u8]>::to_vec).collect()
        },
        fix: "The sender signs without the quotes around the secret: take them out of {name}.",
    },
    Slip {
        variant: "secret-quoted",
        make: |secret| [b"\"", b"'"].iter().map(|quote| [*quote, secret, *quote].concat()).collect(),
        fix: "The sender signs with quotes around the secret. | Take them out of its configuration.",
    },
    Slip {
        variant: "secret-hex-decoded",
        make: |secret| hex::decode(secret).into_iter().collect(),
        fix: "The sender takes the secret for hex and decodes it before it signs. | Give it the secret encoded as hex, or let \
              it use the text as it is.",
    },
    Slip {
        variant: "secret-hex-encoded",
        make: |secret| vec![hex::encode(secret).into_bytes()],
        fix: "The sender turns the secret into hex before it signs. | Let it use the secret as it is.",
    },
    Slip {
        variant: "secret-base64-encoded",
        make: |secret| vec![STANDARD.encode(secret).into_bytes()],
        fix: "The sender turns the secret into base64 before it signs. | Let it use the secret as it is.",
    },
    Slip {
        variant: "secret-hashed",
        make: |secret| {
            vec![Sha256::digest(secret).to_vec(), hex::encode(Sha256::digest(secret)).into_bytes()]
        },
        fix: "The sender signs with the SHA-256 of the secret. | Let it use the secret itself as the key.",
    },
    Slip {
        variant: "secret-other-case",
        make: |secret| vec![secret.to_ascii_lowercase()],
        fix: "The sender signs with the secret in small letters. | Give it the secret as it is in {name}.",
    },
    Slip {
        variant: "secret-other-case",
        make: |secret| vec![secret.to_ascii_uppercase()],
        fix: "The sender signs with the secret in capital letters. | Give it the secret as it is in {name}.",
    },
];

/// The texts that result from an unset variable.
const NOT_SET: &[(&str, &str)] = &[
    ("", "an empty secret"),
    ("undefined", "the word undefined"),
    ("null", "the word null"),
    ("None", "the word None"),
];

/// The usual keys of the source's secrets first, then mistaken variants of them, then the keys of other sources.
pub fn keys(suspect: &Suspect<'_>) -> Vec<Key> {
    let (own, others): (Vec<&Known<'_>>, Vec<&Known<'_>>) =
        suspect.secrets.iter().partition(|known| known.source.is_none());
    let mut keys = Vec::new();
    for known in &own {
        keys.extend(usual_key(known).map(|bytes| Key::new(bytes, None)));
    }
    for known in &own {
        whsec(known, &mut keys);
        base64(known, &mut keys);
        for slip in SLIPS {
            let fix = slip.fix.replace("{name}", known.secret.name());
            for bytes in (slip.make)(known.secret.expose()) {
                keys.push(Key::new(bytes, Some(Difference::new(slip.variant, fix.clone()))));
            }
        }
        let name = known.secret.name();
        let fix =
            format!("The sender signs with the text “{name}” itself. | Give it the value of that name.");
        keys.push(Key::new(name.as_bytes().to_vec(), Some(Difference::new("secret-is-its-name", fix))));
    }
    keys.extend(others.iter().map(|known| foreign(known, suspect)));
    for (text, what) in NOT_SET {
        let fix = format!(
            "The sender signs with {what} as its secret: the variable that should hold it is not set."
        );
        keys.push(Key::new(text.as_bytes().to_vec(), Some(Difference::new("secret-not-set", fix))));
    }
    // Duplicate keys keep their first name.
    let mut seen = std::collections::HashSet::new();
    keys.retain(|key| seen.insert(key.bytes.clone()));
    keys
}

/// The secret of another source, and whether the request would be valid there.
fn foreign(known: &Known<'_>, suspect: &Suspect<'_>) -> Key {
    let source = known.source.unwrap_or_default();
    let name = known.secret.name();
    let send = if suspect.holds_for(known.scheme, std::slice::from_ref(known.secret)) {
        format!("Send it to /webhook/{source}, or give the sender the secret of this source")
    } else {
        "Give the sender the secret of this source".to_owned()
    };
    let what = if known.scheme == Scheme::None { "a credential" } else { "the secret" };
    let fix = format!("It is signed with {name}, {what} of source “{source}”. | {send}.");
    let bytes = usual_key(known).unwrap_or_else(|| known.secret.expose().to_vec());
    Key::new(bytes, Some(Difference::new("another-sources-secret", fix)))
}

/// Mistaken variants of `whsec_…`, also after the `v1,` that some pages show before it.
fn whsec(known: &Known<'_>, keys: &mut Vec<Key>) {
    let secret = known.secret.expose();
    let whole = secret.strip_prefix(b"v1,").unwrap_or(secret);
    let Some(rest) = whole.strip_prefix(b"whsec_") else { return };
    let ask = if known.scheme == Scheme::StandardWebhooks {
        "The key is what follows whsec_, decoded from base64."
    } else {
        "Let it use the whole text as it is, whsec_ included."
    };
    let decoded = if known.scheme == Scheme::StandardWebhooks {
        format!(
            "The sender decodes what follows whsec_, as Standard Webhooks does. | Write {} without anything before whsec_.",
            known.secret.name()
        )
    } else {
        "The sender decodes the secret as Standard Webhooks does. | Let it use the whole text as it is, whsec_ included."
            .to_owned()
    };
    let mut add = |bytes: Option<Vec<u8>>, variant, fix: String| {
        keys.extend(bytes.map(|bytes| Key::new(bytes, Some(Difference::new(variant, fix)))));
    };
    add(
        Some(rest.to_vec()),
        "whsec-not-decoded",
        format!("The sender takes off whsec_ and does not decode the rest. | {ask}"),
    );
    add(
        Some(secret.to_vec()),
        "whsec-kept",
        format!("The sender signs with the whole text of the secret, whsec_ included. | {ask}"),
    );
    add(LENIENT.decode(rest).ok(), "whsec-decoded", decoded);
}

/// What base64 decoders return for the secret: a strict one, and those that skip invalid characters.
fn base64(known: &Known<'_>, keys: &mut Vec<Key>) {
    let secret = known.secret.expose();
    let name = known.secret.name();
    let prefixed = Secret::new(name, [b"whsec_", secret].concat());
    let fix = if known.scheme != Scheme::StandardWebhooks {
        "Give it the secret encoded as base64, or let it use the text as it is.".to_owned()
    } else if usable_key(Scheme::StandardWebhooks, &prefixed).is_ok() {
        format!("Write whsec_ before the secret in {name}, and it is decoded here too.")
    } else {
        "Use a secret of whsec_ and 24 to 64 bytes in base64 on both sides.".to_owned()
    };
    let mut add = |bytes: Option<Vec<u8>>, variant, what: &str| {
        let said = format!("The sender takes the secret for {what} and decodes it before it signs. | {fix}");
        keys.extend(bytes.map(|bytes| Key::new(bytes, Some(Difference::new(variant, said)))));
    };
    add(LENIENT.decode(secret).ok(), "secret-base64-decoded", "base64");
    let url = URL_SAFE_NO_PAD.decode(secret.trim_ascii_end()).ok();
    add(url, "secret-base64url-decoded", "URL-safe base64");
    // PHP, Ruby and Python skip other letters; Node also accepts URL-safe ones and stops at the first =.
    let is_letter = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    let skipped: Vec<u8> = secret.iter().copied().filter(is_letter).collect();
    let node: Vec<u8> = secret
        .iter()
        .take_while(|byte| **byte != b'=')
        .map(|byte| match byte {
            b'-' => b'+',
            b'_' => b'/',
            other => *other,
        })
        .filter(is_letter)
        .collect();
    for letters in [skipped, node] {
        // A single remaining letter is less than a byte.
        let whole = letters.len().saturating_sub(usize::from(letters.len() % 4 == 1));
        let decoded = LENIENT.decode(letters.get(..whole).unwrap_or_default()).ok();
        let what = "base64, without the characters that are not base64,";
        add(decoded, "secret-base64-decoded", what);
    }
}

/// The key of a secret under its scheme, if it is valid.
fn usual_key(known: &Known<'_>) -> Option<Vec<u8>> {
    usable_key(known.scheme, known.secret).ok().map(std::borrow::Cow::into_owned)
}
