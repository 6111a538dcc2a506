//! Goes through the variants, the likely ones first.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha384, Sha512};

use super::contents::{Content, contents};
use super::difference::Difference;
use super::keys::{Key, keys};
use super::presented::{Presented, presented};
use super::suspect::Suspect;

/// Bodies up to this size are tried with every pair of a secret's and a body's variant, in bytes.
const PAIRS_UP_TO: usize = 256 * 1024;
/// Bodies up to this size are tried cut at every byte.
const CUTS_UP_TO: usize = 64 * 1024;
/// Where larger bodies are cut: buffers and limits that are usual.
const USUAL_CUTS: [usize; 13] = [
    1_000, 1_024, 4_096, 8_192, 10_000, 16_384, 32_768, 65_535, 65_536, 100_000, 102_400, 1_000_000,
    1_048_576,
];

/// What was found out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Autopsy {
    /// The names of what the sender does differently; `None` where nothing fits.
    pub variant: Option<String>,
    /// What that is and how to put it right, in a sentence or two.
    pub sentence: String,
    /// How many variants were tried.
    pub tried: usize,
}

/// Tries the variants. `None`: no header holds anything that could be a signature.
#[must_use]
pub fn diagnose(suspect: &Suspect<'_>) -> Option<Autopsy> {
    let presented = presented(suspect.scheme, suspect.headers);
    if presented.is_empty() {
        return None;
    }
    let mut search = Search { presented: &presented, tried: 0 };
    let found = search.run(suspect);
    let tried = search.tried;
    Some(match found {
        Some(differences) if differences.is_empty() => Autopsy {
            variant: Some("valid-now".to_owned()),
            sentence: "With the secrets and the scheme of now the signature is right: the configuration was put right \
                       since. Replay the delivery."
                .to_owned(),
            tried,
        },
        Some(differences) => {
            let names: Vec<&str> = differences.iter().map(|difference| difference.name).collect();
            let fixes: Vec<&str> = differences.iter().map(|difference| difference.fix.as_str()).collect();
            Autopsy { variant: Some(names.join("+")), sentence: fixes.join(" "), tried }
        }
        None => Autopsy {
            variant: None,
            sentence: format!(
                "None of {tried} variants matches: the sender signs with a secret that is not known here, or the body was \
                 changed on its way."
            ),
            tried,
        },
    })
}

/// Goes through the variants.
struct Search<'p> {
    presented: &'p [Presented],
    tried: usize,
}

