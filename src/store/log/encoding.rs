//! How the values of a delivery are encoded in columns. Every engine uses this encoding.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv6Addr};

use serde::{Deserialize, Serialize};

use crate::domain::{
    Check, ClaimKey, DeliveryRow, Fault, Gate, Headers, Outcome, Reason, Timestamp, Unverified, Verdict,
};

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

/// The verdict with this number.
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

/// The address in sixteen bytes.
pub fn address(bytes: [u8; 16]) -> IpAddr {
    Ipv6Addr::from(bytes).to_canonical()
}

/// `Name: value\r\n` for each line. Names and values cannot contain line breaks, so the encoding is lossless.
pub fn header_block(headers: &Headers) -> Vec<u8> {
    let length = headers.iter().map(|header| header.name.len().saturating_add(header.value.len() + 4)).sum();
    let mut block = Vec::with_capacity(length);
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

/// The checks in their short form; `None` if they are unreadable.
pub fn checks(text: &str) -> Option<Vec<Check>> {
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

/// The contents of an unread body as stored; `None` if it is empty.
pub fn unverified_text(said: &Unverified) -> Option<String> {
    if said.is_empty() {
        return None;
    }
    serde_json::to_string(&(&said.event, &said.id, &said.device, &said.device_name)).ok()
}

/// The contents of an unread body from its stored text; `None` if it is not one.
pub fn unverified(text: &str) -> Option<Unverified> {
    let (event, id, device, device_name) = serde_json::from_str(text).ok()?;
    Some(Unverified { event, id, device, device_name })
}

/// Fills in the last check. It was written before the store knew the result of the claim; the row knows it. An imported
/// delivery has the whole check.
pub fn complete_last_check(checks: &mut [Check], row: &DeliveryRow, first_received_at: Option<Timestamp>) {
    let (Some(check), Some(first), false) = (checks.last_mut(), row.duplicate_of, row.id.is_imported())
    else {
        return;
    };
    let when = first_received_at.map_or(String::new(), |time| format!(" at {time}"));
    if row.reason == Some(Reason::IdConflict) {
        check.outcome = Outcome::Fail;
        check.reason = row.reason;
        check.seen = format!("{}: accepted{when} as delivery {first}, with another body", check.seen);
    } else {
        check.seen = format!("{}: first accepted{when} as delivery {first}", check.seen);
    }
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
