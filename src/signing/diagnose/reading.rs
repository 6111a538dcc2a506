//! Reads digests from a header's text, in all common formats.

use super::digest::{self, Digest, decode_once, is_digest};

/// A digest that was found.
pub struct Read {
    pub digest: Digest,
    /// `sha256`, `v1` and similar texts, each before a `=` or `:`.
    pub prefixes: Vec<String>,
    /// Whether it follows `v1,` or a similar text.
    pub has_version: bool,
    pub encoding: &'static str,
    pub is_unpadded: bool,
    /// Unexpected characters around it or in it: a variant and its fix.
    pub slips: Vec<Slip>,
}

type Slip = (&'static str, &'static str);

const QUOTED: Slip = ("signature-quoted", "The signature is in quotes. | Leave them out.");
const BYTES: Slip = (
    "signature-python-bytes",
    "The signature is Python bytes as they are printed (b'…'). | Use .hexdigest(), or .decode() before it is sent.",
);
const ZERO_X: Slip = ("signature-0x", "The signature begins with 0x. | Leave that out.");
const DASHES: Slip = (
    "signature-separated",
    "The digits of the signature are separated, as .NET's BitConverter does. | Use Convert.ToHexString.",
);
const PERCENT: Slip = ("signature-percent", "The signature is percent-encoded. | Send it as it is.");
const TWICE: Slip = (
    "signature-encoded-twice",
    "The digest is encoded twice, first as hex and then again. | Send the hex as it is. PHP's hash_hmac() already returns \
     hex.",
);

/// The digests in a header's value.
pub fn parts(text: &str) -> Vec<Read> {
    let parts = text.split([',', ' ', ';', '\t']).map(str::trim).filter(|part| !part.is_empty());
    let mut found = Vec::new();
    let mut has_version = false;
    for part in parts {
        found.extend(read(part, has_version));
        has_version = part.len() <= 3 && part.starts_with(['v', 'V']);
    }
    found
}

fn read(part: &str, has_version: bool) -> Option<Read> {
    let mut slips = Vec::new();
    let unquoted = unwrapped(part, &mut slips);
    let (prefixes, rest) = split_prefixes(unquoted);
    let rest = unwrapped(rest, &mut slips);
    let clear = |slips: &mut Vec<Slip>| {
        let (digest, encoding) = decode(rest, slips)?;
        Some((Digest::Clear(digest), encoding))
    };
    let (digest, encoding) = digest::of_mask(rest).or_else(|| clear(&mut slips))?;
    slips.dedup();
    let is_clear = matches!(digest, Digest::Clear(_));
    let is_unpadded = is_clear && encoding == "base64" && !rest.len().is_multiple_of(4);
    let prefixes = prefixes.into_iter().map(str::to_owned).collect();
    Some(Read { digest, prefixes, has_version, encoding, is_unpadded, slips })
}

/// Removes quotes, with or without Python's b before them.
fn unwrapped<'t>(text: &'t str, slips: &mut Vec<Slip>) -> &'t str {
    for quote in ['"', '\''] {
        let inner = |text: &'t str| text.strip_prefix(quote)?.strip_suffix(quote);
        if let Some(inner) = text.strip_prefix('b').and_then(inner) {
            slips.push(BYTES);
            return inner;
        }
    }
    let unquoted = text.trim_matches(['"', '\'']);
    if unquoted.len() != text.len() {
        slips.push(QUOTED);
    }
    unquoted
}

/// Splits off `sha256=`, `v1=` and similar texts before the digest.
fn split_prefixes(text: &str) -> (Vec<&str>, &str) {
    let mut prefixes = Vec::new();
    let mut rest = text;
    while let Some((prefix, after)) = rest.split_once(['=', ':']) {
        let is_name = prefix.len() <= 12
            && prefix.starts_with(|first: char| first.is_ascii_alphabetic())
            && prefix.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
            && separated(rest).is_none();
        if !is_name || after.trim_matches('=').is_empty() {
            break;
        }
        prefixes.push(prefix);
        rest = after.trim_start();
    }
    (prefixes, rest)
}

/// Removes dashes or colons between pairs of hex digits.
fn separated(text: &str) -> Option<String> {
    let mark = text.chars().nth(2).filter(|mark| matches!(mark, '-' | ':'))?;
    let is_pairs =
        text.split(mark).all(|pair| pair.len() == 2 && pair.bytes().all(|byte| byte.is_ascii_hexdigit()));
    is_pairs.then(|| text.replace(mark, ""))
}

fn decode(text: &str, slips: &mut Vec<Slip>) -> Option<(Vec<u8>, &'static str)> {
    if let Some(digits) = separated(text) {
        slips.push(DASHES);
        return decode_once(&digits).filter(|(digest, _)| is_digest(digest));
    }
    if let Some(digits) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        slips.push(ZERO_X);
        return decode_once(digits).filter(|(digest, _)| is_digest(digest));
    }
    if text.contains('%') {
        slips.push(PERCENT);
        let plain = percent_encoding::percent_decode_str(text).decode_utf8().ok()?;
        return decode_once(&plain).filter(|(digest, _)| is_digest(digest));
    }
    let (digest, encoding) = decode_once(text)?;
    // Sixty-four bytes may be SHA-512, or the hex of SHA-256; if they are all hex digits, SHA-512 is very unlikely.
    let inner = std::str::from_utf8(&digest).ok().and_then(|inner| hex::decode(inner).ok());
    if let Some(inner) = inner.filter(|inner| is_digest(inner)) {
        slips.push(TWICE);
        return Some((inner, "hex"));
    }
    is_digest(&digest).then_some((digest, encoding))
}
