//! A signature in a form that the configuration describes: `signature = "hmac"`.

use base64::Engine as _;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha512};
use subtle::ConstantTimeEq as _;

use super::fault::{SignatureFault, check_age, joined};
use super::platform::{signed_time, single};
use super::request::SignedRequest;
use crate::domain::{
    DigestEncoding, HmacAlgorithm, HmacForm, Secret, SignatureRule, SignedPart, TimePlace, Timestamp,
};

/// The most signatures in one header.
const MAX_CANDIDATES: usize = 16;
/// Seconds since 1970 are smaller for thousands of years; milliseconds were larger when the first webhook was sent.
const MILLISECONDS_FROM: i64 = 100_000_000_000;
/// The query parameter with the digest of a body that is not a form, as Twilio sends it.
const BODY_DIGEST: &str = "bodySHA256";

const INDIFFERENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const BASE64: GeneralPurpose = GeneralPurpose::new(&STANDARD, INDIFFERENT);
const BASE64_URL: GeneralPurpose = GeneralPurpose::new(&URL_SAFE, INDIFFERENT);

/// What a request presents.
#[derive(Default)]
struct Presented {
    signatures: Vec<Vec<u8>>,
    time: Option<Vec<u8>>,
}

/// The secret that signed the request, and the signed id. A signed time must be within the tolerance.
pub fn verify<'a>(
    form: &'static HmacForm,
    rule: &'a SignatureRule,
    request: &SignedRequest<'_>,
    now: Timestamp,
) -> Result<(&'a Secret, Option<Vec<u8>>), SignatureFault> {
    let header = form.header.as_str();
    let presented = presented(form, request)?;
    let time = match &form.time {
        None => None,
        Some(TimePlace::Header(name)) => Some(single(request.headers, name)?.to_vec()),
        Some(TimePlace::Inside(_)) => {
            Some(presented.time.ok_or(SignatureFault::Malformed { header, why: "its time is missing" })?)
        }
    };
    let id = form.id.as_deref().map(|name| single(request.headers, name)).transpose()?;
    let fields = if form.takes_forms() { fields_of(form, request)? } else { Vec::new() };
    let parts = Parts {
        request,
        time: time.as_deref().unwrap_or_default(),
        id: id.unwrap_or_default(),
        fields: &fields,
    };
    let urls = if form.signed.contains(&SignedPart::Url) { request.urls() } else { vec![String::new()] };
    let mut signer = None;
    for secret in &rule.secrets {
        for url in &urls {
            let expected = mac(form, secret.expose(), &parts.of(form, url));
            let is_match = presented
                .signatures
                .iter()
                .fold(subtle::Choice::from(0), |found, one| found | one.as_slice().ct_eq(&expected));
            if bool::from(is_match) && signer.is_none() {
                signer = Some(secret);
            }
        }
    }
    let signer = signer.ok_or(SignatureFault::Mismatch { header, bytes: request.body.len() })?;
    if let Some(line) = time {
        let header = match &form.time {
            Some(TimePlace::Header(name)) => name.as_str(),
            _ => header,
        };
        let why = "seconds or milliseconds since 1970, or a time of RFC 3339, are expected";
        let signed_at = own_time(&line).ok_or(SignatureFault::Malformed { header, why })?;
        check_age(signed_at, now, rule.tolerance)?;
    }
    Ok((signer, id.map(<[u8]>::to_vec)))
}

/// Seconds since 1970, also of milliseconds and of a time of RFC 3339.
pub(super) fn own_time(line: &[u8]) -> Option<i64> {
    let signed_at = signed_time(line)?;
    Some(if signed_at.abs() >= MILLISECONDS_FROM { signed_at / 1_000 } else { signed_at })
}

/// The signatures in the header, and the time between them.
fn presented(form: &'static HmacForm, request: &SignedRequest<'_>) -> Result<Presented, SignatureFault> {
    let header = form.header.as_str();
    let malformed = |why| SignatureFault::Malformed { header, why };
    let line = joined(request.headers, header)?;
    let mut presented = Presented::default();
    for text in line.split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
        if let Some(TimePlace::Inside(before)) = &form.time {
            if let Some(time) = text.strip_prefix(before.as_bytes()) {
                if presented.time.replace(time.to_vec()).is_some_and(|other| other != time) {
                    return Err(malformed("it has two times"));
                }
                continue;
            }
            // Elements of other versions stand beside it.
            if !text.starts_with(form.prefix.as_bytes()) {
                continue;
            }
        }
        let text =
            text.strip_prefix(form.prefix.as_bytes()).ok_or_else(|| malformed("its prefix is missing"))?;
        presented.signatures.push(decoded(form, text).ok_or_else(|| malformed(expected(form)))?);
    }
    match presented.signatures.len() {
        0 => Err(malformed("it has no signature")),
        1..=MAX_CANDIDATES => Ok(presented),
        _ => Err(malformed("too many signatures")),
    }
}

