//! How a sender of any kind signs: HMAC over a few parts of the request, in one header.

use std::sync::LazyLock;

use parking_lot::Mutex;

/// The forms of all configurations that were read. There are few, and a scheme that is copied around can refer to them.
static KNOWN: LazyLock<Mutex<Vec<&'static HmacForm>>> = LazyLock::new(Mutex::default);

/// A form of a signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HmacForm {
    /// The header of the signature.
    pub header: String,
    /// The text before the digest in that header, as `sha256=`.
    pub prefix: String,
    /// The hash.
    pub algorithm: HmacAlgorithm,
    /// How the digest is written.
    pub encoding: DigestEncoding,
    /// What is signed, in order.
    pub signed: Vec<SignedPart>,
    /// Where the signed time is, if there is one.
    pub time: Option<TimePlace>,
    /// The header of the signed id, if there is one.
    pub id: Option<String>,
    /// Whether the body may be any array of JSON, not only one of data points.
    pub arrays: bool,
}

/// A hash function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HmacAlgorithm {
    /// SHA-1, which is still safe inside HMAC.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
}

/// How a digest is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DigestEncoding {
    /// Hexadecimal digits.
    Hex,
    /// Base64.
    Base64,
    /// Base64 with `-` and `_`, without padding or with it.
    Base64Url,
}

/// A part of what is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignedPart {
    /// These bytes.
    Text(String),
    /// The body.
    Body,
    /// The time, as the request has it.
    Time,
    /// The id, as the request has it.
    Id,
    /// The method.
    Method,
    /// Path and query.
    Path,
    /// The whole URL, as the sender called it.
    Url,
    /// The names and values of a form, sorted by name, without separators.
    Form,
}

/// Where the signed time is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TimePlace {
    /// In a header of its own.
    Header(String),
    /// In the header of the signature, behind this text, as `t=`.
    Inside(String),
}

impl HmacAlgorithm {
    /// Every algorithm.
    pub const ALL: [Self; 3] = [Self::Sha256, Self::Sha1, Self::Sha512];

    /// The length of a digest, in bytes.
    #[must_use]
    pub const fn length(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }

    /// Its name in the configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    /// Its name among people.
    #[must_use]
    pub const fn shown(self) -> &'static str {
        match self {
            Self::Sha1 => "HMAC-SHA1",
            Self::Sha256 => "HMAC-SHA256",
            Self::Sha512 => "HMAC-SHA512",
        }
    }
}

impl DigestEncoding {
    /// Every encoding.
    pub const ALL: [Self; 3] = [Self::Hex, Self::Base64, Self::Base64Url];

    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hex => "hex",
            Self::Base64 => "base64",
            Self::Base64Url => "base64url",
        }
    }
}

impl SignedPart {
    /// Every placeholder of the configuration, with its part.
    pub const PLACES: [(&'static str, Self); 7] = [
        ("{body}", Self::Body),
        ("{timestamp}", Self::Time),
        ("{id}", Self::Id),
        ("{method}", Self::Method),
        ("{path}", Self::Path),
        ("{url}", Self::Url),
        ("{form}", Self::Form),
    ];

    /// As the configuration writes it.
    #[must_use]
    pub fn shown(&self) -> &str {
        match self {
            Self::Text(text) => text,
            own => Self::PLACES.iter().find(|(_, part)| part == own).map_or("", |(place, _)| *place),
        }
    }
}

impl HmacForm {
    /// This form, to refer to for as long as the program runs.
    #[must_use]
    pub fn known(self) -> &'static Self {
        let mut known = KNOWN.lock();
        if let Some(found) = known.iter().find(|form| ***form == self) {
            return found;
        }
        let form: &'static Self = Box::leak(Box::new(self));
        known.push(form);
        form
    }

    /// Whether a header line is part of the signature.
    #[must_use]
    pub fn has_header(&self, name: &str) -> bool {
        let time = match &self.time {
            Some(TimePlace::Header(name)) => Some(name),
            _ => None,
        };
        let own = [Some(&self.header), time, self.id.as_ref()];
        own.into_iter().flatten().any(|known| known.eq_ignore_ascii_case(name))
    }

    /// Whether a form's fields are signed, and so such a body is read.
    #[must_use]
    pub fn takes_forms(&self) -> bool {
        self.signed.contains(&SignedPart::Form)
    }

    /// Whether the method or the URL is signed.
    #[must_use]
    pub fn signs_target(&self) -> bool {
        self.signed.iter().any(|part| matches!(part, SignedPart::Method | SignedPart::Path | SignedPart::Url))
    }

    /// What is signed, as the configuration writes it.
    #[must_use]
    pub fn template(&self) -> String {
        self.signed.iter().map(SignedPart::shown).collect()
    }

    /// The form in words.
    #[must_use]
    pub fn sentence(&self) -> String {
        let Self { header, algorithm, encoding, .. } = self;
        format!("{header}: {} of {} in {}", algorithm.shown(), self.template(), encoding.as_str())
    }
}
