//! Combines keys, frames and forms of the body, the likely ones first, until one produces a presented digest.

use hmac::{Hmac, KeyInit as _, Mac as _};
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha384, Sha512};

use super::clock::hours;
use super::difference::Difference;
use super::forms::{Form, Forms};
use super::frames::{self, Frame};
use super::keys::{Key, keys};
use super::presented::Presented;
use super::suspect::Suspect;
use crate::domain::MaskKey;

/// How many bytes are hashed at most: about a tenth of a second. Of large bodies, some variants all the same.
const MAX_HASHED: usize = 64 * 1024 * 1024;
const LEAST_HASHED: usize = 16;
/// Bodies up to this size are also tried cut at every byte, and with other times.
const SMALL: usize = 64 * 1024;
/// The most forms of the body that are tried as keys.
const SWAPPED: usize = 64;
/// Where larger bodies are cut: common buffer sizes and limits.
const USUAL_CUTS: [usize; 13] = [
    1_000, 1_024, 4_096, 8_192, 10_000, 16_384, 32_768, 65_535, 65_536, 100_000, 102_400, 1_000_000,
    1_048_576,
];

/// Goes through the variants.
pub struct Search<'p> {
    presented: &'p [Presented],
    /// Recognises masked digests.
    mask: Option<&'p MaskKey>,
    /// The number of computed digests.
    pub tried: usize,
    /// Whether there would have been more, had the body been smaller.
    pub is_cut: bool,
    hashed: usize,
    most: usize,
}

impl<'p> Search<'p> {
    pub const fn new(presented: &'p [Presented], mask: Option<&'p MaskKey>) -> Self {
        Self { presented, mask, tried: 0, is_cut: false, hashed: 0, most: MAX_HASHED }
    }

    /// The sender's mistakes; empty if there are none. `None` if no variant matches.
    pub fn run(&mut self, suspect: &Suspect<'_>) -> Option<Vec<Difference>> {
        self.most = MAX_HASHED.max(suspect.body.len().saturating_mul(LEAST_HASHED));
        let usual = frames::usual(suspect);
        let borrowed = frames::borrowed(suspect);
        let other_frames = frames::others(suspect);
        let keys = keys(suspect);
        let (own, others): (Vec<&Key>, Vec<&Key>) = keys.iter().partition(|key| key.difference.is_none());
        let mut forms = Forms::of(suspect.body, suspect.headers);
        let all = std::mem::take(&mut forms.all);
        self.is_cut = forms.is_cut || suspect.body.len() > SMALL;
        let (sent, changed) = all.split_at(1.min(all.len()));
        let found = self
            .pairs(&own, &usual, sent)
            .or_else(|| self.pairs(&own, &usual, changed))
            .or_else(|| self.pairs(&own, &borrowed, sent))
            .or_else(|| self.pairs(&own, &other_frames, sent))
            .or_else(|| self.pairs(&others, &usual, sent));
        let found = found.map(|hit| hit.told(&mut forms));
        found
            .or_else(|| self.swapped(&own, &all))
            .or_else(|| self.without_key(&own, suspect.body))
            .or_else(|| self.other_times(&own, suspect))
            .or_else(|| self.cut(&own, suspect.body))
            .or_else(|| self.pairs(&own, &other_frames, changed).map(|hit| hit.told(&mut forms)))
            .or_else(|| self.pairs(&others, &usual, changed).map(|hit| hit.told(&mut forms)))
            .or_else(|| self.pairs(&others, &other_frames, sent).map(|hit| hit.told(&mut forms)))
            .or_else(|| {
                let reordered = forms.reordered();
                self.pairs(&own, &usual, &reordered).map(|hit| hit.told(&mut forms))
            })
    }

