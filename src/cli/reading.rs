//! What a source would read from a request: the event's type and id, according to the receiver's own checks.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use bytes::Bytes;

use crate::app;
use crate::config::Config;
use crate::domain::{
    Arrival, BodyEnd, ClientAddress, Clock as _, Connection, DeliveryId, EventFacts, Headers, Outcome,
    Source, Transfer,
};
use crate::receive::{Masking, Receiver, Trace};
use crate::telemetry::SystemClock;

/// Describes the event that `source` would read, in one or more lines.
///
/// # Errors
/// When a schema in `schemas_dir` is invalid.
pub fn lines(
    config: &Config,
    source: &Source,
    target: String,
    headers: Headers,
    body: Bytes,
) -> anyhow::Result<Vec<String>> {
    let catalog = Arc::new(app::read_catalog(config)?);
    // Nothing is stored, so nothing is masked.
    let masking = Arc::new(Masking::new([0; 32]));
    let receiver = Receiver::new(vec![source.clone()], catalog, masking, config.receiver.max_body);
    let now = SystemClock.wall();
    let here = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let arrival = Arrival {
        id: DeliveryId::new_at(now),
        received_at: now,
        method: "POST".to_owned(),
        target,
        http_version: "HTTP/1.1",
        client: ClientAddress { ip: here, peer: here, explanation: String::new() },
        headers,
        body,
        connection: Connection::default(),
        body_end: BodyEnd::Complete,
        transfer: Transfer::default(),
    };
    let (mut trace, mut facts) = (Trace::start(), EventFacts::default());
    let refused = receiver.read(source, &arrival, now, &mut trace, &mut facts).err();
    let name = facts.event_type.as_deref().unwrap_or("unknown");
    let id = facts.event_id.map_or_else(|| "no id".to_owned(), |id| format!("id {id}"));
    let mut lines = vec![match refused {
        None => format!("event: {name}, {id}"),
        Some(reason) => {
            let failed = trace.checks().iter().find(|check| check.outcome == Outcome::Fail);
            let seen = failed.map_or("", |check| check.seen.as_str());
            format!("event: would be refused ({}): {seen}", reason.as_str())
        }
    }];
    lines.extend(trace.checks().iter().flat_map(|check| &check.notes).map(|note| format!("  {note}")));
    Ok(lines)
}
