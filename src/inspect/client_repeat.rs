//! Requests that a client or a proxy repeated automatically, because the connection ended without a response.
//!
//! libcurl, Java and Go do so, and some proxies. They show as the same bytes again on another connection at once. A sender's
//! own retry looks different: the sender waits first, or counts its attempts in a header.

use std::time::Duration;

use super::duration::seconds;
use super::told::Diagnosis;
use crate::domain::{BodyEnd, DeliveryFilter, Header, StoredDelivery, Verdict};
use crate::store::{Store, StoreError};

/// The longest wait before an automatic repeat.
const SOON: Duration = Duration::from_secs(2);
/// How many deliveries before one may be the request that it repeats.
const NEAR: usize = 64;
/// How many positions later than its repeat a request may be written.
const OVERTAKEN: i64 = 16;
/// How much later than its repeat a request may be read, where both arrive at once: in microseconds.
const OVERTAKING_US: u64 = 250_000;
/// The most similar deliveries that are read in full.
const READ: usize = 5;
/// Headers in which a proxy counts its own attempts.
const COUNTERS: [&str; 1] = ["x-envoy-attempt-count"];
/// Headers that a proxy sets.
const OF_PROXIES: [&str; 3] = ["via", "x-forwarded-for", "forwarded"];

/// A request that arrived again, byte for byte, on another connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientRepeat {
    /// How much later.
    gap: Duration,
    evidence: Evidence,
    /// Whether a proxy is between.
    is_proxied: bool,
    /// Whether both were accepted as events of their own.
    are_both_events: bool,
}

/// The evidence for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Evidence {
    /// The first connection closed before our response.
    HangUp,
    /// The same, seen from the request that was repeated: its repeat was accepted before it.
    Overtaken,
    /// Only that both are the same.
    Sameness,
}

impl ClientRepeat {
    /// Whether `after` is `before`, repeated by a client or a proxy.
    #[must_use]
    pub fn of(before: &StoredDelivery, after: &StoredDelivery) -> Option<Self> {
        let micros = after.row.received_at.as_micros().saturating_sub(before.row.received_at.as_micros());
        let gap = Duration::from_micros(u64::try_from(micros).unwrap_or(0));
        let is_late = micros < 0 && micros.unsigned_abs() <= OVERTAKING_US;
        let answered = Duration::from_micros(before.row.duration_us);
        let (ended, evidence) = match before.hung_up {
            Some(hung_up) if micros >= 0 || is_late => (hung_up, Evidence::HangUp),
            // A response that was lost on its way leaves no trace here. A refused sender has another reason to repeat. A
            // request whose own client hung up is repeated itself.
            None if (200..300).contains(&before.row.status)
                && after.hung_up.is_none()
                && micros >= 0
                && gap >= answered =>
            {
                (answered, Evidence::Sameness)
            }
            _ => return None,
        };
        let is_repeat =
            gap.saturating_sub(ended) <= SOON && is_elsewhere(before, after) && is_same(before, after);
        let are_both_events = [before, after].iter().all(|one| one.row.verdict == Verdict::Accepted);
        is_repeat.then(|| Self { gap, evidence, is_proxied: is_proxied(after), are_both_events })
    }