    fn pairs<'a>(&mut self, keys: &[&'a Key], frames: &'a [Frame], forms: &'a [Form]) -> Option<Hit<'a>>
    where
        'p: 'a,
    {
        for form in forms {
            for frame in frames {
                if !frame.has_body && !form.is_sent() {
                    continue;
                }
                let body: &[u8] = if frame.has_body { &form.bytes } else { &[] };
                for key in keys {
                    if self.hashed > self.most {
                        self.is_cut = true;
                        return None;
                    }
                    let parts = [&frame.before, body, &frame.after];
                    let size = parts.iter().map(|part| part.len()).sum();
                    if let Some(presented) = self.try_one(size, false, |length| hmac(length, key, &parts)) {
                        return Some(Hit { key, frame, form, presented });
                    }
                }
            }
        }
        None
    }

    /// The presented digest that equals `digest` for its length.
    fn try_one(
        &mut self,
        size: usize,
        is_plain: bool,
        digest: impl Fn(usize) -> Option<Vec<u8>>,
    ) -> Option<&'p Presented> {
        let mut known: Option<(usize, Vec<u8>)> = None;
        for one in self.presented {
            // A plain digest of the body in a digest header is not a signature.
            if is_plain && one.is_doubtful {
                continue;
            }
            let length = one.digest.len();
            if known.as_ref().is_none_or(|(of, _)| *of != length) {
                self.tried = self.tried.saturating_add(1);
                self.hashed = self.hashed.saturating_add(size);
                known = digest(length).map(|digest| (length, digest));
            }
            if known.as_ref().is_some_and(|(_, digest)| one.digest.is(digest, self.mask)) {
                return Some(one);
            }
        }
        None
    }

    /// The body as the key and the secret as the message.
    fn swapped(&mut self, keys: &[&Key], forms: &[Form]) -> Option<Vec<Difference>> {
        for form in forms.iter().filter(|form| form.bytes.len() <= SMALL).take(SWAPPED) {
            let swapped = Key::new(form.bytes.to_vec(), None);
            for key in keys {
                let size = form.bytes.len();
                if let Some(presented) =
                    self.try_one(size, false, |length| hmac(length, &swapped, &[&key.bytes]))
                {
                    let fix = "The sender swaps key and message: it signs the secret with the body as the key. The order is \
                               hash_hmac(\"sha256\", body, secret) in PHP, HmacSHA256(body, secret) in CryptoJS, \
                               hmac.new(secret, body, …) in Python.";
                    return Some(told([&Some(Difference::new("key-and-message-swapped", fix))], presented));
                }
            }
        }
        None
    }

    /// The usual frame with the header's time converted to another unit or zone.
    fn other_times(&mut self, keys: &[&Key], suspect: &Suspect<'_>) -> Option<Vec<Difference>> {
        if suspect.body.len() > SMALL {
            return None;
        }
        for written in frames::times(suspect) {
            let Some(time) = std::str::from_utf8(&written).ok().and_then(|time| time.parse::<i64>().ok())
            else {
                continue;
            };
            for (signed, fix) in other_times(time) {
                for frame in frames::with_time(suspect, &signed.to_string()) {
                    for key in keys {
                        let parts = [&frame.before, suspect.body, &frame.after];
                        let size = suspect.body.len();
                        let found = self.try_one(size, false, |length| hmac(length, key, &parts));
                        if let Some(presented) = found {
                            let fix = fix();
                            return Some(told([&Some(Difference::new("timestamp-other", fix))], presented));
                        }
                    }
                }
            }
        }
        None
    }

    /// The body up to some byte: for buffers that were too small, or lengths counted in characters.
    fn cut(&mut self, keys: &[&Key], body: &[u8]) -> Option<Vec<Difference>> {
        let every: Vec<usize> = (1..body.len()).collect();
        let cuts = if body.len() <= SMALL { every } else { USUAL_CUTS.to_vec() };
        for key in keys {
            let mut mac = key.sha256.clone()?;
            let mut done = 0;
            for cut in cuts.iter().copied().filter(|cut| *cut < body.len()) {
                mac.update(body.get(done..cut)?);
                done = cut;
                let digest = mac.clone().finalize().into_bytes().to_vec();
                let found =
                    self.try_one(64, false, |length| (length == digest.len()).then(|| digest.clone()));
                if let Some(presented) = found {
                    let letters = std::str::from_utf8(body).map_or(0, |text| text.chars().count());
                    let why = if cut == letters {
                        "which is its length in letters: the sender counts letters where it should count bytes."
                    } else {
                        "as though a buffer ended there. | Let it sign the whole body."
                    };
                    let fix =
                        format!("The sender signed only the first {cut} of {} bytes, {why}", body.len());
                    return Some(told([&Some(Difference::new("body-cut", fix))], presented));
                }
            }
        }
        None
    }

    /// A plain hash instead of an HMAC.
    fn without_key(&mut self, keys: &[&Key], body: &[u8]) -> Option<Vec<Difference>> {
        let mut tries = vec![(body.to_vec(), "the body alone, without the secret")];
        for key in keys {
            tries.push(([&key.bytes, body].concat(), "the secret followed by the body"));
            tries.push(([body, &key.bytes].concat(), "the body followed by the secret"));
        }
        for (bytes, what) in tries {
            if let Some(presented) = self.try_one(bytes.len(), true, |length| hash(length, &bytes)) {
                let fix = format!(
                    "The sender makes a plain hash of {what}, where an HMAC with the secret as its key is asked for."
                );
                return Some(told([&Some(Difference::new("plain-hash", fix))], presented));
            }
        }
        None
    }
}

