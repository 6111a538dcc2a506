//! Gate 2: is the body complete, within the size and time limits?

use std::time::Duration;

use super::trace::{Finding, Gated};
use crate::domain::{Arrival, BodyEnd, Reason, shown_size};

/// If the last byte arrived this shortly before the deadline, the sender was still sending.
const STILL_SENDING: Duration = Duration::from_secs(2);

/// Judges how reading the body of `arrival` ended; `max_body` is the limit.
pub fn check(arrival: &Arrival, max_body: usize) -> Gated<()> {
    let most = shown_size(max_body);
    let rule = format!("at most {most}, complete in time");
    let read = arrival.body.len();
    let transfer = &arrival.transfer;
    let of = transfer.declared.map_or(String::new(), |declared| format!(" of {declared}"));
    match arrival.body_end {
        BodyEnd::Complete => {
            let mut finding = Finding::new(shown_size(read), rule);
            if let Some(note) = transfer.surplus_note() {
                finding = finding.note(note);
            }
            finding.pass(())
        }
        BodyEnd::CutAtCap => {
            Finding::new(format!("more than {most}"), format!("at most {most}")).fail(Reason::TooLarge)
        }
        BodyEnd::TimedOut => {
            let then = match transfer.quiet_for {
                Some(quiet) if quiet <= STILL_SENDING => {
                    "still coming at the deadline: a slow line".to_owned()
                }
                Some(quiet) => format!("then nothing for {} s before the deadline", quiet.as_secs()),
                None => "nothing arrived before the deadline".to_owned(),
            };
            Finding::new(format!("{read}{of} bytes, {then}"), rule).fail(Reason::TooSlow)
        }
        BodyEnd::Broken => {
            Finding::new(format!("{read}{of} bytes, then the connection or its framing broke"), rule)
                .fail(Reason::Incomplete)
        }
    }
}
