//! The bytes that a sender may have signed instead of the wire body.

use std::io::Read as _;

use sha2::{Digest as _, Sha256};

use super::difference::Difference;
use super::json::{Letters, Style, written};
use super::suspect::Suspect;
use crate::domain::json::Tree;
use crate::domain::{Headers, Scheme};

/// The most bytes that a packed body is unpacked to.
const MAX_UNPACKED: u64 = 4 * 1024 * 1024;

/// What may have been signed, and what is different about it.
pub struct Content {
    pub bytes: Vec<u8>,
    pub difference: Option<Difference>,
}

/// The usual content of the scheme first, then the body in other forms, then other frames around it.
pub fn contents(suspect: &Suspect<'_>) -> Vec<Content> {
    let frame = Frame::of(suspect.headers);
    let mut contents = vec![Content { bytes: frame.usual(suspect.scheme, suspect.body), difference: None }];
    for (bytes, name, fix) in bodies(suspect.body, suspect.headers) {
        let bytes = frame.usual(suspect.scheme, &bytes);
        contents.push(Content { bytes, difference: Some(Difference::new(name, fix)) });
    }
    for (bytes, name, fix) in frame.others(suspect) {
        contents.push(Content { bytes, difference: Some(Difference::new(name, fix)) });
    }
    contents
}

/// What stands beside the body.
struct Frame<'h> {
    id: Option<&'h [u8]>,
    timestamp: Option<&'h [u8]>,
}

impl<'h> Frame<'h> {
    fn of(headers: &'h Headers) -> Self {
        let first = |names: &[&str]| {
            names.iter().find_map(|name| headers.get(name)).map(<[u8]>::trim_ascii).filter(|v| !v.is_empty())
        };
        let stripe = headers.get("Stripe-Signature").and_then(|line| {
            line.split(|byte| *byte == b',').find_map(|part| part.trim_ascii().strip_prefix(b"t="))
        });
        let timestamp = first(&[
            "webhook-timestamp",
            "svix-timestamp",
            "X-TagoRUN-Timestamp",
            "X-Webhook-Timestamp",
            "X-Request-Timestamp",
            "X-Signature-Timestamp",
            "X-Timestamp",
        ]);
        let id = first(&[
            "webhook-id",
            "svix-id",
            "X-TagoRUN-Message-Id",
            "X-TagoRUN-Event-Id",
            "X-GitHub-Delivery",
            "X-Request-Id",
        ]);
        Self { id, timestamp: stripe.or(timestamp) }
    }

    /// What the scheme signs where the body is `body`.
    fn usual(&self, scheme: Scheme, body: &[u8]) -> Vec<u8> {
        let (id, timestamp) = (self.id.unwrap_or_default(), self.timestamp.unwrap_or_default());
        match scheme {
            Scheme::StandardWebhooks => [id, b".", timestamp, b".", body].concat(),
            Scheme::Stripe => [timestamp, b".", body].concat(),
            Scheme::Tagorun | Scheme::Github | Scheme::None => body.to_vec(),
        }
    }

    fn others(&self, suspect: &Suspect<'_>) -> Vec<(Vec<u8>, &'static str, String)> {
        let body = suspect.body;
        let alone = "The sender signs more than the body";
        let mut others = vec![(
            body.to_vec(),
            "body-alone",
            "The sender signs the body alone, without what the scheme puts before it.".to_owned(),
        )];
        if let Some(timestamp) = self.timestamp {
            let schemes = "signature = \"stripe\" and \"standard-webhooks\" know timestamps";
            others.push((
                [timestamp, b".", body].concat(),
                "timestamp-body",
                format!("{alone}: the timestamp, a dot, the body ({schemes})."),
            ));
            others.push((
                [timestamp, body].concat(),
                "timestamp-body",
                format!("{alone}: the timestamp and the body."),
            ));
            others.push((
                [b"v0:", timestamp, b":", body].concat(),
                "timestamp-body",
                format!("{alone}: v0, the timestamp and the body, with colons, as Slack does."),
            ));
            if let Some(id) = self.id {
                others.push((
                    [id, b".", timestamp, b".", body].concat(),
                    "id-timestamp-body",
                    format!(
                        "{alone}: id, timestamp and body, as Standard Webhooks does: set the source's signature = \
                         \"standard-webhooks\"."
                    ),
                ));
            }
        }
        let path = suspect.path.as_bytes();
        let bare = path.split(|byte| *byte == b'?').next().unwrap_or_default();
        let host = suspect.headers.get("Host").unwrap_or_default();
        let method = suspect.method.as_bytes();
        for target in [path, bare] {
            for frame in [
                [target, body].concat(),
                [method, target, body].concat(),
                [method, b"\n", target, b"\n", body].concat(),
                [b"https://", host, target, body].concat(),
                [b"http://", host, target, body].concat(),
            ] {
                others.push((frame, "path-body", format!("{alone}: the request's path or URL too.")));
            }
        }
        others
    }
}