impl Search<'_> {
    fn run(&mut self, suspect: &Suspect<'_>) -> Option<Vec<Difference>> {
        let contents = contents(suspect);
        let keys = keys(suspect);
        let (usual_keys, other_keys): (Vec<&Key>, Vec<&Key>) =
            keys.iter().partition(|key| key.difference.is_none());
        let (usual, others) = contents.split_first()?;
        let small = suspect.body.len() <= PAIRS_UP_TO;
        self.pairs(&usual_keys, std::slice::from_ref(usual))
            .or_else(|| self.pairs(&usual_keys, others))
            .or_else(|| self.pairs(&other_keys, std::slice::from_ref(usual)))
            .or_else(|| self.cut(&usual_keys, suspect.body))
            .or_else(|| self.without_key(&usual_keys, suspect.body))
            .or_else(|| small.then(|| self.pairs(&other_keys, others)).flatten())
    }

    fn pairs(&mut self, keys: &[&Key], contents: &[Content]) -> Option<Vec<Difference>> {
        for content in contents {
            for key in keys {
                let found = self.try_one(|length| hmac(length, &key.bytes, &content.bytes));
                if let Some(presented) = found {
                    return Some(differences(
                        key.difference.as_ref(),
                        content.difference.as_ref(),
                        presented,
                    ));
                }
            }
        }
        None
    }

    /// The presented digest that is what `digest` gives for its length.
    fn try_one(&mut self, digest: impl Fn(usize) -> Option<Vec<u8>>) -> Option<&Presented> {
        let mut known: Option<(usize, Vec<u8>)> = None;
        for one in self.presented {
            let length = one.digest.len();
            if known.as_ref().is_none_or(|(of, _)| *of != length) {
                self.tried = self.tried.saturating_add(1);
                known = digest(length).map(|digest| (length, digest));
            }
            if known.as_ref().is_some_and(|(_, digest)| *digest == one.digest) {
                return Some(one);
            }
        }
        None
    }

    /// The body up to some byte: a buffer that was too small, or a length counted in letters.
    fn cut(&mut self, keys: &[&Key], body: &[u8]) -> Option<Vec<Difference>> {
        let every: Vec<usize> = (1..body.len()).collect();
        let cuts = if body.len() <= CUTS_UP_TO { every } else { USUAL_CUTS.to_vec() };
        for key in keys {
            let mut mac = Hmac::<Sha256>::new_from_slice(&key.bytes).ok()?;
            let mut done = 0;
            for cut in cuts.iter().copied().filter(|cut| *cut < body.len()) {
                mac.update(body.get(done..cut)?);
                done = cut;
                let digest = mac.clone().finalize().into_bytes().to_vec();
                if let Some(presented) =
                    self.try_one(|length| (length == digest.len()).then(|| digest.clone()))
                {
                    let letters = std::str::from_utf8(body).map_or(0, |text| text.chars().count());
                    let why = if cut == letters {
                        "which is its length in letters: the sender counts letters where it should count bytes."
                    } else {
                        "as though a buffer ended there. Let it sign the whole body."
                    };
                    let fix =
                        format!("The sender signed only the first {cut} of {} bytes, {why}", body.len());
                    return Some(differences(None, Some(&Difference::new("body-cut", fix)), presented));
                }
            }
        }
        None
    }

    /// A plain hash where an HMAC is asked for.
    fn without_key(&mut self, keys: &[&Key], body: &[u8]) -> Option<Vec<Difference>> {
        let mut tries = vec![(body.to_vec(), "the body alone, without the secret")];
        for key in keys {
            tries.push(([&key.bytes, body].concat(), "the secret followed by the body"));
            tries.push(([body, &key.bytes].concat(), "the body followed by the secret"));
        }
        for (bytes, what) in tries {
            if let Some(presented) = self.try_one(|length| hash(length, &bytes)) {
                let fix = format!(
                    "The sender makes a plain hash of {what}, where an HMAC with the secret as its key is asked for."
                );
                return Some(differences(None, Some(&Difference::new("plain-hash", fix)), presented));
            }
        }
        None
    }
}

fn differences(
    key: Option<&Difference>,
    content: Option<&Difference>,
    presented: &Presented,
) -> Vec<Difference> {
    let mut all: Vec<Difference> = key.into_iter().chain(content).cloned().collect();
    all.extend(presented.differences.iter().cloned());
    if let Some(algorithm) = match presented.digest.len() {
        20 => Some(Difference::new("sha1", "The sender uses HMAC-SHA1; set it to HMAC-SHA256.")),
        48 => Some(Difference::new("sha384", "The sender uses HMAC-SHA384; set it to HMAC-SHA256.")),
        64 => Some(Difference::new("sha512", "The sender uses HMAC-SHA512; set it to HMAC-SHA256.")),
        _ => None,
    } {
        all.push(algorithm);
    }
    all
}

/// The HMAC whose digest has so many bytes.
fn hmac(length: usize, key: &[u8], content: &[u8]) -> Option<Vec<u8>> {
    macro_rules! of {
        ($hash:ty) => {{
            let mut mac = Hmac::<$hash>::new_from_slice(key).ok()?;
            mac.update(content);
            Some(mac.finalize().into_bytes().to_vec())
        }};
    }
    match length {
        20 => of!(Sha1),
        32 => of!(Sha256),
        48 => of!(Sha384),
        64 => of!(Sha512),
        _ => None,
    }
}

/// The hash of so many bytes.
fn hash(length: usize, content: &[u8]) -> Option<Vec<u8>> {
    match length {
        20 => Some(Sha1::digest(content).to_vec()),
        32 => Some(Sha256::digest(content).to_vec()),
        48 => Some(Sha384::digest(content).to_vec()),
        64 => Some(Sha512::digest(content).to_vec()),
        _ => None,
    }
}
