//! Finds everything in the headers that could be a signature, as leniently as possible.

use super::difference::Difference;
use super::digest::Digest;
use super::reading::{Read, parts};
use crate::domain::{DigestEncoding, Headers, HmacAlgorithm, HmacForm, Platform, Scheme};
use crate::signing::{header_of, platform_header};

/// A digest from a header.
#[derive(Clone, Debug)]
pub struct Presented {
    pub digest: Digest,
    /// How its form differs from what its source requires.
    pub differences: Vec<Difference>,
    /// Whether it may not be a signature: a token, or a digest of the body.
    pub is_doubtful: bool,
    /// Whether it is as long as the scheme's own digests.
    pub has_right_length: bool,
}

/// The signature header of a scheme, with the scheme.
fn scheme_of(header: &str) -> Option<Scheme> {
    match header {
        "x-tagorun-signature" => Some(Scheme::Tagorun),
        "x-hub-signature-256" => Some(Scheme::Github),
        "webhook-signature" | "svix-signature" => Some(Scheme::StandardWebhooks),
        "stripe-signature" => Some(Scheme::Stripe),
        _ => Scheme::ALL.into_iter().find(|scheme| match scheme {
            Scheme::Platform(platform) => platform_header(*platform).eq_ignore_ascii_case(header),
            _ => false,
        }),
    }
}

/// Whether a header with that name contains a signature, and whether it may contain something else.
fn kind_of(name: &str) -> Option<bool> {
    const SURE: [&str; 4] = ["signature", "hmac", "x-sign", "-sha256"];
    const DOUBTFUL: [&str; 3] = ["authorization", "x-auth", "digest"];
    let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
    // X-Signature-Timestamp, -Version and -Key describe a signature.
    let is_about = ["timestamp", "version", "-key", "algorithm", "-id"].iter().any(|end| name.ends_with(end));
    if has(&SURE) && !is_about {
        return Some(false);
    }
    (has(&DOUBTFUL) && !is_about).then_some(true)
}

/// Whether the configuration says that the signature is in the header with that name.
fn is_described(scheme: Scheme, name: &str) -> bool {
    matches!(scheme, Scheme::Hmac(form) if form.header.eq_ignore_ascii_case(name))
}

const fn digest_length(scheme: Scheme) -> usize {
    match scheme {
        Scheme::Hmac(form) => form.algorithm.length(),
        _ => HmacAlgorithm::Sha256.length(),
    }
}

/// Whether a value of any header is the hex of 32 bytes and nothing else.
fn is_bare_digest(value: &[u8]) -> bool {
    value.len() == 64 && value.iter().all(u8::is_ascii_hexdigit)
}

/// The digests in a request, those in the scheme's own header first.
pub fn presented(scheme: Scheme, headers: &Headers) -> Vec<Presented> {
    let mut found = Vec::new();
    let mut foreign = Vec::new();
    for header in headers.iter() {
        let name = header.name.to_ascii_lowercase();
        let kind = kind_of(&name)
            .or_else(|| is_described(scheme, &name).then_some(false))
            .or_else(|| is_bare_digest(&header.value).then_some(true));
        let Some(is_doubtful) = kind else { continue };
        let of = if is_described(scheme, &name) { Some(scheme) } else { scheme_of(&name) };
        let is_own = of == Some(scheme);
        for read in parts(&header.text()) {
            let mut differences =
                differences(&read, if is_own { scheme } else { of.unwrap_or(Scheme::Tagorun) });
            let is_short = read.digest.len() < 20;
            if !is_own {
                differences.insert(0, another_header(&header.name, of, scheme));
            }
            let has_right_length = read.digest.len() == digest_length(scheme);
            let is_doubtful = is_doubtful || is_short;
            let one = Presented { digest: read.digest, differences, is_doubtful, has_right_length };
            if is_own { found.push(one) } else { foreign.push(one) }
        }
    }
    foreign.sort_by_key(|one| one.is_doubtful);
    found.extend(foreign);
    found
}

