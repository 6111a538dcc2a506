//! The short form of header blocks and findings, which say nearly the same in every delivery
//! (docs/decisions/0056-what-a-delivery-says-again.md).
//!
//! A packed text is a sequence of
//!
//! | bytes | what they are |
//! |---|---|
//! | `08`–`7F` | that byte |
//! | `80`–`FF` | a phrase: number 0 to 127 |
//! | `01` n | a phrase: number 128 + n |
//! | `02` n, then n bytes | twice as many digits: the bytes in hexadecimal, lower case |
//! | `03`, then 16 bytes | a UUID, lower case |
//! | `04` n, then n bytes | these bytes |
//! | `05` n | a word of the row: number n |

use std::sync::LazyLock;

use uuid::Uuid;

use super::phrases::PHRASES;

/// The form in which rows are written. A row without it is not packed.
pub const FORM: i64 = 1;

const FAR_PHRASE: u8 = 0x01;
const DIGITS: u8 = 0x02;
const UUID: u8 = 0x03;
const BYTES: u8 = 0x04;
const WORD: u8 = 0x05;
/// From here on, bytes that are not phrases stand for themselves.
const FIRST_PLAIN: u8 = 0x08;
/// From here on, bytes are phrases.
const FIRST_PHRASE: u8 = 0x80;

/// Fewer bytes do not pay as a phrase or word, and the index of the phrases needs them.
const SHORTEST: usize = 3;
/// Fewer hexadecimal digits do not pay.
const FEWEST_DIGITS: usize = 8;
/// The digits of a UUID, with its hyphens.
const UUID_LENGTH: usize = 36;

