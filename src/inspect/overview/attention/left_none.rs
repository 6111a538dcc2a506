//! Requests that look like deliveries and became none.

use super::line::{Attention, Topic};
use crate::domain::counted;
use crate::telemetry::{NotKept, PortName, RefusedKind};

/// Requests of one cause, with one cure, at one port.
struct Group<'k> {
    cause: NotKept,
    port: PortName,
    cure: &'k str,
    kinds: Vec<&'k RefusedKind>,
}

impl Group<'_> {
    fn count(&self) -> u64 {
        self.kinds.iter().map(|kind| kind.count).fold(0, u64::saturating_add)
    }
}

/// A wrong path or method has a cure that depends on the request; all malformed requests have the same.
fn cure(kind: &RefusedKind) -> &str {
    let is_particular = matches!(kind.newest.cause, NotKept::Path | NotKept::Method);
    if is_particular { &kind.newest.detail } else { "" }
}

/// One line for each cause and fix, from all senders, the most frequent first.
pub fn left_none(refused: &[RefusedKind]) -> Vec<Attention> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for kind in refused {
        let (cause, port) = (kind.newest.cause, kind.newest.port);
        let cure = cure(kind);
        match groups.iter_mut().find(|group| (group.cause, group.port, group.cure) == (cause, port, cure)) {
            Some(group) => group.kinds.push(kind),
            None => groups.push(Group { cause, port, cure, kinds: vec![kind] }),
        }
    }
    groups.sort_by_key(|group| std::cmp::Reverse(group.count()));
    groups.iter().filter_map(told).collect()
}

fn told(group: &Group<'_>) -> Option<Attention> {
    let latest = group.kinds.iter().max_by_key(|kind| (kind.last, kind.id))?;
    let since = group.kinds.iter().map(|kind| kind.first).min();
    let count = group.count();
    let (requests, were) = (counted(count, "request"), if count == 1 { "was" } else { "were" });
    let place = latest.newest.place();
    let place = if place.is_empty() { String::new() } else { format!("{place}. ") };
    let sentence = format!(
        "{requests} {were} refused before becoming a delivery: {}. Latest: {place}{}",
        cause_in_words(group.cause, group.port),
        latest.newest.detail,
    );
    Some(Attention::new(Topic::Request, sentence.trim_end().to_owned(), since, "/refusals"))
}

fn cause_in_words(cause: NotKept, port: PortName) -> &'static str {
    match (cause, port) {
        (NotKept::Path, PortName::Inspector) => "sent to the inspector's port",
        (NotKept::Path, PortName::Receiver) => "unknown path",
        (NotKept::Method, _) => "wrong method",
        (NotKept::BadTarget | NotKept::BadRequestLine, _) => "malformed URL or request line",
        (NotKept::BadHeader, _) => "malformed header",
        (NotKept::HeadTooLarge, _) => "headers too large",
        (NotKept::SlowHead, _) => "headers too slow",
        (NotKept::NotHttp, _) => "not HTTP",
        (NotKept::TlsHandshake, _) => "failed TLS handshakes",
        (NotKept::BadChunk, _) => "malformed body chunks",
        (NotKept::Stopping, _) => "arrived during a stop",
        (NotKept::Fault, _) => "a fault in the program",
        (NotKept::RefusedRate | NotKept::CaptureRate, _) => "rate limit",
        (NotKept::Overloaded, _) => "overloaded",
        (NotKept::StoreFault, _) => "storage unavailable",
    }
}
