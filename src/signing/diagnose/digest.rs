//! Digests as headers contain them. A header for credentials is masked before it is stored, but a variant can still be
//! compared with the mask: the mask is a keyed hash of the digest alone, and says how the digest was written.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::domain::MaskKey;

/// Standard base64, padded or not.
pub const LENIENT: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, INDIFFERENT);
const INDIFFERENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, INDIFFERENT);

/// The known digest sizes, in bytes: MD5, SHA-1, SHA-256, SHA-384, SHA-512.
const DIGESTS: [usize; 5] = [16, 20, 32, 48, 64];

/// What may be in front of a digest, and is no secret.
const BEFORE: [&str; 16] = [
    "Bearer ",
    "Digest ",
    "HMAC ",
    "HMAC-SHA1 ",
    "HMAC-SHA256 ",
    "HMAC-SHA512 ",
    "Signature ",
    "Token ",
    "hmac=",
    "sha1=",
    "sha256=",
    "sha512=",
    "signature=",
    "v0=",
    "v1=",
    "v1,",
];
/// How a digest may be written, and the letter for it in a mask.
const ENCODINGS: [(&str, char); 3] = [("hex", 'h'), ("base64", 'b'), ("URL-safe base64", 'u')];

/// A digest that a header presents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Digest {
    /// Its bytes.
    Clear(Vec<u8>),
    /// Its mask, and its length in bytes.
    Masked(String, usize),
}

impl Digest {
    /// Its length in bytes.
    pub const fn len(&self) -> usize {
        match self {
            Self::Clear(digest) => digest.len(),
            Self::Masked(_, length) => *length,
        }
    }

    /// Whether it is `digest`.
    pub fn is(&self, digest: &[u8], key: Option<&MaskKey>) -> bool {
        match self {
            Self::Clear(own) => own == digest,
            Self::Masked(mask, _) => key.is_some_and(|key| key.mask(digest) == *mask),
        }
    }
}

/// The value of a header with its digest masked, as `HMAC masked-0123456789abcdef-32b`: sixteen hex digits, the length in
/// bytes and how it was written. `None` where it is anything else than a digest.
#[must_use]
pub fn mask_digest(value: &str, key: &MaskKey) -> Option<String> {
    let is_before =
        |before: &&&str| value.get(..before.len()).is_some_and(|start| start.eq_ignore_ascii_case(before));
    let at = BEFORE.iter().find(is_before).map_or(0, |before| before.len());
    let (before, text) = value.split_at_checked(at)?;
    let (digest, encoding) = decode_once(text).filter(|(digest, _)| is_digest(digest))?;
    let (_, letter) = ENCODINGS.iter().find(|(name, _)| *name == encoding)?;
    Some(format!("{before}{}-{}{letter}", key.mask(&digest), digest.len()))
}

/// The digest in a mask, and how it was written.
pub fn of_mask(text: &str) -> Option<(Digest, &'static str)> {
    let (mask, form) = text.rsplit_once('-').filter(|(mask, _)| mask.starts_with("masked-"))?;
    let (name, length) =
        ENCODINGS.iter().find_map(|(name, letter)| Some((*name, form.strip_suffix(*letter)?)))?;
    Some((Digest::Masked(mask.to_owned(), length.parse().ok()?), name))
}

/// Whether it is as long as a digest.
pub fn is_digest(digest: &[u8]) -> bool {
    DIGESTS.contains(&digest.len())
}

/// The bytes of a text, and how they are written.
pub fn decode_once(text: &str) -> Option<(Vec<u8>, &'static str)> {
    let hex = hex::decode(text).ok().map(|digest| (digest, "hex"));
    let base64 = || LENIENT.decode(text).ok().map(|digest| (digest, "base64"));
    let url = || URL_SAFE.decode(text).ok().map(|digest| (digest, "URL-safe base64"));
    hex.or_else(base64).or_else(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "5f4dcc3b5aa765d61d8327deb882cf995f4dcc3b5aa765d61d8327deb882cf99";

    #[test]
    fn a_digest_is_recognised_by_its_mask_and_anything_else_is_not_one() {
        let (key, other) = (MaskKey::new([7; 32]), MaskKey::new([8; 32]));
        let digest = hex::decode(HEX).unwrap();
        for before in ["", "HMAC ", "hmac-sha256 ", "sha256=", "Bearer "] {
            let masked = mask_digest(&format!("{before}{HEX}"), &key).unwrap();
            assert!(
                masked.starts_with(before) && masked.ends_with("-32h") && !masked.contains("5f4d"),
                "{masked}"
            );
            let (read, encoding) = of_mask(&masked[before.len()..]).unwrap();
            assert_eq!((read.len(), encoding), (32, "hex"));
            assert!(read.is(&digest, Some(&key)));
            assert!(
                !read.is(&digest, Some(&other)) && !read.is(&digest, None) && !read.is(b"other", Some(&key))
            );
        }
        for secret in [
            "hunter2",
            "hunter2hunter2hunter2",
            &format!("user {HEX}"),
            &format!("hunter2={HEX}"),
            &format!("{HEX} hunter2"),
            &format!("Credential=hunter2, Signature={HEX}"),
            &HEX[1..],
        ] {
            assert_eq!(mask_digest(secret, &key), None, "{secret}");
        }
        for other in ["masked-0123456789abcdef", "masked-0123456789abcdef-zz09", HEX] {
            assert_eq!(of_mask(other), None, "{other}");
        }
    }
}
