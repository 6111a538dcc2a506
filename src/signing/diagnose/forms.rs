//! Every form of the body that a sender may have signed instead.

use std::collections::{BTreeMap, HashSet};
use std::io::Read as _;
use std::rc::Rc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::Md5;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256, Sha512};

use super::charset;
use super::difference::Difference;
use super::json::{Document, Rewriter, named, python_bytes};
use crate::domain::Headers;

/// The most bytes that a compressed body is unpacked to.
const MAX_UNPACKED: u64 = 4 * 1024 * 1024;
/// The most bytes that are written in other forms of the same JSON, of small bodies and of larger ones; of very large
/// ones, the most usual forms all the same.
const MAX_REWRITTEN: usize = 16 * 1024 * 1024;
const MAX_OF_LARGE: usize = 8 * 1024 * 1024;
const LEAST_REWRITTEN: usize = 4;
/// Bodies up to this size are tried in all forms.
const SMALL: usize = 128 * 1024;
/// The most bytes for the forms of one member.
const MAX_MEMBER: usize = 256 * 1024;
/// The most members that are tried alone.
const MAX_MEMBERS: usize = 16;
/// The longest name quoted in a sentence.
const MAX_NAME: usize = 40;

/// The characters that JavaScript's encodeURIComponent leaves unchanged.
const COMPONENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'!')
    .remove(b'~')
    .remove(b'*')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')');

/// What some languages print for a value that is not text.
const CONSTANTS: &[(&str, &str)] = &[
    ("[object Object]", "JavaScript's text for any object, [object Object],"),
    ("[object ArrayBuffer]", "JavaScript's text for any ArrayBuffer"),
    ("[object Promise]", "JavaScript's text for a Promise that was not awaited"),
    ("Array", "PHP's text for any array, the word Array,"),
    ("undefined", "the word undefined"),
    ("null", "the word null"),
];

/// One form.
pub struct Form {
    pub bytes: Rc<[u8]>,
    is_sent: bool,
    /// The difference; `None` for the same JSON in another format, or for the body itself.
    difference: Option<Difference>,
}

impl Form {
    fn json(text: Rc<str>) -> Self {
        Self { bytes: text.into(), is_sent: false, difference: None }
    }

    /// Whether it is the body as received.
    pub fn is_sent(&self) -> bool {
        self.is_sent
    }
}

/// All forms of one body.
pub struct Forms<'b> {
    body: &'b str,
    /// The body as received, then the other forms, the likely ones first.
    pub all: Vec<Form>,
    /// Whether there would be more, were the body smaller.
    pub is_cut: bool,
    rewriter: Option<Rewriter<'b>>,
}

impl<'b> Forms<'b> {
    pub fn of(body: &'b [u8], headers: &Headers) -> Self {
        let mut all = vec![Form { bytes: body.into(), is_sent: true, difference: None }];
        let mut add = |bytes: Vec<u8>, name: &'static str, fix: &str| {
            all.push(Form {
                bytes: bytes.into(),
                is_sent: false,
                difference: Some(Difference::new(name, fix)),
            });
        };
        ends(body, &mut add);
        unpacked(body, headers, &mut add);
        letters(body, &mut add);
        let text = std::str::from_utf8(body).unwrap_or_default();
        if body.len() <= SMALL {
            quoted(text, &mut add);
            members(text, &mut add);
        }
        add(Vec::new(), "body-empty", "The sender signs an empty body: it signs before the body is there.");
        for (bytes, what) in digests(body) {
            let fix = format!("The sender signs {what}. | Let it sign the body itself.");
            add(bytes, "body-digest", &fix);
        }
        let mut rewriter = Document::read(text).map(Rewriter::new);
        let mut is_cut = body.len() > SMALL;
        if let Some(rewriter) = &mut rewriter {
            let (texts, are_all) = rewriter.texts(most_rewritten(body));
            all.extend(texts.into_iter().map(Form::json));
            is_cut |= !are_all;
        }
        if text.contains(|letter: char| letter.is_ascii_whitespace()) {
            all.push(without_blanks(text));
        }
        let mut seen: HashSet<Rc<[u8]>> = HashSet::new();
        all.retain(|form| seen.insert(Rc::clone(&form.bytes)));
        Self { body: text, all, is_cut, rewriter }
    }

    /// The same JSON with its members in every order.
    pub fn reordered(&mut self) -> Vec<Form> {
        let texts = self.rewriter.iter_mut().flat_map(|rewriter| rewriter.reordered(MAX_REWRITTEN));
        texts.map(Form::json).collect()
    }

    /// The difference in a form; none for the body itself.
    pub fn difference(&mut self, form: &Form) -> Option<Difference> {
        if form.is_sent || form.difference.is_some() {
            return form.difference.clone();
        }
        let text = std::str::from_utf8(&form.bytes).ok()?;
        self.rewriter
            .as_mut()
            .map(|rewriter| named(rewriter, self.body, text, most_rewritten(self.body.as_bytes())))
    }
}

