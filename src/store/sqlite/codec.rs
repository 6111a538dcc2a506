//! How values are encoded in columns.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use bytes::Bytes;
use rusqlite::types::Type;
use rusqlite::{Error, Row};
use serde::{Deserialize, Serialize};

use crate::domain::{
    BodyEnd, Cause, Check, ClaimKey, ClientAddress, Connection, DeliveryId, DeliveryRow, Fault, Gate,
    Headers, Marks, Outcome, Reason, StoredDelivery, Timestamp, Unverified, Verdict,
};

/// The columns of a list row, in the order that `row` reads them.
pub const ROW_COLUMNS: &str = "d.seq, d.id, d.source, d.received_at, d.method, d.path, d.client_ip, d.event_type, \
     d.event_name, d.event_id, d.entity, d.verdict, d.reason, d.status, d.size_bytes, d.duration_us, d.duplicate_of, \
     (SELECT json_array(m.is_pinned, m.note, json(m.tags)) FROM delivery_marks m WHERE m.seq = d.seq), \
     (SELECT json_array(c.code, c.headline) FROM delivery_causes c WHERE c.seq = d.seq), d.unverified";
/// The number of columns in `ROW_COLUMNS`: the index of the next column.
pub const AFTER_ROW: usize = 20;
/// The marks of a delivery `d`.
pub const MARKS_COLUMN: &str =
    "(SELECT json_array(m.is_pinned, m.note, json(m.tags)) FROM delivery_marks m WHERE m.seq = d.seq)";

/// The number of a verdict in the store.
pub const fn verdict_number(verdict: Verdict) -> i64 {
    match verdict {
        Verdict::Accepted => 0,
        Verdict::Duplicate => 1,
        Verdict::Rejected => 2,
        Verdict::Captured => 3,
        Verdict::Handshake => 4,
    }
}

pub fn verdict(number: i64) -> Option<Verdict> {
    Verdict::ALL.into_iter().find(|verdict| verdict_number(*verdict) == number)
}

/// An address as sixteen bytes, with IPv4 mapped to IPv6, so that address ranges are byte ranges.
pub fn address_bytes(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
        IpAddr::V6(address) => address.octets(),
    }
}

fn address(bytes: [u8; 16]) -> IpAddr {
    Ipv6Addr::from(bytes).to_canonical()
}

/// `Name: value\r\n` for each line. Names and values cannot contain line breaks, so the encoding is lossless.
pub fn header_block(headers: &Headers) -> Vec<u8> {
    let mut block = Vec::new();
    for header in headers.iter() {
        block.extend_from_slice(header.name.as_bytes());
        block.extend_from_slice(b": ");
        block.extend_from_slice(&header.value);
        block.extend_from_slice(b"\r\n");
    }
    block
}

/// The lines of a header block.
pub fn headers(block: &[u8]) -> Headers {
    let mut headers = Headers::default();
    let mut rest = block;
    while let Some(end) = memchr::memmem::find(rest, b"\r\n") {
        let (line, after) = rest.split_at(end);
        if let Some(colon) = memchr::memmem::find(line, b": ") {
            let (name, value) = line.split_at(colon);
            headers.push(String::from_utf8_lossy(name), value.get(2..).unwrap_or_default());
        }
        rest = after.get(2..).unwrap_or_default();
    }
    headers
}

/// A check as stored: its place identifies the check, and trailing empty fields are omitted.
#[derive(Serialize, Deserialize)]
struct KeptCheck<'a>(
    u8,
    u32,
    #[serde(borrow)] Cow<'a, str>,
    Cow<'a, str>,
    Option<Reason>,
    Cow<'a, [Fault]>,
    Cow<'a, [String]>,
);

const OUTCOMES: [Outcome; 3] = [Outcome::Pass, Outcome::Fail, Outcome::Skipped];

