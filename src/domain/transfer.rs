//! What a connection showed of a body beside its bytes.

use std::time::Duration;

use bytes::Bytes;

use super::plain;

/// How many bytes that followed a body are shown.
const SHOWN: usize = 40;
/// Begins a note about bytes that followed.
const FOLLOWED: &str = "bytes followed the body: ";

/// What a connection showed of a body beside its bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transfer {
    /// The length that was announced.
    pub declared: Option<u64>,
    /// What came behind the body on the connection and is not another request.
    pub surplus: Bytes,
    /// How long before the deadline the last byte came; `None` where none came.
    pub quiet_for: Option<Duration>,
}

impl Transfer {
    /// A note on the bytes that followed, for the operator.
    #[must_use]
    pub fn surplus_note(&self) -> Option<String> {
        let shown = self.surplus.get(..SHOWN).unwrap_or(&self.surplus);
        let dots = if self.surplus.len() > SHOWN { "…" } else { "" };
        (!self.surplus.is_empty()).then(|| {
            format!("{} {FOLLOWED}{}{dots}", self.surplus.len(), plain(&String::from_utf8_lossy(shown)))
        })
    }

    /// How many bytes followed, where `note` tells.
    #[must_use]
    pub fn surplus_in(note: &str) -> Option<usize> {
        let (count, rest) = note.split_once(' ')?;
        rest.starts_with(FOLLOWED).then(|| count.parse().ok())?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_on_what_followed_tells_how_much() {
        let transfer = Transfer { surplus: Bytes::from_static(b"\"}"), ..Transfer::default() };
        assert_eq!(transfer.surplus_note().as_deref(), Some("2 bytes followed the body: \"}"));
        assert_eq!(Transfer::surplus_in(&transfer.surplus_note().unwrap()), Some(2));
        assert_eq!(Transfer::default().surplus_note(), None);
        assert_eq!(Transfer::surplus_in("no id"), None);
    }
}