/// The phrases, sorted by their first bytes. It is small, so that it stays in the processor's cache.
struct Index {
    /// Where the phrases of each slot begin; the next entry is where they end.
    begins: Vec<u16>,
    /// The phrases with their numbers; within a slot, the longest first.
    phrases: Vec<(u16, &'static [u8])>,
}

impl Index {
    /// The phrases that may begin `text`.
    fn candidates(&self, text: &[u8]) -> Option<&[(u16, &'static [u8])]> {
        let slot = slot(text)?;
        let (begin, end) = (self.begins.get(slot)?, self.begins.get(slot.saturating_add(1))?);
        self.phrases.get(usize::from(*begin)..usize::from(*end))
    }
}

static INDEX: LazyLock<Index> = LazyLock::new(|| {
    let mut phrases: Vec<(u16, &[u8])> = (0..).zip(PHRASES.iter().map(|phrase| phrase.as_bytes())).collect();
    phrases.sort_by_key(|(_, phrase)| (slot(phrase), std::cmp::Reverse(phrase.len())));
    let before = |at: usize| phrases.partition_point(|(_, phrase)| slot(phrase) < Some(at));
    let begins = (0..=SLOTS).map(|at| u16::try_from(before(at)).unwrap_or(u16::MAX)).collect();
    Index { begins, phrases }
});

const SLOT_BITS: u32 = 11;
const SLOTS: usize = 1 << SLOT_BITS;

/// The place in the index of what begins a text; `None` if it is too short for a phrase.
fn slot(text: &[u8]) -> Option<usize> {
    let [first, second, third] = *text.first_chunk::<SHORTEST>()?;
    let key = u32::from_le_bytes([first, second, third, 0]);
    usize::try_from(key.wrapping_mul(0x9E37_79B1) >> (u32::BITS - SLOT_BITS)).ok()
}

/// Packs a text. Unpacked with the same words, it is the same text.
pub fn packed(text: &[u8], words: &[&[u8]]) -> Vec<u8> {
    let mut packed = Vec::with_capacity(text.len() / 4);
    let mut rest = text;
    while let Some(first) = rest.first() {
        let taken = push_word(rest, words, &mut packed)
            .or_else(|| push_phrase(rest, &mut packed))
            .or_else(|| push_digits(rest, &mut packed))
            .unwrap_or_else(|| push_plain(rest, *first, &mut packed));
        rest = rest.get(taken..).unwrap_or_default();
    }
    packed
}

/// Each of these pushes what begins `rest`, and returns how long it is there.
fn push_word(rest: &[u8], words: &[&[u8]], packed: &mut Vec<u8>) -> Option<usize> {
    let (number, word) = (0..)
        .zip(words)
        .find(|(_, word)| word.len() >= SHORTEST && word.first() == rest.first() && rest.starts_with(word))?;
    packed.extend([WORD, number]);
    Some(word.len())
}

fn push_phrase(rest: &[u8], packed: &mut Vec<u8>) -> Option<usize> {
    let (number, phrase) = INDEX.candidates(rest)?.iter().find(|(_, phrase)| rest.starts_with(phrase))?;
    match number.checked_sub(u16::from(FIRST_PHRASE)) {
        None => packed.push(FIRST_PHRASE | u8::try_from(*number).ok()?),
        Some(far) => packed.extend([FAR_PHRASE, u8::try_from(far).ok()?]),
    }
    Some(phrase.len())
}

fn push_digits(rest: &[u8], packed: &mut Vec<u8>) -> Option<usize> {
    let is_digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    if !rest.first_chunk::<FEWEST_DIGITS>()?.iter().all(is_digit) {
        return None;
    }
    if let Some((uuid, bytes)) = rest.get(..UUID_LENGTH).and_then(|text| Some((text, uuid(text)?))) {
        packed.push(UUID);
        packed.extend(bytes);
        return Some(uuid.len());
    }
    let count = rest.iter().take_while(|byte| is_digit(byte)).count() / 2;
    let count = u8::try_from(count).unwrap_or(u8::MAX);
    let digits = rest.get(..usize::from(count) * 2)?;
    packed.extend([DIGITS, count]);
    packed.extend(
        digits.chunks_exact(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | nibble(*digit))),
    );
    Some(digits.len())
}

/// The value of a digit from `0` to `9` or `a` to `f`.
const fn nibble(digit: u8) -> u8 {
    (digit & 0xF) + 9 * (digit >> 6)
}

fn push_plain(rest: &[u8], first: u8, packed: &mut Vec<u8>) -> usize {
    let is_plain = |byte: &u8| (FIRST_PLAIN..FIRST_PHRASE).contains(byte);
    if is_plain(&first) {
        packed.push(first);
        return 1;
    }
    let count = rest.iter().take(u8::MAX.into()).take_while(|byte| !is_plain(byte)).count();
    packed.extend([BYTES, u8::try_from(count).unwrap_or(u8::MAX)]);
    packed.extend(rest.iter().take(count));
    count
}

/// The bytes of a UUID that is written in the usual way: in lower case, with hyphens.
fn uuid(text: &[u8]) -> Option<[u8; 16]> {
    let uuid = Uuid::try_parse_ascii(text).ok()?;
    let mut usual = Uuid::encode_buffer();
    (uuid.hyphenated().encode_lower(&mut usual).as_bytes() == text).then(|| uuid.into_bytes())
}

/// Unpacks a text that was packed with these words; `None` if it is not such a text.
pub fn unpacked(packed: &[u8], words: &[&[u8]]) -> Option<Vec<u8>> {
    let mut text = Vec::with_capacity(packed.len().saturating_mul(4));
    let mut rest = packed;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match *first {
            UUID => {
                let (bytes, after) = rest.split_first_chunk::<16>()?;
                let mut digits = Uuid::encode_buffer();
                text.extend_from_slice(
                    Uuid::from_bytes(*bytes).hyphenated().encode_lower(&mut digits).as_bytes(),
                );
                rest = after;
            }
            plain @ FIRST_PLAIN..FIRST_PHRASE => text.push(plain),
            near @ FIRST_PHRASE.. => text.extend_from_slice(phrase(usize::from(near & !FIRST_PHRASE))?),
            code => {
                let (number, after) = rest.split_first()?;
                let number = usize::from(*number);
                rest = after;
                match code {
                    FAR_PHRASE => text.extend_from_slice(phrase(number.saturating_add(FIRST_PHRASE.into()))?),
                    WORD => text.extend_from_slice(words.get(number)?),
                    BYTES | DIGITS => {
                        let (bytes, after) = rest.split_at_checked(number)?;
                        rest = after;
                        match code {
                            BYTES => text.extend_from_slice(bytes),
                            _ => text.extend_from_slice(hex::encode(bytes).as_bytes()),
                        }
                    }
                    _ => return None,
                }
            }
        }
    }
    Some(text)
}