    /// The request that `delivery` repeats, looked for among the deliveries near it; or the repeat that overtook it.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn find(store: &Store, delivery: &StoredDelivery) -> Result<Option<Self>, StoreError> {
        let row = &delivery.row;
        if row.verdict == Verdict::Captured || delivery.connection.deliveries == 0 {
            return Ok(None);
        }
        let end = row.seq.saturating_add(OVERTAKEN);
        let near = store.list(&DeliveryFilter::default(), Some(end), NEAR).await?;
        let alike = near.into_iter().filter(|before| {
            before.id != row.id
                && before.size_bytes == row.size_bytes
                && before.path == row.path
                && before.source == row.source
                && before.client_ip == row.client_ip
        });
        // Of an event that is known, the first delivery too, where many others arrived meanwhile.
        for id in alike.take(READ).map(|before| before.id).chain(row.duplicate_of) {
            let Some(before) = store.delivery(id).await? else { continue };
            if let Some(repeat) = Self::of(&before, delivery) {
                return Ok(Some(repeat));
            }
            let overtaken = Self::of(delivery, &before).filter(|_| row.verdict == Verdict::Duplicate);
            if let Some(repeat) = overtaken.filter(Self::is_certain) {
                return Ok(Some(Self { evidence: Evidence::Overtaken, ..repeat }));
            }
        }
        Ok(None)
    }

    /// Whether nothing else explains it.
    #[must_use]
    pub fn is_certain(&self) -> bool {
        self.evidence != Evidence::Sameness
    }

    /// Why a duplicate came.
    #[must_use]
    pub fn diagnosis(&self) -> Diagnosis {
        let cause = format!("This one was answered 200 and not processed again. {}", self.sentence());
        let headline = match (self.evidence, self.is_proxied) {
            (Evidence::Sameness, _) => "The same request arrived twice",
            (_, true) => "The client or a proxy repeated the request",
            (_, false) => "The client repeated the request",
        };
        Diagnosis::new("client-repeat", headline, cause)
    }

    /// In words.
    #[must_use]
    pub fn sentence(&self) -> String {
        let who = if self.is_proxied { "The client or a proxy" } else { "The client" };
        let later = match self.gap {
            Duration::ZERO => String::new(),
            gap => format!(", {} later", seconds(gap.as_secs_f64())),
        };
        let mut said = match self.evidence {
            Evidence::HangUp => format!(
                "{who} repeated the request on a new connection{later}: the first one closed before our response."
            ),
            Evidence::Overtaken => format!(
                "{who} repeated the request on a new connection before our response, and the repeat was accepted first."
            ),
            Evidence::Sameness => format!(
                "The same request arrived again on another connection{later}. Clients and proxies repeat a request when \
                 its response is lost. Or the sender sent it twice."
            ),
        };
        if self.are_both_events {
            said.push_str(" Both are events, as they have no id by which a repeat is known.");
        }
        said
    }
}

/// Whether they arrived on different connections.
fn is_elsewhere(before: &StoredDelivery, after: &StoredDelivery) -> bool {
    let is_counted = before.connection.deliveries > 0;
    is_counted && (after.connection.deliveries == 1 || before.connection.port != after.connection.port)
}

/// Whether they are the same request, byte for byte.
fn is_same(before: &StoredDelivery, after: &StoredDelivery) -> bool {
    let is_whole = |one: &StoredDelivery| one.body_end == BodyEnd::Complete;
    before.client.peer == after.client.peer
        && before.row.source == after.row.source
        && before.row.method == after.row.method
        && before.row.path == after.row.path
        && is_whole(before)
        && is_whole(after)
        && lines(before).eq(lines(after))
        && before.body == after.body
}

fn lines(delivery: &StoredDelivery) -> impl Iterator<Item = &Header> {
    let counts = |line: &&Header| COUNTERS.iter().any(|name| line.name.eq_ignore_ascii_case(name));
    delivery.headers.iter().filter(move |line| !counts(line))
}