type Bodies = Vec<(Vec<u8>, &'static str, String)>;

/// The body in other forms.
fn bodies(body: &[u8], headers: &Headers) -> Bodies {
    let mut bodies = Vec::new();
    ends(body, &mut bodies);
    unpacked(body, headers, &mut bodies);
    letters(body, &mut bodies);
    rewritten(body, &mut bodies);
    let mut add = |bytes: Vec<u8>, name, fix: &str| bodies.push((bytes, name, fix.to_owned()));
    add(Vec::new(), "body-empty", "The sender signs an empty body: it signs before the body is there.");
    add(
        hex::encode(Sha256::digest(body)).into_bytes(),
        "body-digest",
        "The sender signs the SHA-256 of the body, as hex; let it sign the body itself.",
    );
    add(
        Sha256::digest(body).to_vec(),
        "body-digest",
        "The sender signs the SHA-256 of the body; let it sign the body itself.",
    );
    // What is the body itself is no difference.
    bodies.retain(|(bytes, _, _)| bytes != body);
    bodies
}

fn ends(body: &[u8], bodies: &mut Bodies) {
    let mut add = |bytes: Vec<u8>, name, fix: &str| bodies.push((bytes, name, fix.to_owned()));
    for ending in [b"\n".as_slice(), b"\r\n"] {
        add(
            [body, ending].concat(),
            "newline-added",
            "The sender signs the body with a line break at its end that it does not send (echo without -n does that).",
        );
    }
    let without = body.strip_suffix(b"\r\n").or_else(|| body.strip_suffix(b"\n"));
    if let Some(without) = without {
        add(
            without.to_vec(),
            "newline-removed",
            "The body ends with a line break that was not signed: the sender's HTTP client, or something between, adds it.",
        );
    }
    add(
        body.trim_ascii().to_vec(),
        "blanks-removed",
        "The blanks around the body were not signed: the sender signs it trimmed.",
    );
    let lines = body.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let lines: Vec<&[u8]> = lines.collect();
    let fix =
        "Line breaks were changed between signing and sending (CRLF and LF): sign the bytes that are sent.";
    add(lines.join(b"\n".as_slice()), "crlf-as-lf", fix);
    add(lines.join(b"\r\n".as_slice()), "lf-as-crlf", fix);
    const BOM: &[u8] = b"\xef\xbb\xbf";
    if let Some(without) = body.strip_prefix(BOM) {
        add(
            without.to_vec(),
            "without-bom",
            "The body begins with a byte order mark that was not signed: send UTF-8 without BOM.",
        );
    } else {
        add(
            [BOM, body].concat(),
            "with-bom",
            "The sender signs the body with a byte order mark that it does not send.",
        );
    }
}

fn unpacked(body: &[u8], headers: &Headers, bodies: &mut Bodies) {
    let encoding = headers.get("Content-Encoding").unwrap_or_default().to_ascii_lowercase();
    let mut plain = Vec::new();
    let read = match encoding.trim_ascii() {
        b"br" => {
            brotli_decompressor::Decompressor::new(body, 4_096).take(MAX_UNPACKED).read_to_end(&mut plain)
        }
        b"deflate" => flate2::read::ZlibDecoder::new(body).take(MAX_UNPACKED).read_to_end(&mut plain),
        _ if body.starts_with(&[0x1f, 0x8b]) => {
            flate2::read::MultiGzDecoder::new(body).take(MAX_UNPACKED).read_to_end(&mut plain)
        }
        _ => return,
    };
    if read.is_ok() {
        let fix = "The sender signs the body before it packs it (Content-Encoding); sign what is sent, or send it unpacked.";
        bodies.push((plain, "unpacked", fix.to_owned()));
    }
}

fn letters(body: &[u8], bodies: &mut Bodies) {
    let mut add = |bytes: Vec<u8>, name, fix: &str| bodies.push((bytes, name, fix.to_owned()));
    let fix = "The sender signs the text in another character set than it sends it in: sign the UTF-8 bytes that are sent.";
    if let Ok(text) = std::str::from_utf8(body)
        && !body.is_ascii()
    {
        let latin1: Option<Vec<u8>> =
            text.chars().map(|letter| u8::try_from(u32::from(letter)).ok()).collect();
        if let Some(latin1) = latin1 {
            add(latin1, "other-charset", fix);
        }
        let question = |letter: char| if letter.is_ascii() { letter } else { '?' };
        add(text.chars().map(question).collect::<String>().into_bytes(), "other-charset", fix);
    }
    add(body.iter().map(|byte| char::from(*byte)).collect::<String>().into_bytes(), "other-charset", fix);
    let fix = "The sender signs the form's text after it was decoded; sign the bytes that are sent.";
    if let Some((_, payload)) = form_urlencoded::parse(body).find(|(name, _)| name == "payload") {
        add(payload.into_owned().into_bytes(), "form-decoded", fix);
    }
    add(percent_encoding::percent_decode(body).collect(), "form-decoded", fix);
}

fn rewritten(body: &[u8], bodies: &mut Bodies) {
    let Ok(text) = std::str::from_utf8(body) else { return };
    let mut add = |text: String, name, fix: &str| bodies.push((text.into_bytes(), name, fix.to_owned()));
    if let Ok(quoted) = serde_json::to_string(text) {
        add(quoted, "json-twice", "The sender signs the body as a JSON string: it turns it into JSON twice.");
    }
    if let Ok(inner) = serde_json::from_str::<String>(text) {
        add(inner, "json-twice", "The body is JSON turned into JSON once more, and was signed before that.");
    }
    let Some(json) = Tree::read(text.trim_start_matches('\u{feff}')) else { return };
    const AS_IS: Style =
        Style { indent: None, gap: "", sorted: false, letters: Letters::AsTheyAre, js_numbers: false };
    let sign_sent = "Sign the bytes that are sent, not JSON written anew.";
    let styles = [
        (AS_IS, "json-compact", "as compact JSON"),
        (
            Style { letters: Letters::Plain, js_numbers: true, ..AS_IS },
            "json-stringify",
            "as JSON.stringify writes it",
        ),
        (Style { letters: Letters::Plain, ..AS_IS }, "json-unescaped", "with its escapes as plain letters"),
        (
            Style { letters: Letters::Escaped, ..AS_IS },
            "json-escaped",
            "with letters beyond ASCII as \\u escapes",
        ),
        (Style { letters: Letters::EscapedSlashes, ..AS_IS }, "json-php", "as PHP's json_encode writes it"),
        (
            Style { gap: " ", ..AS_IS },
            "json-python",
            "with a blank after commas and colons, as Python's json.dumps writes it",
        ),
        (
            Style { gap: " ", letters: Letters::Escaped, ..AS_IS },
            "json-python",
            "as Python's json.dumps writes it",
        ),
        (Style { sorted: true, ..AS_IS }, "json-sorted", "with its keys sorted"),
        (
            Style { sorted: true, letters: Letters::Plain, js_numbers: true, ..AS_IS },
            "json-sorted",
            "with its keys sorted",
        ),
        (
            Style { sorted: true, gap: " ", letters: Letters::Escaped, ..AS_IS },
            "json-sorted",
            "with its keys sorted, as Python's json.dumps writes it",
        ),
        (Style { indent: Some(2), ..AS_IS }, "json-pretty", "indented by two blanks"),
        (Style { indent: Some(4), ..AS_IS }, "json-pretty", "indented by four blanks"),
        (
            Style { indent: Some(2), letters: Letters::Plain, js_numbers: true, ..AS_IS },
            "json-pretty",
            "indented by two blanks",
        ),
    ];
    for (style, name, how) in styles {
        add(
            written(&json, style),
            name,
            &format!("The sender signs the payload {how}, and sends other bytes. {sign_sent}"),
        );
    }
}