fn phrase(number: usize) -> Option<&'static [u8]> {
    PHRASES.get(number).map(|phrase| phrase.as_bytes())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use sha2::{Digest as _, Sha256};

    use super::*;

    const KNOWN: usize = 242;
    const KNOWN_DIGEST: &str = "b3565679d25485fcfed83c6ce309751295a742a326ff05bdfea3559892179e68";

    fn there_and_back(text: &[u8], words: &[&[u8]]) -> usize {
        let short = packed(text, words);
        assert_eq!(unpacked(&short, words).as_deref(), Some(text), "{}", String::from_utf8_lossy(text));
        short.len()
    }

    #[test]
    fn every_phrase_is_found_and_has_its_number_forever() {
        for phrase in PHRASES {
            assert!(phrase.len() >= SHORTEST, "{phrase}");
            let length = there_and_back(phrase.as_bytes(), &[]);
            assert!(length <= 2, "{phrase} takes {length} bytes");
            assert_eq!(PHRASES.iter().filter(|other| other == &phrase).count(), 1, "{phrase}");
        }
        assert!(PHRASES.len() <= 128 + 256);
        // Rows that were written with them must stay readable. New phrases go to the end; then count and digest change.
        let known = PHRASES.get(..KNOWN).unwrap().join("\0");
        assert_eq!(hex::encode(Sha256::digest(known)), KNOWN_DIGEST);
    }

    #[test]
    fn numbers_are_shorter_and_no_digit_changes() {
        assert_eq!(there_and_back(b"f5d0a72c13e94b86", &[]), 10);
        assert_eq!(there_and_back(&[b'a'; 600], &[]), 2 + 255 + 2 + 45);
        assert_eq!(there_and_back(b"660ee5f2-8c66-43b0-a531-696d1fa46c2c", &[]), 17);
        for other in [
            "660EE5F2-8C66-43B0-A531-696D1FA46C2C",
            "1234567",
            "f5d0a72C",
            "{660ee5f2-8c66-43b0-a531-696d1fa46c2}",
        ] {
            there_and_back(other.as_bytes(), &[]);
        }
    }

    #[test]
    fn the_words_of_a_row_take_two_bytes() {
        let words: [&[u8]; 3] = [b"evt_1", b"", b"user.made"];
        assert_eq!(there_and_back(b"evt_1/user.made", &words), 5);
        assert_eq!(unpacked(&[WORD, 3], &words), None, "there is no such word");
    }

    #[test]
    fn what_was_not_packed_is_not_unpacked() {
        for broken in [
            &[FAR_PHRASE][..],
            &[FAR_PHRASE, 255],
            &[DIGITS, 2, 0],
            &[UUID, 1],
            &[BYTES, 1],
            &[0],
            &[6, 0],
            &[7],
        ] {
            assert_eq!(unpacked(broken, &[]), None, "{broken:?}");
        }
    }

    #[test]
    fn the_findings_and_headers_of_a_usual_delivery_become_short() {
        let findings = br#"[[2,2,"127.0.0.1 (a trusted proxy that names no client: neither X-Forwarded-For nor Forwarded)","any address",null,[],[]],[0,2,"400 bytes","at most 4 MiB, complete in time",null,[],[]],[2,0,"","no credentials asked for",null,[],[]],[0,23,"signed with file:signing-secret","tagorun signature made with file:signing-secret",null,[],[]],[0,14,"an object of 5 members, 400 bytes","one JSON object, or TagoIO's array of data points",null,[],[]],[0,16,"user.login","schema of user.login",null,[],[]],[0,9,"id b972f203-27bb-4ead-a53e-0395ea590391","one event is taken once",null,[],[]]]"#;
        let words: [&[u8]; 2] = [b"b972f203-27bb-4ead-a53e-0395ea590391", b"user.login"];
        assert!(there_and_back(findings, &words) <= 56, "{}", there_and_back(findings, &words));
        let headers = b"Host: localhost\r\nContent-Type: application/json\r\nUser-Agent: bench\r\nX-TagoRUN-Signature: 5b180a3f4514b5ac17cab3532e150b6c1720551b40b06505c23d6057afa7aa90\r\nContent-Length: 400\r\n";
        assert!(there_and_back(headers, &[]) <= 56, "{}", there_and_back(headers, &[]));
    }

    proptest! {
        #[test]
        fn any_bytes_come_back(text in any::<Vec<u8>>(), word in any::<Vec<u8>>()) {
            there_and_back(&text, &[&word]);
            let _ = unpacked(&text, &[&word]);
        }

        #[test]
        fn any_text_of_phrases_comes_back(parts in proptest::collection::vec((0..PHRASES.len(), "[0-9a-f\r\n\"é]{0,40}"), 0..12)) {
            let text: String = parts.iter().map(|(number, other)| format!("{}{other}", PHRASES.get(*number).unwrap())).collect();
            there_and_back(text.as_bytes(), &[b"dead"]);
        }
    }
}
