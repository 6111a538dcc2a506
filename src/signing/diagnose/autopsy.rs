//! The diagnosis of an invalid signature.

use super::difference::Difference;
use super::presented::{no_signature, presented};
use super::relay::relay;
use super::right::{cut_digest, right_digest};
use super::search::Search;
use super::suspect::Suspect;
use crate::domain::{Scheme, grouped};
use crate::signing::fault::SignatureFault;
use crate::signing::header_of;

/// The result of a diagnosis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Autopsy {
    /// The names of the sender's mistakes; `None` if nothing matches.
    pub variant: Option<String>,
    /// What that is.
    pub cause: String,
    /// How to put it right, step by step.
    pub fixes: Vec<String>,
    /// Both, in a sentence or two.
    pub sentence: String,
    /// The number of variants that were tried.
    pub tried: usize,
}

impl Autopsy {
    fn named(differences: &[Difference], tried: usize) -> Self {
        let names: Vec<&str> = differences.iter().map(|difference| difference.name).collect();
        let causes: Vec<&str> = differences.iter().map(|difference| difference.what.as_str()).collect();
        let mut fixes: Vec<String> = Vec::new();
        for difference in differences {
            if !difference.fix.is_empty() && !fixes.contains(&difference.fix) {
                fixes.push(difference.fix.clone());
            }
        }
        Self::told(Some(names.join("+")), causes.join(" "), fixes, tried)
    }

    fn told(variant: Option<String>, cause: String, fixes: Vec<String>, tried: usize) -> Self {
        let sentence = std::iter::once(cause.as_str()).chain(fixes.iter().map(String::as_str));
        Self { variant, sentence: sentence.collect::<Vec<_>>().join(" "), cause, fixes, tried }
    }

    /// That nothing was tried, and why.
    #[must_use]
    pub fn impossible(why: &str) -> Self {
        Self::told(None, why.to_owned(), Vec::new(), 0)
    }
}

/// Tries the variants. `None` if no header contains a possible signature.
#[must_use]
pub fn diagnose(suspect: &Suspect<'_>) -> Option<Autopsy> {
    if let Some(another) = another_scheme(suspect) {
        return Some(Autopsy::named(&[another], Scheme::ALL.len()));
    }
    let presented = presented(suspect.scheme, suspect.headers);
    let mut search = Search::new(&presented, suspect.mask);
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
    let mut hints: Vec<Difference> =
        relay(suspect.headers).map(|said| Difference::new("relay", said)).into_iter().collect();
    if has_lost_lines(suspect) {
        hints.push(Difference::new(
            "curl-line-breaks",
            "It looks like a file sent with curl -d, which removes line breaks. | Use --data-binary @file.",
        ));
    }
    if search.is_cut {
        hints.push(Difference::new("cut", "The body is large, so rarer variants were not tried."));
    }
    let checked = format!(
        "{} common signing mistakes were checked, and none matches.",
        grouped(u64::try_from(tried).unwrap_or(u64::MAX))
    );
    let causes = std::iter::once(checked).chain(hints.iter().map(|hint| hint.what.clone()));
    let causes: Vec<String> = causes.collect();
    let fixes = hints.into_iter().map(|hint| hint.fix).filter(|fix| !fix.is_empty()).collect();
    Some(Autopsy::told(None, causes.join(" "), fixes, tried))
}

/// A header that the signature covers and that did not come: no secret can be tried without it.
fn unknowable(suspect: &Suspect<'_>) -> Option<Difference> {
    let SignatureFault::Missing { header } = suspect.check(suspect.scheme).err()? else { return None };
    // Without a signature there is nothing to try.
    suspect.headers.get(header_of(suspect.scheme)).filter(|line| !line.is_empty())?;
    let fix = format!(
        "{header} is missing, and the signature covers its value. | Send it. Until then, no secret can be tried on this request."
    );
    Some(Difference::new("header-missing", fix))
}

/// The scheme that the whole request matches, if it is not the scheme of its source.
fn another_scheme(suspect: &Suspect<'_>) -> Option<Difference> {
    let others = Scheme::ALL.into_iter().filter(|scheme| ![Scheme::None, suspect.scheme].contains(scheme));
    let scheme = others.into_iter().find(|scheme| suspect.check(*scheme).is_ok())?;
    let name = scheme.as_str();
    Some(Difference::new(
        "another-header",
        format!("The request is signed by the scheme {name}. | Set the source's signature = \"{name}\"."),
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
