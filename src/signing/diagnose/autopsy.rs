//! The diagnosis of an invalid signature.

use super::difference::Difference;
use super::presented::{no_signature, presented};
use super::relay::relay;
use super::right::{cut_digest, right_digest};
use super::search::Search;
use super::suspect::Suspect;
use crate::domain::Scheme;
use crate::signing::fault::SignatureFault;
use crate::signing::header_of;

/// The result of a diagnosis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Autopsy {
    /// The names of the sender's mistakes; `None` if nothing matches.
    pub variant: Option<String>,
    /// The mistake and how to fix it, in one or two sentences.
    pub sentence: String,
    /// The number of variants that were tried.
    pub tried: usize,
}

impl Autopsy {
    fn named(differences: &[Difference], tried: usize) -> Self {
        let names: Vec<&str> = differences.iter().map(|difference| difference.name).collect();
        let fixes: Vec<&str> = differences.iter().map(|difference| difference.fix.as_str()).collect();
        Self { variant: Some(names.join("+")), sentence: fixes.join(" "), tried }
    }
}

/// Tries the variants. `None` if no header contains a possible signature.
#[must_use]
pub fn diagnose(suspect: &Suspect<'_>) -> Option<Autopsy> {
    if let Some(another) = another_scheme(suspect) {
        return Some(Autopsy::named(&[another], Scheme::ALL.len()));
    }
    let presented = presented(suspect.scheme, suspect.headers);
    let mut search = Search::new(&presented);
    let found = if presented.is_empty() { None } else { search.run(suspect) };
    let tried = search.tried;
    if let Some(mut differences) = found {
        if differences.is_empty() {
            differences.push(right_digest(suspect));
        }
        let is_json = |difference: &Difference| difference.name.starts_with("json-");
        if let Some(relay) = relay(suspect.headers).filter(|_| differences.iter().any(is_json)) {
            // The sender signed its own text; the relay serialised it again.
            differences.retain(|difference| !is_json(difference));
            differences.push(Difference::new("relay", relay));
        }
        return Some(Autopsy::named(&differences, tried));
    }
    if let Some(why) = no_signature(suspect.scheme, suspect.headers) {
        return Some(Autopsy::named(&[Difference::new("no-digest", why)], tried));
    }
    if let Some(certain) = cut_digest(suspect).or_else(|| unknowable(suspect)) {
        return Some(Autopsy::named(&[certain], tried));
    }
    if presented.iter().all(|one| one.is_doubtful) {
        return None;
    }
    let mut hints: Vec<String> = relay(suspect.headers).into_iter().collect();
    if has_lost_lines(suspect) {
        hints.push(
            "It looks like a file sent with curl -d, which removes line breaks: use --data-binary @file."
                .to_owned(),
        );
    }
    if search.is_cut {
        hints.push("The body is large: rarer variants were not tried.".to_owned());
    }
    let hints: String = hints.iter().map(|hint| format!(" {hint}")).collect();
    Some(Autopsy {
        variant: None,
        sentence: format!(
            "None of {tried} variants matches: the sender signs with a secret that is not known here, or the body was \
             changed on its way.{hints}"
        ),
        tried,
    })
}

/// A header that the signature covers and that did not come: no secret can be tried without it.
fn unknowable(suspect: &Suspect<'_>) -> Option<Difference> {
    let SignatureFault::Missing { header } = suspect.check(suspect.scheme).err()? else { return None };
    // Without a signature there is nothing to try.
    suspect.headers.get(header_of(suspect.scheme)).filter(|line| !line.is_empty())?;
    let fix = format!(
        "{header} is missing, and the signature covers its value: send it. Until then, no secret can be tried on this request."
    );
    Some(Difference::new("header-missing", fix))
}

/// The scheme that the request fits as a whole, where it is another one than its source's.
fn another_scheme(suspect: &Suspect<'_>) -> Option<Difference> {
    let others = Scheme::ALL.into_iter().filter(|scheme| ![Scheme::None, suspect.scheme].contains(scheme));
    let scheme = others.into_iter().find(|scheme| suspect.check(*scheme).is_ok())?;
    let name = scheme.as_str();
    Some(Difference::new(
        "another-header",
        format!("The request is signed by the scheme {name}: set the source's signature = \"{name}\"."),
    ))
}

/// Whether the body has indentation without line breaks, sent by curl as a form.
fn has_lost_lines(suspect: &Suspect<'_>) -> bool {
    let header = |name: &str| suspect.headers.get(name).unwrap_or_default();
    let has = |part: &[u8]| memchr::memmem::find(suspect.body, part).is_some();
    header("User-Agent").starts_with(b"curl/")
        && header("Content-Type").starts_with(b"application/x-www-form-urlencoded")
        && !has(b"\n")
        && (has(b"  ") || has(b"\t"))
}