fn another_header(name: &str, of: Option<Scheme>, scheme: Scheme) -> Difference {
    let whose = of.map(|of| format!(", the header of the scheme {}", of.as_str())).unwrap_or_default();
    let fix = format!(
        "The signature is in {name}{whose}; the scheme {} reads {}.",
        scheme.as_str(),
        header_of(scheme)
    );
    Difference::new("another-header", fix)
}

/// How its form differs from what the scheme requires.
fn differences(read: &Read, scheme: Scheme) -> Vec<Difference> {
    let wants_base64 = match scheme {
        Scheme::StandardWebhooks | Scheme::Platform(Platform::Xero | Platform::X) => true,
        Scheme::Hmac(form) => form.encoding != DigestEncoding::Hex,
        _ => false,
    };
    let mut differences: Vec<Difference> =
        read.slips.iter().map(|(name, fix)| Difference::new(name, *fix)).collect();
    differences.extend(prefix(scheme, &read.prefixes, read.has_version));
    let wanted = if wants_base64 { "base64" } else { "hex" };
    let encoding = match read.encoding {
        "hex" if wants_base64 => Some("hex-digest"),
        "base64" if !wants_base64 => Some("base64-digest"),
        "URL-safe base64" if !is_url_safe(scheme) => Some("base64url-digest"),
        _ => None,
    };
    differences.extend(encoding.map(|name| {
        Difference::new(name, format!("The digest is written as {}; {wanted} is expected.", read.encoding))
    }));
    if wants_base64 && read.is_unpadded && !is_url_safe(scheme) {
        let fix = "The base64 of the digest lacks its last =. | Use an encoder that pads.";
        differences.push(Difference::new("base64-unpadded", fix));
    }
    differences
}

fn is_url_safe(scheme: Scheme) -> bool {
    matches!(scheme, Scheme::Hmac(form) if form.encoding == DigestEncoding::Base64Url)
}

fn prefix(scheme: Scheme, prefixes: &[String], has_version: bool) -> Option<Difference> {
    if let [first, _, ..] = prefixes {
        return Some(Difference::new(
            "prefix-doubled",
            format!("{first}= precedes the signature twice: the sender's library adds it already."),
        ));
    }
    let prefix = prefixes.first().map(String::as_str);
    if let Scheme::Hmac(form) = scheme {
        return described_prefix(form, prefix);
    }
    let expected = match scheme {
        Scheme::Stripe => prefix == Some("v1"),
        Scheme::StandardWebhooks => prefix.is_none() && has_version,
        Scheme::Platform(Platform::Slack | Platform::Zoom) => prefix == Some("v0"),
        _ => prefix.is_none_or(|prefix| prefix == "sha256"),
    };
    let asked = match scheme {
        Scheme::Stripe => "t=SECONDS,v1= and the hex digest",
        Scheme::StandardWebhooks => "v1, and the base64 digest",
        Scheme::Github => "sha256= and the hex digest",
        Scheme::Platform(Platform::Slack | Platform::Zoom) => "v0= and the hex digest",
        Scheme::Platform(Platform::Xero | Platform::X) => "the base64 digest",
        Scheme::Tagorun | Scheme::Platform(_) | Scheme::Hmac(_) | Scheme::None => "the hex digest",
    };
    if expected {
        return None;
    }
    Some(match prefix {
        None => Difference::new("prefix-missing", format!("The prefix is missing: {asked} are expected.")),
        Some(prefix) => {
            Difference::new("prefix-other", format!("{prefix}= precedes the signature; {asked} is expected."))
        }
    })
}

/// The prefix that the configuration asks for, where another one is there.
fn described_prefix(form: &HmacForm, found: Option<&str>) -> Option<Difference> {
    let wanted = form.prefix.trim_end_matches(['=', ':']);
    match found {
        Some(found) if found == wanted => None,
        None if wanted.is_empty() || form.prefix == wanted => None,
        None => Some(Difference::new("prefix-missing", format!("The prefix {} is missing.", form.prefix))),
        Some(found) if wanted.is_empty() => Some(Difference::new(
            "prefix-other",
            format!("{found}= precedes the signature; nothing is expected."),
        )),
        Some(found) => Some(Difference::new(
            "prefix-other",
            format!("{found}= precedes the signature; {} is expected.", form.prefix),
        )),
    }
}

