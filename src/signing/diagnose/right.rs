//! The digest is valid, but the request was rejected: finds the other reason.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::clock::clock;
use super::difference::Difference;
use super::frames::{signs_time, usual};
use super::suspect::Suspect;
use crate::domain::Scheme;
use crate::signing::fault::SignatureFault;
use crate::signing::header_of;
use crate::signing::key::{digest, sender_keys};

/// The other reason, as reported by the check itself.
pub fn right_digest(suspect: &Suspect<'_>) -> Difference {
    match suspect.check(suspect.scheme) {
        Ok(()) => valid_now(suspect.scheme),
        Err(SignatureFault::Stale { .. }) => {
            clock(suspect.scheme, suspect.headers, suspect.received_at, suspect.tolerance)
                .map(|told| Difference {
                    what: format!("The digest is right, but its time is not. {}", told.what),
                    ..told
                })
                .unwrap_or_else(|| {
                    Difference::new("timestamp-stale", "The digest is right, but its time is not.")
                })
        }
        Err(fault) => header_fault(suspect, &fault),
    }
}

fn valid_now(scheme: Scheme) -> Difference {
    // What was signed at that time is too old now.
    let replay = if signs_time(scheme) {
        "Replay the delivery with a fresh signature."
    } else {
        "Replay the delivery."
    };
    let fix = format!(
        "With the secrets and the scheme of now the signature is right: the configuration was put right since. | {replay}"
    );
    Difference::new("valid-now", fix)
}

fn header_fault(suspect: &Suspect<'_>, fault: &SignatureFault) -> Difference {
    let headers = suspect.headers;
    let named = |header: &&str| headers.iter().any(|line| line.name.eq_ignore_ascii_case(header));
    let times = |header: &&&str| headers.get_all(header).filter(|line| !line.trim_ascii().is_empty()).count();
    let parts = ["webhook-id", "webhook-timestamp", "svix-id", "svix-timestamp"];
    let is_standard = suspect.scheme == Scheme::StandardWebhooks;
    if let SignatureFault::Missing { header } = fault {
        let has_both = ["webhook-", "svix-"]
            .iter()
            .all(|set| ["id", "timestamp", "signature"].iter().any(|part| named(&&*format!("{set}{part}"))));
        if is_standard && has_both {
            let fix = "The digest is right, but headers of two sets are there: webhook-… and svix-…. | Send one whole set.";
            return Difference::new("two-header-sets", fix);
        }
        let fix = format!(
            "The digest is right for a message without {header}. | Send that header, and sign its value with the body."
        );
        return Difference::new("header-missing", fix);
    }
    if let SignatureFault::BodyDigest { .. } | SignatureFault::BodyNotSigned { .. } = fault {
        let fix = format!(
            "The signature is right for the URL, but {fault}. | The body was changed on its way, or belongs to another request."
        );
        return Difference::new("body-digest", fix);
    }
    if is_standard && let Some(twice) = parts.iter().find(|header| times(header) > 1) {
        let fix = format!(
            "The digest is right, but {twice} is there more than once, which is read as one value with commas. | Send it once."
        );
        return Difference::new("several-lines", fix);
    }
    match fault {
        SignatureFault::Malformed { header, .. } if header.ends_with("-timestamp") => Difference::new(
            "timestamp-format",
            "The digest is right, but the timestamp is not whole seconds since 1970. | Send int(time.time()), digits only.",
        ),
        fault => {
            let around = around(suspect).unwrap_or_default();
            Difference::new(
                "header-form",
                format!("The digest is right, but the headers are not: {fault}.{around}"),
            )
        }
    }
}

/// What else is in the header of the digest, where that has a name.
fn around(suspect: &Suspect<'_>) -> Option<&'static str> {
    let text = String::from_utf8_lossy(suspect.headers.get(header_of(suspect.scheme))?).into_owned();
    if text.contains("stdin") {
        Some(" | openssl prints a name before the digest: remove it with | sed 's/.* //'.")
    } else if text.contains(';') {
        Some(" | Several signatures are separated by a space or a comma, not by a semicolon.")
    } else if text.contains([' ', ',', ':']) {
        Some(" | Send nothing else in that header.")
    } else {
        None
    }
}

/// The digest of the request, where its header has only a part of it.
pub fn cut_digest(suspect: &Suspect<'_>) -> Option<Difference> {
    /// Less of a digest may be there by chance.
    const LEAST: usize = 8;
    let text = String::from_utf8_lossy(suspect.headers.get(header_of(suspect.scheme))?).into_owned();
    let written =
        text.rsplit([',', '=', ' ']).find(|part| !part.is_empty())?.trim_matches(['.', '…']).to_owned();
    if written.len() < LEAST {
        return None;
    }
    let is_cut = |whole: &str, part: &str| part.len() < whole.len() && whole.starts_with(part);
    let has_part = digests(suspect).iter().any(|digest| {
        is_cut(&hex::encode(digest), &written.to_ascii_lowercase())
            || is_cut(&STANDARD.encode(digest), &written)
    });
    has_part.then(|| {
        let fix = format!(
            "The signature is the first {} characters of the right one: something cuts it, such as a column or a field \
             that is too short. | Let it take the whole signature.",
            written.len()
        );
        Difference::new("signature-cut", fix)
    })
}

/// The digests that its own secrets make as its scheme requires.
fn digests(suspect: &Suspect<'_>) -> Vec<Vec<u8>> {
    let own = suspect.secrets.iter().filter(|known| known.source.is_none());
    let keys: Vec<_> = own.flat_map(|known| sender_keys(known.scheme, known.secret)).collect();
    let frames = usual(suspect);
    let mut digests = Vec::new();
    for key in &keys {
        digests.extend(
            frames.iter().map(|frame| digest(key, &[&frame.before, suspect.body, &frame.after]).to_vec()),
        );
    }
    digests
}
