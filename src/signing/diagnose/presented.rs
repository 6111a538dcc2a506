//! Everything in the headers that could be a signature, read as generously as it goes.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::difference::Difference;
use crate::domain::{Headers, Scheme};

const INDIFFERENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const BASE64: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, INDIFFERENT);
const BASE64_URL: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, INDIFFERENT);

/// The sizes of the digests that are known, in bytes: SHA-1, SHA-256, SHA-384, SHA-512.
const DIGESTS: [usize; 4] = [20, 32, 48, 64];

/// A digest that a header presents.
#[derive(Clone, Debug)]
pub struct Presented {
    pub digest: Vec<u8>,
    /// In what it is presented differently from what its source asks for.
    pub differences: Vec<Difference>,
}

/// The header of a scheme, and what it is.
fn scheme_of(header: &str) -> Option<Scheme> {
    match header.to_ascii_lowercase().as_str() {
        "x-tagorun-signature" => Some(Scheme::Tagorun),
        "x-hub-signature-256" => Some(Scheme::Github),
        "webhook-signature" | "svix-signature" => Some(Scheme::StandardWebhooks),
        "stripe-signature" => Some(Scheme::Stripe),
        _ => None,
    }
}

/// The digests of a request, those in the scheme's own header first.
pub fn presented(scheme: Scheme, headers: &Headers) -> Vec<Presented> {
    let mut found = Vec::new();
    let mut foreign = Vec::new();
    for header in headers.iter() {
        let name = header.name.to_ascii_lowercase();
        if !name.contains("signature") && !name.contains("hmac") && !name.ends_with("-sha256") {
            continue;
        }
        let of = scheme_of(&name);
        let is_own = of == Some(scheme);
        for mut one in read(&header.text(), if is_own { scheme } else { of.unwrap_or(Scheme::Tagorun) }) {
            if is_own {
                found.push(one);
            } else {
                one.differences.insert(0, another_header(&header.name, of, scheme));
                foreign.push(one);
            }
        }
    }
    found.extend(foreign);
    found
}

fn another_header(name: &str, of: Option<Scheme>, scheme: Scheme) -> Difference {
    let fix = match of {
        Some(of) => format!(
            "It is signed in {name}, as the scheme {} does: set the source's signature = \"{}\".",
            of.as_str(),
            of.as_str()
        ),
        None => format!(
            "The signature stands in {name}; the scheme {} has it in {}.",
            scheme.as_str(),
            own(scheme)
        ),
    };
    Difference::new("another-header", fix)
}

fn own(scheme: Scheme) -> &'static str {
    match scheme {
        Scheme::Tagorun => "X-TagoRUN-Signature",
        Scheme::Github => "X-Hub-Signature-256",
        Scheme::StandardWebhooks => "webhook-signature",
        Scheme::Stripe => "Stripe-Signature",
        Scheme::None => "no header",
    }
}

/// The digests of one header value, as `scheme` would have it written.
fn read(text: &str, scheme: Scheme) -> Vec<Presented> {
    let parts = text.split([',', ' ', ';', '\t']).map(str::trim).filter(|part| !part.is_empty());
    let mut found = Vec::new();
    let mut version = false;
    for part in parts {
        let unquoted = part.trim_matches(['"', '\'']);
        let (prefixes, rest) = split_prefixes(unquoted);
        if let Some((digest, encoding)) = decode(rest) {
            let mut differences = Vec::new();
            if unquoted.len() != part.len() {
                differences.push(Difference::new(
                    "signature-quoted",
                    "The signature stands in quotes; the sender must leave them out.",
                ));
            }
            differences.extend(prefix_difference(scheme, &prefixes, version));
            differences.extend(encoding_difference(scheme, encoding));
            found.push(Presented { digest, differences });
        }
        version = part.len() <= 3 && part.starts_with('v');
    }
    found
}

/// `sha256=`, `v1=` and the like before the digest.
fn split_prefixes(text: &str) -> (Vec<&str>, &str) {
    let mut prefixes = Vec::new();
    let mut rest = text;
    while let Some((prefix, after)) = rest.split_once(['=', ':']) {
        let is_name = !prefix.is_empty()
            && prefix.len() <= 12
            && prefix.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        if !is_name || after.trim_matches('=').is_empty() {
            break;
        }
        prefixes.push(prefix);
        rest = after.trim_start();
    }
    (prefixes, rest)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Hex,
    Base64,
    Base64Url,
}

fn decode(text: &str) -> Option<(Vec<u8>, Encoding)> {
    let is_digest = |digest: &Vec<u8>| DIGESTS.contains(&digest.len());
    let hex = hex::decode(text).ok().filter(is_digest).map(|digest| (digest, Encoding::Hex));
    let base64 = || BASE64.decode(text).ok().filter(is_digest).map(|digest| (digest, Encoding::Base64));
    let url = || BASE64_URL.decode(text).ok().filter(is_digest).map(|digest| (digest, Encoding::Base64Url));
    hex.or_else(base64).or_else(url)
}

fn prefix_difference(scheme: Scheme, prefixes: &[&str], version: bool) -> Option<Difference> {
    if prefixes.len() > 1 {
        let prefix = prefixes.first().copied().unwrap_or_default();
        return Some(Difference::new(
            "prefix-doubled",
            format!("{prefix}= stands before the signature twice: the sender's library adds it already."),
        ));
    }
    let prefix = prefixes.first().copied();
    let expected = match scheme {
        Scheme::Stripe => prefix == Some("v1"),
        Scheme::StandardWebhooks => prefix.is_none() && version,
        _ => prefix.is_none_or(|prefix| prefix == "sha256"),
    };
    let asked = match scheme {
        Scheme::Stripe => "t=SECONDS,v1= and the hex digest",
        Scheme::StandardWebhooks => "v1, and the base64 digest",
        Scheme::Github => "sha256= and the hex digest",
        Scheme::Tagorun | Scheme::None => "the hex digest",
    };
    if expected {
        return None;
    }
    Some(match prefix {
        None => Difference::new("prefix-missing", format!("The prefix is missing: {asked} are expected.")),
        Some(prefix) => Difference::new(
            "prefix-other",
            format!("{prefix}= stands before the signature; {asked} is expected."),
        ),
    })
}

fn encoding_difference(scheme: Scheme, encoding: Encoding) -> Option<Difference> {
    let wants_base64 = scheme == Scheme::StandardWebhooks;
    match encoding {
        Encoding::Hex if wants_base64 => {
            Some(Difference::new("hex-digest", "The digest is written as hex; base64 is expected."))
        }
        Encoding::Base64 if !wants_base64 => {
            Some(Difference::new("base64-digest", "The digest is written as base64; hex is expected."))
        }
        Encoding::Base64Url => Some(Difference::new(
            "base64url-digest",
            if wants_base64 {
                "The digest is written as URL-safe base64; plain base64 is expected."
            } else {
                "The digest is written as URL-safe base64; hex is expected."
            },
        )),
        _ => None,
    }
}
