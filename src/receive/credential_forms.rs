//! Removes what senders wrap around a credential, layer by layer.

use base64::Engine as _;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// The most layers removed from a value.
const DEEPEST: usize = 4;
/// The most forms of one value.
const MOST: usize = 16;
/// Shorter text is not treated as base64, in bytes.
const SHORTEST_BASE64: usize = 8;
/// The longest word before a credential, in bytes.
const LONGEST_WORD: usize = 24;

const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const BASE64: [GeneralPurpose; 2] =
    [GeneralPurpose::new(&STANDARD, LENIENT), GeneralPurpose::new(&URL_SAFE, LENIENT)];

/// A layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Peel {
    /// A word in front, such as `Bearer`.
    Word(String),
    /// A word and a colon in front, such as `Bearer:`.
    WordColon(String),
    /// The header name in front, as if the value were the whole line.
    HeaderName,
    /// Quotes or brackets around it.
    Quotes,
    /// Blanks around it.
    Blanks,
    /// Base64.
    Base64,
    /// Percent-encoding.
    Percent,
    /// A comma or a semicolon behind it.
    EndMark,
    /// Latin-1 in the place of UTF-8.
    Latin1,
    /// The part before a colon.
    BeforeColon,
    /// The part after a colon.
    AfterColon,
}

impl Peel {
    /// The word in front.
    pub fn word(&self) -> Option<&str> {
        match self {
            Self::Word(word) | Self::WordColon(word) => Some(word),
            _ => None,
        }
    }

    /// The problem with this layer, if the layer is wrong in every place.
    pub const fn dress(&self) -> Option<&'static str> {
        match self {
            Self::WordColon(_) => Some("with a colon behind that word"),
            Self::HeaderName => Some("with the header's name repeated in its value"),
            Self::Quotes => Some("in quotes or brackets"),
            Self::Blanks => Some("with blanks around it"),
            Self::Percent => Some("percent-encoded"),
            Self::EndMark => Some("with a comma or a semicolon behind it"),
            Self::Latin1 => Some("in Latin-1, not in UTF-8"),
            Self::Word(_) | Self::Base64 | Self::BeforeColon | Self::AfterColon => None,
        }
    }
}

/// A value after removing some layers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form {
    /// The value.
    pub value: Vec<u8>,
    /// The removed layers, the outermost first.
    pub peels: Vec<Peel>,
}

/// The value itself, and every form found below its layers.
pub fn forms(value: &[u8]) -> Vec<Form> {
    let mut all = vec![Form { value: value.to_vec(), peels: Vec::new() }];
    let mut next = 0;
    while let Some(form) = all.get(next).cloned() {
        next = next.saturating_add(1);
        if form.peels.len() >= DEEPEST {
            continue;
        }
        for (peel, value) in peeled(&form.value) {
            let is_new = !value.is_empty() && all.iter().all(|known| known.value != value);
            if is_new && all.len() < MOST {
                let peels = form.peels.iter().cloned().chain([peel]).collect();
                all.push(Form { value, peels });
            }
        }
    }
    all
}

/// The results of removing one more layer.
fn peeled(value: &[u8]) -> Vec<(Peel, Vec<u8>)> {
    let mut found = Vec::new();
    let trimmed = value.trim_ascii();
    if trimmed.len() < value.len() {
        found.push((Peel::Blanks, trimmed.to_vec()));
    }
    if let [first, inner @ .., last] = value
        && [
            (b'"', b'"'),
            (b'\'', b'\''),
            (b'`', b'`'),
            (b'<', b'>'),
            (b'{', b'}'),
            (b'[', b']'),
            (b'(', b')'),
        ]
        .contains(&(*first, *last))
    {
        found.push((Peel::Quotes, inner.to_vec()));
    }
    found.extend(behind_a_word(value));
    if value.len() >= SHORTEST_BASE64
        && let Some(decoded) = BASE64.iter().find_map(|base64| base64.decode(value).ok())
    {
        found.push((Peel::Base64, decoded));
    }
    if value.contains(&b'%') {
        found.push((Peel::Percent, percent_encoding::percent_decode(value).collect()));
    }
    if let [inner @ .., b',' | b';'] = value {
        found.push((Peel::EndMark, inner.to_vec()));
    }
    if std::str::from_utf8(value).is_err() {
        found.push((Peel::Latin1, value.iter().copied().map(char::from).collect::<String>().into_bytes()));
    }
    if let Some(colon) = value.iter().position(|byte| *byte == b':')
        && let Some((before, after)) = value.split_at_checked(colon)
        && !before.contains(&b' ')
    {
        found.push((Peel::AfterColon, after.iter().skip(1).copied().collect()));
        found.push((Peel::BeforeColon, before.to_vec()));
    }
    found
}

