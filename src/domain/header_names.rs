//! Recognises headers and query parameters that contain a credential or a signature, by name.

/// Headers that carry a credential by definition.
const CREDENTIAL_HEADERS: [&str; 4] = ["authorization", "proxy-authorization", "cookie", "set-cookie"];
/// Words in the name of a header or query parameter that mark its value as a credential.
const CREDENTIAL_WORDS: [&str; 9] =
    ["token", "secret", "password", "passwd", "apikey", "credential", "credentials", "auth", "authorization"];
/// Every credential word contains one of these stems; checking them first is fast.
const STEMS: [&str; 6] = ["token", "secret", "passw", "key", "credential", "auth"];
/// Words before `key` that make it a credential; an `Idempotency-Key` is not one.
const KEY_WORDS: [&str; 4] = ["api", "access", "private", "auth"];

/// Whether a header with that name contains a credential.
#[must_use]
pub fn names_credential_header(name: &str) -> bool {
    CREDENTIAL_HEADERS.iter().any(|known| name.eq_ignore_ascii_case(known)) || says_credential(name)
}

/// Whether a query parameter with that name, as written in the query, contains a credential.
#[must_use]
pub fn is_secret_parameter(name: &str) -> bool {
    let name = percent_encoding::percent_decode_str(name).decode_utf8_lossy().into_owned();
    name.eq_ignore_ascii_case("key") || says_credential(&name)
}

/// Whether the words of a name indicate a credential: `X-Api-Key`, `access_token`, `clientSecret`.
fn says_credential(name: &str) -> bool {
    if !(0..name.len()).any(|at| starts_stem(name, at)) {
        return false;
    }
    let words = words(name);
    words.iter().any(|word| CREDENTIAL_WORDS.contains(&word.as_str()))
        || words
            .iter()
            .zip(words.iter().skip(1))
            .any(|(before, word)| word == "key" && KEY_WORDS.contains(&before.as_str()))
}

/// Whether a stem starts at the byte `at` of `name`, ignoring case.
fn starts_stem(name: &str, at: usize) -> bool {
    let rest = name.as_bytes().get(at..).unwrap_or_default();
    let first = rest.first().map(u8::to_ascii_lowercase);
    STEMS.iter().map(|stem| stem.as_bytes()).any(|stem| {
        stem.first().copied() == first
            && rest.get(..stem.len()).is_some_and(|part| part.eq_ignore_ascii_case(stem))
    })
}

/// The words of a name in lower case, split at punctuation and camel case: `clientSecret`, `APIKey`.
fn words(name: &str) -> Vec<String> {
    let letters: Vec<char> = name.chars().collect();
    let mut words = vec![String::new()];
    for (at, letter) in letters.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| letters.get(at));
        let after = letters.get(at.saturating_add(1));
        let follows_lower = before.is_some_and(char::is_ascii_lowercase);
        let starts_lower = after.is_some_and(char::is_ascii_lowercase);
        if !letter.is_alphanumeric() || (letter.is_ascii_uppercase() && (follows_lower || starts_lower)) {
            words.push(String::new());
        }
        if letter.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.push(letter.to_ascii_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// The headers that contain a signature, of every scheme.
pub const SIGNATURE_HEADERS: [&str; 13] = [
    "x-tagorun-signature",
    "x-hub-signature",
    "x-hub-signature-256",
    "webhook-signature",
    "svix-signature",
    "stripe-signature",
    "x-slack-signature",
    "x-zm-signature",
    "twitch-eventsub-message-signature",
    "x-hook-signature",
    "x-xero-signature",
    "x-dropbox-signature",
    "x-twitter-webhooks-signature",
];
/// Their ids and times, which a signature covers.
const SIGNED: [&str; 8] = [
    "webhook-id",
    "webhook-timestamp",
    "svix-id",
    "svix-timestamp",
    "x-slack-request-timestamp",
    "x-zm-request-timestamp",
    "twitch-eventsub-message-id",
    "twitch-eventsub-message-timestamp",
];

/// Whether a header line is part of a signature.
#[must_use]
pub fn is_part_of_signature(name: &str) -> bool {
    SIGNATURE_HEADERS.iter().chain(&SIGNED).any(|known| name.eq_ignore_ascii_case(known))
}