/// Texts that cannot be a signature, and why they are there.
const NO_SIGNATURES: &[(&str, &str)] = &[
    ("[object Promise]", "The signature is a Promise of JavaScript. | Await it before it is sent."),
    ("[object ArrayBuffer]", "The signature is an ArrayBuffer of JavaScript. | Send its bytes as hex."),
    ("[object Object]", "The signature is an object of JavaScript. | Send its digest as hex."),
    ("[B@", "The signature is Java's name of a byte array. | Send its bytes as hex."),
    ("System.Byte[]", "The signature is .NET's name of a byte array. | Send Convert.ToHexString of it."),
    ("<Buffer", "The signature is a Buffer of Node as it is printed. | Use .digest(\"hex\")."),
    ("<hmac.HMAC", "The signature is a Python object. | Call .hexdigest()."),
    ("<built-in method", "The signature is a Python method. | Call it, as in .hexdigest()."),
    ("#<OpenSSL", "The signature is a Ruby object. | Call .hexdigest."),
    ("Resource id", "The signature is PHP's name of a resource. | Send the result of hash_hmac()."),
    ("[native code]", "The signature is the text of a JavaScript function. | Call it."),
    ("NaN", "The signature is the word NaN. | Send the hex text of the digest, not a number."),
    ("true", "The signature is the word true. | Send the digest, not the result of a check."),
    (
        "false",
        "The signature is the word false: PHP's hash_hmac() failed, or its variable is not set. | Check both in the sender.",
    ),
    ("undefined", "The signature is the word undefined: the variable that should hold it is not set."),
    ("null", "The signature is the word null: the variable that should hold it is not set."),
    ("None", "The signature is the word None: the variable that should hold it is not set."),
];

/// Why the scheme's own header contains no digest, if its text shows the reason.
pub fn no_signature(scheme: Scheme, headers: &Headers) -> Option<&'static str> {
    let text = String::from_utf8_lossy(headers.get(header_of(scheme))?).into_owned();
    let text = text.trim();
    let is_it = |said: &str| {
        if said.bytes().all(|byte| byte.is_ascii_alphabetic()) { text == said } else { text.contains(said) }
    };
    let bare = text.rsplit(['=', ',', ' ']).next().unwrap_or_default();
    if text.is_empty() {
        Some("The signature header is there but empty: the variable that should hold it is not set.")
    } else if text.contains("{{")
        || text.contains("${")
        || text.contains("}}")
        || bare.starts_with(['$', '%'])
    {
        Some("The signature is a placeholder that the sender did not fill in.")
    } else if text.starts_with('{') {
        Some("The signature is a JSON object. | Send the digest alone.")
    } else if is_list(text) {
        Some("The signature is a list of numbers, the bytes of the digest. | Send them as hex.")
    } else if text.starts_with("eyJ") && text.split('.').count() == 3 {
        Some(
            "The signature is a JSON Web Token, which signs its own content: an HMAC of the body is expected.",
        )
    } else if scheme == Scheme::StandardWebhooks && text.contains("v1a,") && !text.contains("v1,") {
        Some(
            "The signature is of version v1a, made with a private key, which is not checked here. | Let the sender sign with \
             a shared secret (v1).",
        )
    } else {
        NO_SIGNATURES.iter().find(|(said, _)| is_it(said)).map(|(_, why)| *why)
    }
}

/// Whether it is at least sixteen whole numbers with commas between them, in brackets or not.
fn is_list(text: &str) -> bool {
    let inner = text.trim_matches(['[', ']', '(', ')', '{', '}']);
    inner.split(',').count() >= 16 && inner.split(',').all(|number| number.trim().parse::<i16>().is_ok())
}
