//! What the connection showed about a body, apart from its bytes.

use std::time::Duration;

use bytes::Bytes;

use super::plain;

/// The number of surplus bytes shown.
const SHOWN: usize = 40;
/// The start of a note about surplus bytes.
const FOLLOWED: &str = "bytes followed the body: ";

/// What the connection showed about a body, apart from its bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transfer {
    /// The declared length.
    pub declared: Option<u64>,
    /// The bytes after the body on the connection that are not another request.
    pub surplus: Bytes,
    /// How long before the deadline the last byte arrived; `None` if none arrived.
    pub quiet_for: Option<Duration>,
}

impl Transfer {
    /// A note on the surplus bytes, for the operator.
    #[must_use]
    pub fn surplus_note(&self) -> Option<String> {
        let shown = self.surplus.get(..SHOWN).unwrap_or(&self.surplus);
        let dots = if self.surplus.len() > SHOWN { "…" } else { "" };
        (!self.surplus.is_empty()).then(|| {
            format!("{} {FOLLOWED}{}{dots}", self.surplus.len(), plain(&String::from_utf8_lossy(shown)))
        })
    }

    /// The number of surplus bytes in `note`, if it contains one.
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
