//! Why a body is not JSON, and what its sender should change: a table of causes, the most certain first.

mod binary;
mod coding;
mod formats;
mod length;
mod look;
mod reported;
mod scan;
mod template;
mod words;
mod wrapped;

pub use coding::undecodable;
pub use length::{length_hint, signed_with_its_end};

use self::look::Look;
use super::charset::charset_hint;
use super::told::Diagnosis;
use crate::domain::Headers;
use crate::domain::json::without_mark;

/// The part of a body that is examined, in bytes.
const LOOK: usize = 256 * 1024;

/// Names the fault, its place and its fix; `None` if the cause is another one.
type Cause = fn(&Look<'_>) -> Option<Diagnosis>;

/// Every cause, in the order in which it is looked for.
const CAUSES: [Cause; 19] = [
    empty,
    charset,
    binary::cause,
    formats::markup,
    formats::multipart,
    wrapped::encoded,
    wrapped::named_instead,
    formats::form,
    formats::trailing_nul,
    formats::several_documents,
    formats::line_protocol,
    formats::csv,
    reported::cause,
    words::cause,
    template::unfilled,
    wrapped::leading_text,
    formats::trailing_text,
    formats::unquoted_text,
    formats::cut,
];

/// The cause of a body that is not JSON, with its place and its cure.
#[must_use]
pub fn cause(headers: &Headers, body: &[u8]) -> Option<Diagnosis> {
    let bytes = without_mark(body);
    let text = String::from_utf8_lossy(bytes.get(..LOOK).unwrap_or(bytes));
    let look = Look { headers, bytes, text: &text };
    CAUSES.iter().find_map(|cause| cause(&look))
}

fn charset(look: &Look<'_>) -> Option<Diagnosis> {
    let said = charset_hint(look.headers, look.bytes).filter(|_| binary::kind(look).is_none())?;
    Some(Diagnosis::new("not-json-charset", "The body is not UTF-8", said).fix("Send the text as UTF-8."))
}

fn empty(look: &Look<'_>) -> Option<Diagnosis> {
    let said = "The body is empty: the sender sent none, or something on the way dropped it.";
    look.text.trim().is_empty().then(|| Diagnosis::of("not-json-empty", "The body is empty", said))
}

#[cfg(test)]
mod tests;