fn without_blanks(text: &str) -> Form {
    let without: String = text.chars().filter(|letter| !letter.is_ascii_whitespace()).collect();
    let fix = "The sender removes every blank before it signs, also inside of texts. | Sign the bytes that are sent.";
    let difference = Some(Difference::new("blanks-removed", fix));
    Form { bytes: without.into_bytes().into(), is_sent: false, difference }
}

/// Digests of the body that are signed in its place.
fn digests(body: &[u8]) -> [(Vec<u8>, &'static str); 5] {
    let sha256 = Sha256::digest(body);
    [
        (hex::encode(sha256).into_bytes(), "the SHA-256 of the body, as hex"),
        (STANDARD.encode(sha256).into_bytes(), "the SHA-256 of the body, as base64"),
        (sha256.to_vec(), "the SHA-256 of the body"),
        (hex::encode(Md5::digest(body)).into_bytes(), "the MD5 of the body, as hex"),
        (hex::encode(Sha512::digest(body)).into_bytes(), "the SHA-512 of the body, as hex"),
    ]
}

fn most_rewritten(body: &[u8]) -> usize {
    let most = if body.len() <= SMALL { MAX_REWRITTEN } else { MAX_OF_LARGE };
    most.max(body.len().saturating_mul(LEAST_REWRITTEN))
}

type Add<'a> = dyn FnMut(Vec<u8>, &'static str, &str) + 'a;