/// Encodes the checks in a short form, since every delivery has seven.
pub fn checks_text(checks: &[Check]) -> Result<String, serde_json::Error> {
    let number =
        |outcome| OUTCOMES.iter().position(|known| *known == outcome).and_then(|at| u8::try_from(at).ok());
    let kept: Vec<KeptCheck<'_>> = checks
        .iter()
        .map(|check| {
            KeptCheck(
                number(check.outcome).unwrap_or_default(),
                check.duration_us,
                Cow::Borrowed(&check.seen),
                Cow::Borrowed(&check.rule),
                check.reason,
                Cow::Borrowed(&check.faults),
                Cow::Borrowed(&check.notes),
            )
        })
        .collect();
    serde_json::to_string(&kept)
}

fn checks(text: &str) -> Option<Vec<Check>> {
    let kept: Vec<KeptCheck<'_>> = serde_json::from_str(text).ok()?;
    let checks = Gate::ALL.into_iter().zip(kept).map(|(gate, kept)| {
        let KeptCheck(outcome, duration_us, seen, rule, reason, faults, notes) = kept;
        Some(Check {
            gate,
            outcome: *OUTCOMES.get(usize::from(outcome))?,
            reason,
            seen: seen.into_owned(),
            rule: rule.into_owned(),
            duration_us,
            faults: faults.into_owned(),
            notes: notes.into_owned(),
        })
    });
    checks.collect()
}

/// Reads a list row from the columns of `ROW_COLUMNS`.
pub fn row(row: &Row<'_>) -> rusqlite::Result<DeliveryRow> {
    let reason: Option<String> = row.get(12)?;
    Ok(DeliveryRow {
        seq: row.get(0)?,
        id: DeliveryId::from_bytes(row.get(1)?),
        source: row.get(2)?,
        received_at: Timestamp::from_micros(row.get(3)?),
        method: row.get(4)?,
        path: row.get(5)?,
        client_ip: address(row.get(6)?),
        event_type: row.get(7)?,
        event_name: row.get(8)?,
        event_id: row.get(9)?,
        entity: row.get(10)?,
        verdict: verdict(row.get(11)?).ok_or_else(|| unreadable(11, Type::Integer))?,
        reason: match reason {
            Some(word) => Some(Reason::from_word(&word).ok_or_else(|| unreadable(12, Type::Text))?),
            None => None,
        },
        status: row.get(13)?,
        size_bytes: row.get::<_, i64>(14)?.unsigned_abs(),
        duration_us: row.get::<_, i64>(15)?.unsigned_abs(),
        duplicate_of: row.get::<_, Option<[u8; 16]>>(16)?.map(DeliveryId::from_bytes),
        marks: marks(row, 17)?,
        cause: cause(row, 18)?,
        unverified: unverified(row, 19)?,
    })
}

/// Reads `MARKS_COLUMN`.
pub fn marks(row: &Row<'_>, at: usize) -> rusqlite::Result<Marks> {
    let Some(text) = row.get::<_, Option<String>>(at)? else { return Ok(Marks::default()) };
    let (is_pinned, note, tags): (u8, Option<String>, Vec<String>) =
        serde_json::from_str(&text).map_err(|_| unreadable(at, Type::Text))?;
    Ok(Marks { is_pinned: is_pinned != 0, note, tags })
}

fn cause(row: &Row<'_>, at: usize) -> rusqlite::Result<Option<Cause>> {
    let Some(text) = row.get::<_, Option<String>>(at)? else { return Ok(None) };
    let (code, headline) = serde_json::from_str(&text).map_err(|_| unreadable(at, Type::Text))?;
    Ok(Some(Cause { code, headline }))
}

/// The contents of an unread body as stored; `None` if it is empty.
pub fn unverified_text(said: &Unverified) -> Option<String> {
    if said.is_empty() {
        return None;
    }
    serde_json::to_string(&(&said.event, &said.id, &said.device, &said.device_name)).ok()
}

fn unverified(row: &Row<'_>, at: usize) -> rusqlite::Result<Unverified> {
    let Some(text) = row.get::<_, Option<String>>(at)? else { return Ok(Unverified::default()) };
    let (event, id, device, device_name) =
        serde_json::from_str(&text).map_err(|_| unreadable(at, Type::Text))?;
    Ok(Unverified { event, id, device, device_name })
}