fn decoded(form: &HmacForm, text: &[u8]) -> Option<Vec<u8>> {
    let digest = match form.encoding {
        DigestEncoding::Hex => hex::decode(text).ok(),
        DigestEncoding::Base64 => BASE64.decode(text).ok(),
        DigestEncoding::Base64Url => BASE64_URL.decode(text).ok(),
    };
    digest.filter(|digest| digest.len() == form.algorithm.length())
}

const fn expected(form: &HmacForm) -> &'static str {
    match (form.algorithm, form.encoding) {
        (HmacAlgorithm::Sha1, DigestEncoding::Hex) => "40 hex digits are expected",
        (HmacAlgorithm::Sha256, DigestEncoding::Hex) => "64 hex digits are expected",
        (HmacAlgorithm::Sha512, DigestEncoding::Hex) => "128 hex digits are expected",
        (HmacAlgorithm::Sha1, _) => "20 bytes in base64 are expected",
        (HmacAlgorithm::Sha256, _) => "32 bytes in base64 are expected",
        (HmacAlgorithm::Sha512, _) => "64 bytes in base64 are expected",
    }
}

/// The fields of a form as they are signed. Of another body, the URL must contain the digest.
fn fields_of(form: &'static HmacForm, request: &SignedRequest<'_>) -> Result<Vec<u8>, SignatureFault> {
    if request.is_form() {
        return Ok(request.fields());
    }
    let is_covered = request.body.is_empty() || form.signed.contains(&SignedPart::Body);
    let digest = request.query_value(BODY_DIGEST);
    match digest {
        None if is_covered => Ok(Vec::new()),
        Some(digest) if digest.eq_ignore_ascii_case(&hex::encode(Sha256::digest(request.body))) => {
            Ok(Vec::new())
        }
        Some(_) => Err(SignatureFault::BodyDigest { parameter: BODY_DIGEST }),
        None => Err(SignatureFault::BodyNotSigned { header: &form.header, parameter: BODY_DIGEST }),
    }
}

struct Parts<'r> {
    request: &'r SignedRequest<'r>,
    time: &'r [u8],
    id: &'r [u8],
    fields: &'r [u8],
}

impl Parts<'_> {
    /// The signed bytes, piece by piece.
    fn of<'p>(&'p self, form: &'p HmacForm, url: &'p str) -> Vec<&'p [u8]> {
        let part = |part: &'p SignedPart| match part {
            SignedPart::Text(text) => text.as_bytes(),
            SignedPart::Body => self.request.body,
            SignedPart::Time => self.time,
            SignedPart::Id => self.id,
            SignedPart::Method => self.request.method.as_bytes(),
            SignedPart::Path => self.request.target.as_bytes(),
            SignedPart::Url => url.as_bytes(),
            SignedPart::Form => self.fields,
        };
        form.signed.iter().map(part).collect()
    }
}

/// The digest of the parts.
fn mac(form: &HmacForm, key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    macro_rules! made {
        ($hash:ty) => {{
            // HMAC takes keys of any length, so this cannot fail; an empty digest would match nothing.
            let Ok(mut mac) = Hmac::<$hash>::new_from_slice(key) else { return Vec::new() };
            parts.iter().for_each(|part| mac.update(part));
            mac.finalize().into_bytes().to_vec()
        }};
    }
    match form.algorithm {
        HmacAlgorithm::Sha1 => made!(Sha1),
        HmacAlgorithm::Sha256 => made!(Sha256),
        HmacAlgorithm::Sha512 => made!(Sha512),
    }
}

/// The header lines of a signed message. A form that signs the target or fields cannot be made here.
pub fn sign(
    form: &HmacForm,
    key: &[u8],
    id: &str,
    timestamp: Timestamp,
    body: &[u8],
) -> Option<Vec<(String, String)>> {
    if form.signs_target() || form.takes_forms() {
        return None;
    }
    let time = timestamp.as_secs().to_string();
    let headers = crate::domain::Headers::default();
    let request = SignedRequest { method: "", target: "", headers: &headers, body };
    let parts = Parts { request: &request, time: time.as_bytes(), id: id.as_bytes(), fields: &[] };
    let digest = mac(form, key, &parts.of(form, ""));
    let text = match form.encoding {
        DigestEncoding::Hex => hex::encode(digest),
        DigestEncoding::Base64 => base64::engine::general_purpose::STANDARD.encode(digest),
        DigestEncoding::Base64Url => base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(digest),
    };
    let mut signature = format!("{}{text}", form.prefix);
    let mut lines = Vec::new();
    match &form.time {
        Some(TimePlace::Header(name)) => lines.push((name.clone(), time)),
        Some(TimePlace::Inside(before)) => signature = format!("{before}{time},{signature}"),
        None => {}
    }
    lines.extend(form.id.iter().map(|name| (name.clone(), id.to_owned())));
    lines.push((form.header.clone(), signature));
    Some(lines)
}
