//! One log line for each delivery at `info`: verdict, reason, source, event, milliseconds. No body, no header, no
//! query.

use std::fmt::Write as _;
use std::time::Duration;

use super::SystemClock;
use super::logging::plain_log;
use crate::domain::{Appended, Clock as _, Decision, DeliveryId, Entry, Reason, Timestamp, Verdict};

/// The longest sender-controlled text in a line, in characters.
const MAX_TEXT: usize = 80;
/// Most lines have fewer bytes.
const LINE: usize = 256;

/// The contents of a delivery's log line, taken before the entry goes to the store.
#[derive(Clone, Debug)]
pub struct DeliveryLine {
    id: DeliveryId,
    source: String,
    event: Option<String>,
    decision: Option<Reason>,
    /// The verdict of deliveries without checks.
    unjudged: Option<Verdict>,
    client: std::net::IpAddr,
    size: usize,
    received_at: Timestamp,
}

impl DeliveryLine {
    /// The line of `entry`.
    #[must_use]
    pub fn of(entry: &Entry) -> Self {
        Self {
            id: entry.delivery.id,
            source: short(&entry.delivery.source),
            event: entry.facts.event_type.as_deref().map(short),
            decision: match &entry.decision {
                Decision::Reject(reason) => Some(*reason),
                Decision::Import(imported) => imported.reason,
                Decision::Accept(_) | Decision::Capture(_) | Decision::Handshake(_) => None,
            },
            unjudged: match &entry.decision {
                Decision::Capture(_) => Some(Verdict::Captured),
                Decision::Handshake(_) => Some(Verdict::Handshake),
                Decision::Import(imported) => Some(imported.verdict),
                Decision::Accept(_) | Decision::Reject(_) => None,
            },
            client: entry.delivery.client.ip,
            size: entry.delivery.body.len(),
            received_at: entry.delivery.received_at,
        }
    }

    /// The verdict on the delivery.
    #[must_use]
    pub fn verdict(&self, appended: &Appended) -> (Verdict, Option<Reason>) {
        match (self.decision, appended) {
            (Some(reason), _) => (Verdict::Rejected, Some(reason)),
            (None, Appended::New) => (self.unjudged.unwrap_or(Verdict::Accepted), None),
            (None, Appended::Duplicate { .. }) => (Verdict::Duplicate, None),
            (None, Appended::Conflict { .. }) => (Verdict::Rejected, Some(Reason::IdConflict)),
        }
    }

    /// The source, if it is configured: names invented by callers must not become metric labels.
    #[must_use]
    pub fn known_source(&self) -> &str {
        if self.decision == Some(Reason::UnknownSource) { "unknown" } else { &self.source }
    }

    /// When it was received.
    #[must_use]
    pub const fn received_at(&self) -> Timestamp {
        self.received_at
    }

    /// Writes the line of a stored delivery.
    pub fn write(&self, appended: &Appended, taken: Duration) {
        match plain_log() {
            Some(log) => log.add(self.text(SystemClock.wall(), appended, taken).as_bytes()),
            None => self.report(appended, taken),
        }
        if let Appended::Conflict { first, .. } = appended {
            tracing::warn!(target: "tagohook::delivery", id = %self.id, first = %first,
                "the same event id came with another body; both are kept");
        }
    }

    fn report(&self, appended: &Appended, taken: Duration) {
        let (verdict, reason) = self.verdict(appended);
        tracing::info!(
            target: "tagohook::delivery",
            reason = reason.map(Reason::as_str),
            source = %self.source,
            event = self.event.as_deref(),
            client = %self.client,
            bytes = self.size,
            ms = %format_args!("{:.1}", taken.as_secs_f64() * 1000.0),
            id = %self.id,
            "{}", verdict.as_str(),
        );
    }

    /// The text that `report` leads to, in a third of the time: no field is formatted through a trait object.
    fn text(&self, at: Timestamp, appended: &Appended, taken: Duration) -> String {
        let (verdict, reason) = self.verdict(appended);
        let Self { id, source, event, client, size, .. } = self;
        let mut line = String::with_capacity(LINE);
        // Writing to a String cannot fail.
        let _ = write!(line, "{at:.6}  INFO {}", verdict.as_str());
        let _ = reason.map_or(Ok(()), |reason| write!(line, " reason={:?}", reason.as_str()));
        let _ = write!(line, " source={source}");
        let _ = event.as_ref().map_or(Ok(()), |event| write!(line, " event={event:?}"));
        let ms = taken.as_secs_f64() * 1000.0;
        let _ = writeln!(line, " client={client} bytes={size} ms={ms:.1} id={id}");
        line
    }

    /// Writes the line of a delivery that could not be stored and got a 503.
    pub fn write_fault(&self, fault: &(dyn std::error::Error + 'static)) {
        tracing::error!(target: "tagohook::delivery", source = %self.source, id = %self.id, fault,
            "not kept: answered 503");
    }
}

/// External text made safe for one line: shortened, and without control characters.
fn short(text: &str) -> String {
    text.chars().take(MAX_TEXT).map(|letter| if letter.is_control() { '\u{fffd}' } else { letter }).collect()
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::net::IpAddr;
    use std::sync::Arc;

    use parking_lot::Mutex;

    use super::*;

    /// What a subscriber as in `start_logging` writes.
    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Written {
        fn write(&mut self, line: &[u8]) -> io::Result<usize> {
            self.0.lock().extend_from_slice(line);
            Ok(line.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn the_text_of_a_line_is_what_the_subscriber_would_write() {
        let usual = DeliveryLine {
            id: DeliveryId::new_at(Timestamp::from_micros(1_770_000_000_123_456)),
            source: "tagorun".to_owned(),
            event: Some("user.login".to_owned()),
            decision: None,
            unjudged: None,
            client: IpAddr::from([127, 0, 0, 1]),
            size: 400,
            received_at: Timestamp::from_micros(0),
        };
        let nameless = DeliveryLine { event: None, client: "2001:db8::1".parse().unwrap(), ..usual.clone() };
        let odd = DeliveryLine {
            source: short("a \u{1b}[31m\"ü"),
            event: Some(short("\"\\\n\u{9b}\u{202e}é")),
            decision: Some(Reason::NotJson),
            ..usual.clone()
        };
        for line in [usual, nameless, odd] {
            let (written, taken) = (Written::default(), Duration::from_micros(2_149));
            let to = written.clone();
            let subscriber = tracing_subscriber::fmt()
                .with_writer(move || to.clone())
                .with_ansi(false)
                .with_target(false)
                .finish();
            tracing::subscriber::with_default(subscriber, || line.report(&Appended::New, taken));
            let reported = String::from_utf8(written.0.lock().clone()).unwrap();
            let text = line.text(Timestamp::from_micros(1_770_000_000_000_000), &Appended::New, taken);
            let (at, rest) = text.split_once("  INFO").unwrap();
            assert_eq!(at, "2026-02-02T02:40:00.000000Z");
            assert_eq!(Some(rest), reported.split_once("  INFO").map(|(_, rest)| rest));
        }
    }
}