fn ends(body: &[u8], add: &mut Add<'_>) {
    for ending in [b"\n".as_slice(), b"\r\n"] {
        add(
            [body, ending].concat(),
            "newline-added",
            "The sender signs the body with a line break at its end that it does not send, as echo, jq and Go's Encoder.Encode add.",
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
        "Line breaks were changed between signing and sending (CRLF and LF). | Sign the bytes that are sent.";
    add(lines.join(b"\n".as_slice()), "crlf-as-lf", fix);
    add(lines.join(b"\r\n".as_slice()), "lf-as-crlf", fix);
    const BOM: &[u8] = b"\xef\xbb\xbf";
    if let Some(without) = body.strip_prefix(BOM) {
        add(
            without.to_vec(),
            "without-bom",
            "The body begins with a byte order mark that was not signed. | Send UTF-8 without BOM.",
        );
    } else {
        add(
            [BOM, body].concat(),
            "with-bom",
            "The sender signs the body with a byte order mark that it does not send.",
        );
    }
}

fn unpacked(body: &[u8], headers: &Headers, add: &mut Add<'_>) {
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
        let fix = "The sender signs the body before it packs it (Content-Encoding). | Sign what is sent, or send it unpacked.";
        add(plain, "unpacked", fix);
    }
}

fn letters(body: &[u8], add: &mut Add<'_>) {
    if let Ok(text) = std::str::from_utf8(body) {
        let encoded = if body.len() <= SMALL { charset::encoded } else { charset::encoded_as_usual };
        for (name, bytes) in encoded(text) {
            let fix =
                format!("The sender signs the text as {name}, but sends UTF-8. | Sign the UTF-8 bytes.");
            add(bytes, "other-charset", &fix);
        }
    }
    add(
        body.iter().map(|byte| char::from(*byte)).collect::<String>().into_bytes(),
        "other-charset",
        "The sender encodes the text as UTF-8 twice before it signs it. | Sign the bytes that are sent.",
    );
    let fix = "The sender signs the form's text after it was decoded. | Sign the bytes that are sent.";
    if let Some((_, payload)) = form_urlencoded::parse(body).find(|(name, _)| name == "payload") {
        add(payload.into_owned().into_bytes(), "form-decoded", fix);
    }
    add(percent_encoding::percent_decode(body).collect(), "form-decoded", fix);
}

/// The body as a literal in the syntax of other languages.
fn quoted(text: &str, add: &mut Add<'_>) {
    if text.is_empty() {
        return;
    }
    if let Ok(quoted) = serde_json::to_string(text) {
        add(
            quoted.into_bytes(),
            "json-twice",
            "The sender signs the body as a JSON string: it turns it into JSON twice.",
        );
    }
    if let Ok(inner) = serde_json::from_str::<String>(text) {
        add(
            inner.into_bytes(),
            "json-twice",
            "The body is JSON turned into JSON once more, and was signed before that.",
        );
    }
    add(
        python_bytes(text.as_bytes()).into_bytes(),
        "text-python-bytes",
        "The sender signs Python's b'…', the text of a bytes object. | Sign body itself, not str(body) or f\"{body}\".",
    );
    let numbers: Vec<String> = text.bytes().map(|byte| byte.to_string()).collect();
    add(
        format!("{{\"type\":\"Buffer\",\"data\":[{}]}}", numbers.join(",")).into_bytes(),
        "text-buffer",
        "The sender signs JSON.stringify of a Buffer. | Sign the Buffer itself.",
    );
    add(
        utf8_percent_encode(text, COMPONENT).to_string().into_bytes(),
        "text-percent",
        "The sender signs the body percent-encoded (encodeURIComponent). | Sign the bytes that are sent.",
    );
    for (bytes, what) in [(STANDARD.encode(text), "base64"), (hex::encode(text), "hex")] {
        let fix = format!("The sender signs the body encoded as {what}. | Sign the bytes that are sent.");
        add(bytes.into_bytes(), "body-encoded", &fix);
    }
    for (text, what) in CONSTANTS {
        let fix = format!("The sender signs {what} instead of the body. | Sign the bytes that are sent.");
        add(text.as_bytes().to_vec(), "text-constant", &fix);
    }
    for text in file_lines(text) {
        let fix = "The signature matches a file of several lines, but its line breaks did not arrive: curl -d removes them. | \
                   Send the file with --data-binary @file.";
        add(text.into_bytes(), "curl-line-breaks", fix);
    }
}

/// A file whose line breaks were lost: one before every indentation, and one at the end.
fn file_lines(text: &str) -> Vec<String> {
    if text.contains('\n') || !(text.contains("  ") || text.contains('\t')) {
        return Vec::new();
    }
    let mut lines = String::with_capacity(text.len());
    let mut blanks = String::new();
    let (mut is_text, mut is_escaped) = (false, false);
    for letter in text.chars() {
        if !is_text && matches!(letter, ' ' | '\t') {
            blanks.push(letter);
            continue;
        }
        if blanks.len() > 1 || blanks.contains('\t') {
            lines.push('\n');
        }
        lines.push_str(&std::mem::take(&mut blanks));
        is_text ^= letter == '"' && !is_escaped;
        is_escaped = letter == '\\' && !is_escaped;
        lines.push(letter);
    }
    let last = lines.char_indices().next_back().map_or(0, |(at, _)| at);
    let broken =
        format!("{}\n{}", lines.get(..last).unwrap_or_default(), lines.get(last..).unwrap_or_default());
    [format!("{broken}\n"), broken.clone(), format!("{lines}\n")]
        .into_iter()
        .flat_map(|text| [text.replace('\n', "\r\n"), text])
        .collect()
}

/// One member of the body alone, as received and in other formats.
fn members(text: &str, add: &mut Add<'_>) {
    let Ok(members) = serde_json::from_str::<BTreeMap<String, &RawValue>>(text) else { return };
    for (name, value) in members.iter().take(MAX_MEMBERS) {
        let value = value.get();
        let shown = Some(name.as_str()).filter(|name| {
            name.len() <= MAX_NAME
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
        });
        let which = shown.map_or("one member".to_owned(), |name| format!("the member “{name}”"));
        let fix = format!("The sender signs only {which} of the body. | Sign all bytes that are sent.");
        if value.starts_with(['{', '[']) {
            add(value.as_bytes().to_vec(), "member-alone", &fix);
            if let Some(document) = Document::read(value) {
                for text in Rewriter::new(document).texts(MAX_MEMBER).0 {
                    add(text.as_bytes().to_vec(), "member-alone", &fix);
                }
            }
        } else {
            let inner = serde_json::from_str::<String>(value).unwrap_or_else(|_| value.to_owned());
            if !inner.is_empty() {
                add(inner.into_bytes(), "member-alone", &fix);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_its_line_breaks_is_put_together_again() {
        let file = "{\n  \"id\": \"e  1\",\n  \"a\": [1, 2],\n\t\"b\": {}\n}\n";
        let sent = file.replace('\n', "");
        assert!(file_lines(&sent).contains(&file.to_owned()));
        assert!(file_lines(&sent).contains(&file.replace('\n', "\r\n")));
        assert!(
            file_lines(r#"{"a": 1, "b": "x  y"}"#)
                .iter()
                .all(|text| !text.starts_with("{\"a\": 1, \"b\": \"x\n"))
        );
        assert!(file_lines("{\"a\":1}").is_empty());
    }
}