/// The columns of a whole delivery in addition to those of its list row.
pub const BYTES_COLUMNS: &str = "b.http_version, b.peer_ip, b.explanation, b.headers, b.body, b.body_end, b.checks, \
     b.first_received_at, b.peer_port, b.connection_deliveries, d.hung_up_us";

/// Reads a whole delivery from `ROW_COLUMNS` and `BYTES_COLUMNS`.
pub fn stored(found: &Row<'_>) -> rusqlite::Result<StoredDelivery> {
    let row = row(found)?;
    let body_end: String = found.get(25)?;
    let kept: String = found.get(26)?;
    let first_received_at: Option<i64> = found.get(27)?;
    let mut checks = checks(&kept).ok_or_else(|| unreadable(26, Type::Text))?;
    tell_claim(&mut checks, &row, first_received_at.map(Timestamp::from_micros));
    Ok(StoredDelivery {
        http_version: found.get(20)?,
        client: ClientAddress {
            ip: row.client_ip,
            peer: address(found.get(21)?),
            explanation: found.get(22)?,
        },
        connection: Connection {
            port: found.get(28)?,
            deliveries: found.get::<_, Option<u32>>(29)?.unwrap_or_default(),
        },
        hung_up: found.get::<_, Option<i64>>(30)?.map(|micros| Duration::from_micros(micros.unsigned_abs())),
        headers: headers(found.get_ref(23)?.as_blob()?),
        body: Bytes::copy_from_slice(found.get_ref(24)?.as_blob()?),
        body_end: BodyEnd::ALL
            .into_iter()
            .find(|end| end.as_str() == body_end)
            .ok_or_else(|| unreadable(25, Type::Text))?,
        checks,
        row,
    })
}

/// Fills in the last check. It was written before the store knew the result of the claim; the row knows it.
fn tell_claim(checks: &mut [Check], row: &DeliveryRow, first_received_at: Option<Timestamp>) {
    let (Some(check), Some(first)) = (checks.last_mut(), row.duplicate_of) else { return };
    let when = first_received_at.map_or(String::new(), |time| format!(" at {time}"));
    if row.reason == Some(Reason::IdConflict) {
        check.outcome = Outcome::Fail;
        check.reason = row.reason;
        check.seen = format!("{}: accepted{when} as delivery {first}, with another body", check.seen);
    } else {
        check.seen = format!("{}: first accepted{when} as delivery {first}", check.seen);
    }
}

fn unreadable(column: usize, kind: Type) -> Error {
    Error::InvalidColumnType(column, "a value that this program does not know".to_owned(), kind)
}

/// A claim's key as bytes: a letter for the kind, then the id or the digest.
pub fn key_bytes(key: &ClaimKey) -> Vec<u8> {
    let (kind, rest): (u8, &[u8]) = match key {
        ClaimKey::Id(id) => (b'i', id.as_bytes()),
        ClaimKey::Points(digest) => (b'p', digest),
        ClaimKey::Values(digest) => (b'v', digest),
        ClaimKey::Body(digest) => (b'b', digest),
    };
    let mut bytes = Vec::with_capacity(rest.len().saturating_add(1));
    bytes.push(kind);
    bytes.extend_from_slice(rest);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Header;

    fn line(name: &str, value: &[u8]) -> Header {
        Header { name: name.to_owned(), value: value.to_vec() }
    }

    #[test]
    fn a_header_block_gives_back_every_line() {
        let lines: Headers = [line("X-Weird", b"a: b\xff\x80"), line("x-weird", b""), line("Accept", b"*/*")]
            .into_iter()
            .collect();
        assert_eq!(headers(&header_block(&lines)), lines);
    }

    #[test]
    fn addresses_keep_their_family() {
        for text in ["203.0.113.7", "2001:db8::1", "::1", "0.0.0.0"] {
            let seen: IpAddr = text.parse().unwrap();
            assert_eq!(address(address_bytes(seen)), seen);
        }
    }
}
