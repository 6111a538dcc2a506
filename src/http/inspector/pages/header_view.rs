//! The header lines of a request as its page shows them: masked credentials apart from what was sent, and the meaning of some lines.

use super::page::search_url;
use crate::domain::{Check, Gate, Header, Outcome, Piece, StoredDelivery, pieces, plain};
use crate::inspect::search::term;

/// The sign for the hidden part of a credential.
const DOTS: &str = "••••";
/// The beginning of a masked credential in the store.
const MASKED: &str = "masked-";
/// How many letters of a hash follow that.
const HASH: usize = 16;
/// How many letters of a credential's end may follow.
const TAIL: usize = 4;
/// How long the form of a masked digest is, with its dash.
const FORM: usize = 4;
/// How often TagoIO tries to post, the first try included.
const TAGOIO_TRIES: u32 = 10;

/// A header line.
pub struct HeaderView {
    pub name: String,
    /// The search for this line.
    pub url: String,
    pub value: Vec<Piece>,
    /// What it means, or which credential it is.
    pub meaning: String,
}

/// The lines of a delivery, in wire order.
pub fn header_views(delivery: &StoredDelivery) -> Vec<HeaderView> {
    let matched = matched(&delivery.checks);
    delivery.headers.iter().map(|header| view(header, matched.as_ref())).collect()
}

fn view(header: &Header, matched: Option<&(String, String)>) -> HeaderView {
    let text = header.text();
    let shown = dotted(&text);
    let is_masked = shown != text;
    let meaning = match matched {
        Some((name, secret)) if is_masked && name.eq_ignore_ascii_case(&header.name) => {
            format!("matches {}", plain(secret))
        }
        _ if is_masked => "hidden: a hash of it is stored".to_owned(),
        _ if header.name.eq_ignore_ascii_case("TagoIO-Retries") => attempt(&text).unwrap_or_default(),
        _ => String::new(),
    };
    let cut: String = text.chars().take(100).collect();
    HeaderView {
        name: plain(&header.name),
        url: search_url(&term(&format!("header.{}", header.name.to_ascii_lowercase()), &cut)),
        value: pieces(&shown),
        meaning,
    }
}

/// The header of the credential that matched, and the credential's name.
fn matched(checks: &[Check]) -> Option<(String, String)> {
    let passed = |check: &&Check| check.gate == Gate::Credentials && check.outcome == Outcome::Pass;
    let seen = &checks.iter().find(passed)?.seen;
    let (first, secret) = (seen.split(' ').next()?, seen.rsplit(' ').next()?);
    let header = if matches!(first, "bearer" | "basic") { "Authorization" } else { first };
    Some((header.to_owned(), secret.to_owned()))
}

/// A text with dots in the place of each hash of a credential; the end of the credential stays where it is known.
pub fn dotted(text: &str) -> String {
    let mut shown = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(MASKED) {
        let is_hash = |hash: &&str| hash.bytes().all(|letter| letter.is_ascii_hexdigit());
        let Some(hash) = after.get(..HASH).filter(is_hash) else {
            shown.push_str(before);
            shown.push_str(MASKED);
            rest = after;
            continue;
        };
        shown.push_str(before);
        shown.push_str(DOTS);
        rest = after.strip_prefix(hash).unwrap_or_default();
        let is_tail = |tail: &&str| tail.bytes().all(|letter| letter.is_ascii_alphanumeric());
        if let Some(tail) = rest.strip_prefix('-').and_then(|tail| tail.get(..TAIL)).filter(is_tail) {
            shown.push_str(tail);
            rest = rest.get(TAIL.saturating_add(1)..).unwrap_or_default();
        } else if rest.get(..FORM).is_some_and(is_form_of_digest) {
            rest = rest.get(FORM..).unwrap_or_default();
        }
    }
    shown.push_str(rest);
    shown
}

/// Whether it says how a masked digest was written, as `-32h`.
fn is_form_of_digest(text: &str) -> bool {
    let form = text.strip_prefix('-').and_then(|form| form.strip_suffix(['h', 'b', 'u']));
    form.is_some_and(|length| length.bytes().all(|digit| digit.is_ascii_digit()))
}

/// Which try of TagoIO's it is.
fn attempt(text: &str) -> Option<String> {
    let number: u32 = text.trim().parse().ok()?;
    (1..=TAGOIO_TRIES).contains(&number).then(|| format!("attempt {number} of {TAGOIO_TRIES}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_masked_credential_is_shown_by_dots_and_its_end() {
        for (stored, shown) in [
            ("Bearer masked-d288e69eb40dad86-c68e", "Bearer ••••c68e"),
            ("Basic masked-d288e69eb40dad86", "Basic ••••"),
            ("HMAC masked-d288e69eb40dad86-32h", "HMAC ••••"),
            (
                "/p?token=masked-d288e69eb40dad86-c68e&key=masked-0123456789abcdef&a=1",
                "/p?token=••••c68e&key=••••&a=1",
            ),
            ("masked-by-the-sender", "masked-by-the-sender"),
            ("masked-", "masked-"),
            ("masked-d288e69eb40dad8", "masked-d288e69eb40dad8"),
            ("masked-d288e69eb40dad86-cé8", "••••-cé8"),
        ] {
            assert_eq!(dotted(stored), shown);
        }
    }

    #[test]
    fn tagoio_s_counter_is_read_as_an_attempt() {
        assert_eq!(attempt("1").unwrap(), "attempt 1 of 10");
        assert_eq!([attempt("0"), attempt("11"), attempt("x")], [None, None, None]);
    }
}