/// The text after `Bearer `, `Bearer: ` or `Authorization: `.
fn behind_a_word(value: &[u8]) -> Option<(Peel, Vec<u8>)> {
    let is_of_word = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let end =
        value.iter().position(|byte| !is_of_word(byte)).filter(|end| (1..=LONGEST_WORD).contains(end))?;
    let (word, rest) = value.split_at_checked(end)?;
    let word = String::from_utf8_lossy(word).into_owned();
    let has_mark = matches!(rest.first(), Some(b':' | b'='));
    let behind = if has_mark { rest.get(1..)? } else { rest };
    let is_apart = behind.first().is_some_and(u8::is_ascii_whitespace);
    let is_scheme = ["bearer", "token", "basic", "apikey", "api-key", "key", "jwt"]
        .iter()
        .any(|scheme| word.eq_ignore_ascii_case(scheme));
    if !(is_apart || has_mark && is_scheme) {
        return None;
    }
    let peel = match (has_mark, word.eq_ignore_ascii_case("authorization")) {
        (true, true) => Peel::HeaderName,
        (true, false) => Peel::WordColon(word),
        (false, _) => Peel::Word(word),
    };
    Some((peel, behind.trim_ascii_start().to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn below(value: &str, inner: &str) -> Vec<Peel> {
        let all = forms(value.as_bytes());
        assert!(all.len() <= MOST);
        let found = all.into_iter().find(|form| form.value == inner.as_bytes());
        found.unwrap_or_else(|| panic!("no {inner} in {value}")).peels
    }

    #[test]
    fn every_layer_is_taken_off_and_named() {
        let word = |word: &str| Peel::Word(word.to_owned());
        let token = "a-token-of-the-tests-0123456789";
        for (value, peels) in [
            (token.to_owned(), vec![]),
            (format!("Bearer {token}"), vec![word("Bearer")]),
            (format!("Bearer: {token}"), vec![Peel::WordColon("Bearer".to_owned())]),
            (format!("token={token}"), vec![Peel::WordColon("token".to_owned())]),
            (format!("Bearer \"{token}\""), vec![word("Bearer"), Peel::Quotes]),
            (format!("Authorization: Bearer {token}"), vec![Peel::HeaderName, word("Bearer")]),
            (format!("Bearer Bearer {token}"), vec![word("Bearer"), word("Bearer")]),
            (format!("Bearer {token} "), vec![Peel::Blanks, word("Bearer")]),
        ] {
            assert_eq!(below(&value, token), peels, "{value}");
        }
        let basic = |text: &str| format!("Basic {}", BASE64[0].encode(text));
        assert_eq!(
            below(&basic(&format!("u:{token}")), token),
            [word("Basic"), Peel::Base64, Peel::AfterColon]
        );
        assert_eq!(below(&basic(token), token), [word("Basic"), Peel::Base64]);
        assert_eq!(below("a%2Fb", "a/b"), [Peel::Percent]);
        let latin_1 = format!("Basic {}", BASE64[0].encode(b"u:pass-w\xf6rd"));
        assert_eq!(
            below(&latin_1, "pass-wörd"),
            [word("Basic"), Peel::Base64, Peel::Latin1, Peel::AfterColon]
        );
    }

    #[test]
    fn what_is_wrapped_without_an_end_ends() {
        let deep = (0..50).fold("x".to_owned(), |inner, _| format!("\"{inner}\""));
        assert_eq!(forms(deep.as_bytes()).len(), DEEPEST + 1);
        assert!(forms(&b"a:".repeat(200)).len() <= MOST);
        assert_eq!(forms(b"").len(), 1);
    }
}
