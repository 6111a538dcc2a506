//! Finds a valid credential in the wrong place or form, and names the exact mistake, as for a wrong signature.
//!
//! Only rejected requests are searched. Digests are compared in constant time, and every place is tried, whatever was
//! found before. Only the name of a secret is reported, never its value.

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::credential_forms::{Form, Peel, forms};
use crate::domain::{Credential, Headers, Secret, Source};
use crate::signing;

/// Longer values are not searched, in bytes.
const LONGEST: usize = 512;
/// The most forms of all values together.
const MOST_FORMS: usize = 600;
/// A shorter path segment is not considered a secret, in bytes.
const SHORTEST_PART: usize = 8;
/// Headers that never contain a credential.
const OTHERS: [&str; 10] = [
    "host",
    "accept",
    "accept-encoding",
    "accept-language",
    "user-agent",
    "content-type",
    "content-length",
    "connection",
    "transfer-encoding",
    "tagoio-retries",
];

/// A place in a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the header of that name.
    Header(String),
    /// In the query parameter of that name, as it is written.
    Query(String),
    /// The path segment with this text.
    Part(String),
}

/// The result of a search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misplaced {
    /// What is wrong, and how to fix it.
    pub sentence: String,
    /// Every place with a known secret: all of them must be masked.
    pub places: Vec<Place>,
}

/// A known secret.
struct Known<'a> {
    secret: &'a Secret,
    whose: Whose<'a>,
}