/// A match.
struct Hit<'a> {
    key: &'a Key,
    frame: &'a Frame,
    form: &'a Form,
    presented: &'a Presented,
}

impl Hit<'_> {
    fn told(self, forms: &mut Forms<'_>) -> Vec<Difference> {
        let form = forms.difference(self.form);
        told([&self.key.difference, &self.frame.difference, &form], self.presented)
    }
}

fn told<const N: usize>(found: [&Option<Difference>; N], presented: &Presented) -> Vec<Difference> {
    let mut all: Vec<Difference> = found.into_iter().flatten().cloned().collect();
    all.extend(presented.differences.iter().cloned());
    let algorithm = match presented.digest.len() {
        _ if presented.has_right_length => None,
        32 => Some(("sha256", "The sender uses HMAC-SHA256. | Set it to the algorithm of the source.")),
        16 => Some(("md5", "The sender uses HMAC-MD5. | Set it to HMAC-SHA256.")),
        20 => Some(("sha1", "The sender uses HMAC-SHA1. | Set it to HMAC-SHA256.")),
        48 => Some(("sha384", "The sender uses HMAC-SHA384. | Set it to HMAC-SHA256.")),
        64 => Some(("sha512", "The sender uses HMAC-SHA512. | Set it to HMAC-SHA256.")),
        _ => None,
    };
    all.extend(algorithm.map(|(name, fix)| Difference::new(name, fix)));
    all
}

type OtherTime = (i64, Box<dyn Fn() -> String>);

/// The times that may have been signed instead of the header's, and what each means.
fn other_times(time: i64) -> Vec<OtherTime> {
    const UNITS: &str = "The sender signs the timestamp in one unit and sends it in another (seconds and milliseconds). | Sign \
                         the text of the header.";
    let mut times: Vec<OtherTime> = Vec::new();
    let mut add =
        |time: Option<i64>, fix: Box<dyn Fn() -> String>| times.extend(time.map(|time| (time, fix)));
    for seconds in 1..=3_i64 {
        for other in [time.checked_add(seconds), time.checked_sub(seconds)] {
            add(
                other,
                Box::new(|| {
                    "The signed timestamp is a moment apart from the header: the sender reads its clock twice. Read it \
                     once, sign that value, and send that value."
                        .to_owned()
                }),
            );
        }
    }
    add(time.checked_div(1_000), Box::new(|| UNITS.to_owned()));
    for millis in 0..1_000 {
        let longer = time.checked_mul(1_000).and_then(|time| time.checked_add(millis));
        add(longer, Box::new(|| UNITS.to_owned()));
    }
    for quarters in 1..=56_i64 {
        for (sign, word) in [(1, "ahead of"), (-1, "behind")] {
            let other = quarters.checked_mul(900 * sign).and_then(|by| time.checked_add(by));
            add(
                other,
                Box::new(move || {
                    format!(
                        "The signed timestamp is {} {word} the header: the sender takes local time for UTC in one of them. | \
                         In Python, use datetime.now(timezone.utc).",
                        hours(quarters.unsigned_abs())
                    )
                }),
            );
        }
    }
    times
}

/// The HMAC with this digest length.
fn hmac(length: usize, key: &Key, parts: &[&[u8]]) -> Option<Vec<u8>> {
    macro_rules! made {
        ($mac:expr) => {{
            let mut mac = $mac;
            parts.iter().for_each(|part| mac.update(part));
            Some(mac.finalize().into_bytes().to_vec())
        }};
    }
    match length {
        16 => made!(Hmac::<Md5>::new_from_slice(&key.bytes).ok()?),
        20 => made!(Hmac::<Sha1>::new_from_slice(&key.bytes).ok()?),
        32 => made!(key.sha256.clone()?),
        48 => made!(Hmac::<Sha384>::new_from_slice(&key.bytes).ok()?),
        64 => made!(Hmac::<Sha512>::new_from_slice(&key.bytes).ok()?),
        _ => None,
    }
}

/// The hash with this digest length.
fn hash(length: usize, content: &[u8]) -> Option<Vec<u8>> {
    match length {
        20 => Some(Sha1::digest(content).to_vec()),
        32 => Some(Sha256::digest(content).to_vec()),
        48 => Some(Sha384::digest(content).to_vec()),
        64 => Some(Sha512::digest(content).to_vec()),
        _ => None,
    }
}