fn is_proxied(delivery: &StoredDelivery) -> bool {
    OF_PROXIES.iter().any(|name| delivery.headers.get(name).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Connection, Timestamp};
    use crate::inspect::diagnosis::tests::stored;

    const MS: Duration = Duration::from_millis(1);

    /// A delivery that arrived `ms` after the first one on the connection from `port`.
    fn at(ms: u32, port: u16, deliveries: u32) -> StoredDelivery {
        let verdict = if ms == 0 { Verdict::Accepted } else { Verdict::Duplicate };
        let mut delivery = stored(verdict, None);
        delivery.row.received_at = Timestamp::from_secs(1_700_000_000).plus(MS * ms);
        delivery.row.duration_us = 1_000;
        delivery.connection = Connection { port: Some(port), deliveries };
        delivery
    }

    fn hung_up(mut delivery: StoredDelivery, ms: u32) -> StoredDelivery {
        delivery.hung_up = Some(MS * ms);
        delivery
    }

    fn said(before: &StoredDelivery, after: &StoredDelivery) -> String {
        ClientRepeat::of(before, after).map_or(String::new(), |repeat| repeat.sentence())
    }

    #[test]
    fn the_same_bytes_after_a_hang_up_are_a_repeat_by_the_client() {
        let first = hung_up(at(0, 4_000, 2), 1);
        assert_eq!(
            said(&first, &at(3, 4_001, 1)),
            "The client repeated the request on a new connection, 3 ms later: the first one closed before our response."
        );
        let overtaken = ClientRepeat {
            evidence: Evidence::Overtaken,
            ..ClientRepeat::of(&first, &at(3, 4_001, 1)).unwrap()
        };
        assert!(overtaken.is_certain() && overtaken.sentence().ends_with("the repeat was accepted first."));
        assert!(ClientRepeat::of(&first, &at(2_001, 4_001, 1)).is_some());
        assert_eq!(
            ClientRepeat::of(&first, &at(2_002, 4_001, 1)),
            None,
            "a sender that waits retries by itself"
        );
        assert!(ClientRepeat::of(&first, &at(3, 4_001, 7)).is_some(), "another connection of a pool");
        let late = hung_up(at(250, 4_000, 2), 0);
        assert_eq!(
            said(&late, &at(0, 4_001, 1)),
            "The client repeated the request on a new connection: the first one closed before our response."
        );
        assert_eq!(ClientRepeat::of(&hung_up(at(251, 4_000, 2), 0), &at(0, 4_001, 1)), None);
        assert_eq!(ClientRepeat::of(&first, &at(3, 4_000, 3)), None, "the same connection");
        let mut event = at(3, 4_001, 1);
        event.row.verdict = Verdict::Accepted;
        assert!(
            said(&first, &event)
                .ends_with(" Both are events, as they have no id by which a repeat is known.")
        );
        let mut proxied = at(3, 4_001, 1);
        proxied.headers.push("Via", b"1.1 p".to_vec());
        let mut first = first;
        assert_eq!(ClientRepeat::of(&first, &proxied), None, "another head");
        first.headers.push("Via", b"1.1 p".to_vec());
        assert!(said(&first, &proxied).starts_with("The client or a proxy repeated"));
        proxied.headers.push("X-Envoy-Attempt-Count", b"2".to_vec());
        assert!(ClientRepeat::of(&first, &proxied).is_some(), "a proxy counts its attempts");
        proxied.body = bytes::Bytes::from_static(b"[]");
        assert_eq!(ClientRepeat::of(&first, &proxied), None);
    }

    #[test]
    fn without_a_hang_up_a_repeat_is_said_with_its_other_cause_and_only_after_a_success() {
        let first = at(0, 4_000, 2);
        assert!(said(&first, &at(3, 4_001, 1)).ends_with("Or the sender sent it twice."));
        assert_eq!(
            ClientRepeat::of(&first, &at(0, 4_001, 1)),
            None,
            "before our response: two senders at once"
        );
        assert_eq!(ClientRepeat::of(&first, &at(2_002, 4_001, 1)), None);
        assert_eq!(ClientRepeat::of(&first, &hung_up(at(3, 4_001, 1), 0)), None, "it is repeated itself");
        let mut refused = first;
        refused.row.status = 503;
        assert_eq!(ClientRepeat::of(&refused, &at(3, 4_001, 1)), None, "it was told to try again");
        let mut unknown = at(0, 4_000, 0);
        assert_eq!(ClientRepeat::of(&unknown, &at(3, 4_001, 1)), None, "of an older release");
        unknown.connection = Connection { port: None, deliveries: 1 };
        let mut socket = at(3, 4_001, 1);
        socket.connection.port = None;
        assert!(ClientRepeat::of(&unknown, &socket).is_some(), "the first of its connection is on a new one");
        socket.connection.deliveries = 2;
        assert_eq!(ClientRepeat::of(&unknown, &socket), None);
    }
}