#[derive(Clone, Copy)]
enum Whose<'a> {
    /// The source's own credential, or its second half.
    Own(&'a Credential, Half),
    /// A signing secret of a source.
    Signs(&'a Source),
    /// The credential of another source.
    Other(&'a Source),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Half {
    First,
    Second,
}

/// Searches a request without a valid credential of `source` for the source's secrets, then for those of all
/// `sources`.
pub fn find(source: &Source, sources: &[Source], headers: &Headers, target: &str) -> Option<Misplaced> {
    let known = all_known(source, sources);
    let (best, places) = look(&known, values(headers, target));
    match best {
        Some((rank, place, form)) => {
            let sentence = sentence(source, known.get(rank)?, &place, &form, headers);
            Some(Misplaced { sentence, places })
        }
        None => unfilled(source, headers).map(|sentence| Misplaced { sentence, places }),
    }
}

/// Looks for secrets that sign, in a request whose signature was refused: who puts the secret itself into a header sends
/// it in clear.
pub fn signing_secret(
    source: &Source,
    sources: &[Source],
    headers: &Headers,
    target: &str,
) -> Option<Misplaced> {
    let mut known = all_known(source, sources);
    known.retain(|known| matches!(known.whose, Whose::Signs(_)));
    let mut values = values(headers, target);
    // As `sha256=SECRET` and `v1,SECRET`: the prefix of a signature stays on.
    let prefixed = |(place, value): &(Place, Vec<u8>)| {
        let at = value.iter().position(|byte| matches!(byte, b'=' | b','))?;
        Some((place.clone(), value.get(at.saturating_add(1)..)?.to_vec()))
    };
    let without: Vec<(Place, Vec<u8>)> = values.iter().filter_map(prefixed).collect();
    values.extend(without);
    let (best, places) = look(&known, values);
    let (rank, place, form) = best?;
    Some(Misplaced { sentence: sentence(source, known.get(rank)?, &place, &form, headers), places })
}

/// The place and the form of the nearest of them, and every place with one.
fn look(known: &[Known<'_>], values: Vec<(Place, Vec<u8>)>) -> (Option<(usize, Place, Form)>, Vec<Place>) {
    let digests: Vec<[u8; 32]> =
        known.iter().map(|known| Sha256::digest(known.secret.expose()).into()).collect();
    let mut best: Option<(usize, Place, Form)> = None;
    let mut places = Vec::new();
    let mut left = MOST_FORMS;
    for (place, value) in values {
        for form in forms(&value).into_iter().take(left) {
            left = left.saturating_sub(1);
            let digest = Sha256::digest(&form.value);
            for (rank, known) in digests.iter().enumerate() {
                if !bool::from(digest.as_slice().ct_eq(known)) {
                    continue;
                }
                if !places.contains(&place) {
                    places.push(place.clone());
                }
                if best.as_ref().is_none_or(|(before, ..)| rank < *before) {
                    best = Some((rank, place.clone(), form.clone()));
                }
            }
        }
    }
    (best, places)
}

/// The most likely secrets first: the source's credentials, its signing secrets, then those of other sources.
fn all_known<'a>(source: &'a Source, sources: &'a [Source]) -> Vec<Known<'a>> {
    let own = source.credentials.iter().flat_map(|credential| {
        secrets_of(credential)
            .map(move |(secret, half)| Known { secret, whose: Whose::Own(credential, half) })
    });
    let signs = |of: &'a Source| {
        of.signature.secrets.iter().map(move |secret| Known { secret, whose: Whose::Signs(of) })
    };
    let others = sources.iter().filter(|other| other.name != source.name);
    let theirs = others.flat_map(move |other| {
        let credentials = other.credentials.iter().flat_map(secrets_of);
        credentials.map(move |(secret, _)| Known { secret, whose: Whose::Other(other) }).chain(signs(other))
    });
    own.chain(signs(source)).chain(theirs).collect()
}

fn secrets_of(credential: &Credential) -> impl Iterator<Item = (&Secret, Half)> {
    credential.secrets().zip([Half::First, Half::Second])
}

/// Every value in a request that may be a credential, with its place.
fn values(headers: &Headers, target: &str) -> Vec<(Place, Vec<u8>)> {
    let mut found = Vec::new();
    for header in headers.iter() {
        if !OTHERS.iter().any(|other| header.name.eq_ignore_ascii_case(other)) {
            found.push((Place::Header(header.name.clone()), header.value.clone()));
        }
    }
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let pairs = || query.split('&').map(|pair| (pair, pair.split_once('=')));
    for (pair, name) in pairs().filter_map(|(pair, split)| Some((pair, split?.0))) {
        let (_, decoded) = form_urlencoded::parse(pair.as_bytes()).next().unwrap_or_default();
        found.push((Place::Query(name.to_owned()), decoded.into_owned().into_bytes()));
    }
    let bare = pairs().filter(|(_, split)| split.is_none()).map(|(pair, _)| pair);
    for part in path.split('/').chain(bare).filter(|part| part.len() >= SHORTEST_PART) {
        found.push((Place::Part(part.to_owned()), percent_encoding::percent_decode_str(part).collect()));
    }
    found.retain(|(_, value)| !value.is_empty() && value.len() <= LONGEST);
    found
}

fn sentence(source: &Source, known: &Known<'_>, place: &Place, form: &Form, headers: &Headers) -> String {
    let name = known.secret.name();
    match known.whose {
        Whose::Own(credential, half) => {
            let what = match credential {
                Credential::Bearer(_) => "token",
                Credential::Basic { .. } => "password",
                Credential::ApiKey { .. } if half == Half::Second => "secret",
                Credential::ApiKey { .. } => "key",
            };
            let how = how(credential, half, place, form, headers);
            format!("The right {what} ({name}) came {how}. Send it as {}.", wanted(credential))
        }
        Whose::Signs(of) if of.name == source.name => format!(
            "{} contains the signing secret itself ({name}). Send {} instead, made with that secret, and replace the secret: \
             it was sent in clear.",
            place.named(),
            signing::wanted(source.signature.scheme)
        ),
        Whose::Signs(of) => format!(
            "{} carries {name}, the signing secret of source “{}”. Source “{}” expects {}.",
            place.named(),
            of.name,
            source.name,
            names(source)
        ),
        Whose::Other(other) => format!(
            "{} carries {name}, the credential of source “{}”. Post to /webhook/{}, or send {}.",
            place.named(),
            other.name,
            other.name,
            names(source)
        ),
    }
}

impl Place {
    fn named(&self) -> String {
        match self {
            Self::Header(name) => name.clone(),
            Self::Query(name) => format!("The query parameter {name}"),
            Self::Part(_) => "The URL".to_owned(),
        }
    }
}

/// The names of a source's credentials; of a source without one, that it is signed.
fn names(source: &Source) -> String {
    if source.credentials.is_empty() {
        return signing::wanted(source.signature.scheme);
    }
    let names = source
        .credentials
        .iter()
        .flat_map(|credential| secrets_of(credential).map(|(secret, _)| secret.name()));
    names.collect::<Vec<_>>().join(" or ")
}

/// The header line of a credential, as users write it.
fn wanted(credential: &Credential) -> String {
    match credential {
        Credential::Bearer(_) => "Authorization: Bearer TOKEN".to_owned(),
        Credential::Basic { .. } => "Authorization: Basic, and then base64 of USER:PASSWORD".to_owned(),
        Credential::ApiKey { header, secret: None, .. } => format!("{header}: KEY"),
        Credential::ApiKey { header, secret_header, .. } => {
            format!("{header}: KEY with {secret_header}: SECRET")
        }
    }
}

/// How the found credential differs from the required form.
fn how(credential: &Credential, half: Half, place: &Place, form: &Form, headers: &Headers) -> String {
    let header = match (credential, half) {
        (Credential::ApiKey { header, .. }, Half::First) => header.as_str(),
        (Credential::ApiKey { secret_header, .. }, Half::Second) => secret_header,
        _ => "Authorization",
    };
    let is_there = matches!(place, Place::Header(name) if name.eq_ignore_ascii_case(header));
    let mut said: Vec<String> = match place {
        Place::Header(name) if !is_there => vec![format!("in the header {name}")],
        Place::Header(_) => in_form(credential, form),
        Place::Query(name) => vec![format!("in the URL, as the parameter {name}")],
        Place::Part(_) => vec!["in the URL".to_owned()],
    };
    // In a cookie or another list, the word with its mark is the usual form.
    let is_dress = |peel: &&Peel| is_there || !matches!(peel, Peel::WordColon(_));
    said.extend(form.peels.iter().filter(is_dress).filter_map(Peel::dress).map(str::to_owned));
    if said.is_empty() && headers.get_all(header).nth(1).is_some() {
        said.push(format!("with a second {header} header"));
    }
    if said.is_empty() {
        said.push(match credential {
            Credential::ApiKey { header, secret_header, .. } if half == Half::First => {
                match headers.get(secret_header) {
                    Some(_) => format!("in {header}, with another secret in {secret_header}"),
                    None => format!("in {header}, without {secret_header}"),
                }
            }
            Credential::ApiKey { header, .. } => format!("without the right key in {header}"),
            Credential::Bearer(_) => "with a tab instead of a blank behind the word Bearer".to_owned(),
            Credential::Basic { .. } => "with another user name".to_owned(),
        });
    }
    said.join(" and ")
}

/// How the words before a credential differ from the required form of its header.
fn in_form(credential: &Credential, form: &Form) -> Vec<String> {
    let words: Vec<&str> = form.peels.iter().filter_map(Peel::word).collect();
    let is_basic = words.first().is_some_and(|word| word.eq_ignore_ascii_case("basic"));
    let encoded = form.peels.iter().filter(|peel| **peel == Peel::Base64).count();
    let is_encoded = encoded > 0;
    let asked = match credential {
        Credential::Bearer(_) => "Bearer",
        Credential::Basic { .. } => "Basic",
        Credential::ApiKey { .. } => "",
    };
    let has_colon = form.peels.iter().any(|peel| matches!(peel, Peel::AfterColon | Peel::BeforeColon));
    match credential {
        Credential::Bearer(_) if is_basic && is_encoded => return vec!["as a Basic credential".to_owned()],
        Credential::Basic { .. } if is_basic && is_encoded => {
            return if encoded > 1 {
                vec!["encoded as base64 twice".to_owned()]
            } else if form.peels.contains(&Peel::BeforeColon) {
                vec!["in the place of the user name".to_owned()]
            } else if has_colon {
                Vec::new()
            } else {
                vec!["without a user name and a colon".to_owned()]
            };
        }
        _ => {}
    }
    let mut said = match words.as_slice() {
        [] if asked.is_empty() => Vec::new(),
        [word, ..] if asked.is_empty() => vec![format!("behind the word {word}")],
        [] => vec![format!("without the word {asked}")],
        [word] if word.eq_ignore_ascii_case(asked) => Vec::new(),
        [word] => vec![format!("behind the word {word} instead of {asked}")],
        [word, ..] => vec![format!("behind the word {word} and another word")],
    };
    said.extend(is_encoded.then(|| "encoded as base64".to_owned()));
    said.extend(has_colon.then(|| "with other text at a colon".to_owned()));
    said
}

/// The placeholder in a request whose sender was never given its credential.
fn unfilled(source: &Source, headers: &Headers) -> Option<String> {
    let read = source.credentials.iter().flat_map(|credential| match credential {
        Credential::Bearer(_) | Credential::Basic { .. } => ["Authorization", ""],
        Credential::ApiKey { header, secret_header, .. } => [header.as_str(), secret_header.as_str()],
    });
    read.filter(|header| !header.is_empty()).find_map(|header| {
        let value = headers.get(header)?;
        let is_word = |word: &[u8]| value.trim_ascii().eq_ignore_ascii_case(word);
        if header == "Authorization" && is_word(b"bearer") {
            return Some(
                "Authorization has the word Bearer and no token. The variable that should hold the token is empty in the \
                 sender."
                    .to_owned(),
            );
        }
        forms(value).iter().any(is_placeholder).then(|| {
            format!(
                "{header} carries a placeholder: the sender did not fill in the credential. Enter the credential itself."
            )
        })
    })
}

/// Whether it is a variable, an empty one as programs print it, or a name in the place of a value.
fn is_placeholder(form: &Form) -> bool {
    let text = String::from_utf8_lossy(&form.value);
    // Of what was in base64, anything but these words could be there by chance.
    ["undefined", "null", "None"].contains(&&*text)
        || !form.peels.contains(&Peel::Base64)
            && (["$", "file:", "env:", "Your", "your", "YOUR"].iter().any(|start| text.starts_with(start))
                || ["{{", "${"].iter().any(|part| text.contains(part))
                || ["NaN", "TOKEN", "KEY"].contains(&&*text))
}

#[cfg(test)]
mod tests;
