//! Gate 2: is the body complete, in size and in time?

use super::trace::{Finding, Gated};
use crate::domain::{BodyEnd, Reason};

/// Judges how reading the body ended; `read` is how many bytes of it there are, `max_body` the cap.
pub fn check(end: BodyEnd, read: usize, max_body: usize) -> Gated<()> {
    let rule = format!("at most {max_body} bytes, complete in time");
    match end {
        BodyEnd::Complete => Finding::new(format!("{read} bytes"), rule).pass(()),
        BodyEnd::CutAtCap => Finding::new(format!("more than {max_body} bytes"), rule).fail(Reason::TooLarge),
        BodyEnd::TimedOut => {
            Finding::new(format!("{read} bytes, then nothing until the deadline"), rule).fail(Reason::TooSlow)
        }
        BodyEnd::Broken => {
            Finding::new(format!("{read} bytes, then the connection or its framing broke"), rule)
                .fail(Reason::Incomplete)
        }
    }
}
