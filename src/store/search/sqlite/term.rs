//! The search terms of a delivery: the values of its fields, and the trigrams of its text.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::domain::{Reason, Verdict};
use crate::store::log::encoding::address_bytes;

/// The number of classes of text bytes; three consecutive classes form a term.
pub const CLASSES: u32 = 48;
/// Longer values are cut to this length, in bytes.
const MAX_VALUE: usize = 120;
/// The IPv4 prefix lengths that are indexed, in bits.
const V4_BITS: [u8; 4] = [32, 24, 16, 8];
/// The IPv6 prefix lengths that are indexed, in bits.
const V6_BITS: [u8; 4] = [128, 64, 48, 32];

/// The kind of a term: its first byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    BodyText,
    HeadText,
    Address,
    Entity,
    EventId,
    EventType,
    HeaderName,
    Method,
    Reason,
    Source,
    Status,
    Verdict,
}

impl Kind {
    const fn letter(self) -> u8 {
        match self {
            Self::BodyText => b'B',
            Self::HeadText => b'H',
            Self::Address => b'a',
            Self::Entity => b'e',
            Self::EventId => b'i',
            Self::EventType => b't',
            Self::HeaderName => b'n',
            Self::Method => b'm',
            Self::Reason => b'r',
            Self::Source => b's',
            Self::Status => b'c',
            Self::Verdict => b'v',
        }
    }

    /// The term of a value, and whether it identifies exactly that value.
    pub fn value(self, value: &[u8]) -> (Vec<u8>, bool) {
        let kept = value.get(..MAX_VALUE).unwrap_or(value);
        let mut term = Vec::with_capacity(kept.len().saturating_add(1));
        term.push(self.letter());
        term.extend_from_slice(kept);
        (term, value.len() < MAX_VALUE)
    }

    /// The term of three classes.
    pub fn letters(self, bucket: u32) -> [u8; 4] {
        let [_, high, middle, low] = bucket.to_be_bytes();
        [self.letter(), high, middle, low]
    }

    /// Reads what `letters` wrote.
    pub fn bucket(term: &[u8]) -> Option<(Self, usize)> {
        let (letter, [high, middle, low]) = term.split_first()? else { return None };
        let kind = [Self::BodyText, Self::HeadText].into_iter().find(|kind| kind.letter() == *letter)?;
        let bucket = u32::from_be_bytes([0, *high, *middle, *low]);
        Some((kind, usize::try_from(bucket).ok()?))
    }
}

pub fn verdict(verdict: Verdict) -> Vec<u8> {
    Kind::Verdict.value(verdict.as_str().as_bytes()).0
}

pub fn reason(reason: Reason) -> Vec<u8> {
    Kind::Reason.value(reason.as_str().as_bytes()).0
}

pub fn status(status: u16) -> Vec<u8> {
    Kind::Status.value(&status.to_be_bytes()).0
}

/// The terms of an address: the address and the ranges that contain it.
pub fn addresses(address: IpAddr) -> impl Iterator<Item = Vec<u8>> {
    prefixes(address)
        .into_iter()
        .filter_map(move |bits| IpNet::new(address, bits).ok())
        .map(|range| range_term(range.trunc()))
}

/// The term of the narrowest indexed range around `range`, and whether both are equal; `None` if `range` is too wide.
pub fn address_range(range: IpNet) -> Option<(Vec<u8>, bool)> {
    let bits = prefixes(range.addr()).into_iter().find(|bits| *bits <= range.prefix_len())?;
    let wider = IpNet::new(range.addr(), bits).ok()?.trunc();
    Some((range_term(wider), bits == range.prefix_len()))
}

const fn prefixes(address: IpAddr) -> [u8; 4] {
    match address {
        IpAddr::V4(_) => V4_BITS,
        IpAddr::V6(_) => V6_BITS,
    }
}

fn range_term(range: IpNet) -> Vec<u8> {
    let mut value = vec![range.prefix_len()];
    value.extend(address_bytes(range.addr()));
    Kind::Address.value(&value).0
}

/// The class of each byte of folded text.
const CLASS: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = 0_u8;
    let mut left: &mut [u8] = &mut classes;
    while let Some((class, rest)) = left.split_first_mut() {
        *class = class_of(byte);
        byte = byte.wrapping_add(1);
        left = rest;
    }
    classes
};

const fn class_of(byte: u8) -> u8 {
    match byte {
        b'a'..=b'z' => byte.saturating_sub(b'a'),
        b'0'..=b'9' => byte.saturating_sub(b'0').saturating_add(26),
        0..=b' ' | 0x7f => 36,
        b'"' | b'\'' | b',' | b':' | b'{' | b'}' | b'[' | b']' => 37,
        b'-' | b'_' | b'.' => 38,
        0x80.. => (byte & 7).saturating_add(40),
        _ => 39,
    }
}

fn class(byte: u8) -> u32 {
    CLASS.get(usize::from(byte)).copied().map_or(0, u32::from)
}

/// Each trigram of folded text, with its end padded by blanks.
pub fn buckets(text: &[u8]) -> impl Iterator<Item = u32> + '_ {
    let mut before = (0, 0);
    let padded = text.iter().copied().chain([b' ', b' ']).map(class);
    padded.enumerate().filter_map(move |(at, third)| {
        let (first, second) = before;
        before = (second, third);
        (at >= 2).then(|| bucket(first, second, third))
    })
}

const fn bucket(first: u32, second: u32, third: u32) -> u32 {
    first.saturating_mul(CLASSES).saturating_add(second).saturating_mul(CLASSES).saturating_add(third)
}

/// How a needle is looked up.
pub enum Lookup {
    /// It is too short to narrow the search.
    Nothing,
    /// Any of these consecutive buckets.
    Any(u32, u32),
    /// All of these.
    All(Vec<u32>),
}

/// How folded text is looked up.
pub fn lookup(needle: &[u8]) -> Lookup {
    match needle {
        [] | [_] => Lookup::Nothing,
        [first, second] => {
            let start = bucket(class(*first), class(*second), 0);
            Lookup::Any(start, start.saturating_add(CLASSES).saturating_sub(1))
        }
        _ => {
            let within = buckets(needle).take(needle.len().saturating_sub(2));
            let mut all: Vec<u32> = within.collect();
            all.sort_unstable();
            all.dedup();
            Lookup::All(all)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_text_holds_its_terms_hold() {
        let text = "{\"tag\":\"co2\",\"ü\":1.5}日本";
        let terms: Vec<u32> = buckets(text.as_bytes()).collect();
        for needle in ["co2", "\"co2\"", "ü\":1", "日本", "本", "1.5}", "日"] {
            let Lookup::All(all) = lookup(needle.as_bytes()) else { panic!("{needle}") };
            assert!(all.iter().all(|bucket| terms.contains(bucket)), "{needle}");
        }
        let Lookup::Any(first, last) = lookup(b"co") else { panic!() };
        assert!(terms.iter().any(|bucket| (first..=last).contains(bucket)));
        let last_letters: Vec<u32> = buckets(b"ab").collect();
        let Lookup::Any(first, last) = lookup(b"ab") else { panic!() };
        assert!(last_letters.iter().any(|bucket| (first..=last).contains(bucket)));
        assert!(buckets(&[0xff; 9]).all(|bucket| bucket < CLASSES.pow(3)));
    }

    #[test]
    fn an_address_is_found_by_the_ranges_it_lies_in() {
        for (address, range, is_exact) in [
            ("203.0.113.9", "203.0.113.9/32", true),
            ("203.0.113.9", "203.0.113.0/24", true),
            ("203.0.113.9", "203.0.113.8/29", false),
            ("203.0.113.9", "203.0.0.0/12", false),
            ("2001:db8::1", "2001:db8::/32", true),
            ("2001:db8::1", "2001:db8::/50", false),
        ] {
            let (term, exact) = address_range(range.parse().unwrap()).unwrap();
            let address: IpAddr = address.parse().unwrap();
            assert!(addresses(address).any(|known| known == term), "{range}");
            assert_eq!(exact, is_exact, "{range}");
        }
        assert!(address_range("0.0.0.0/0".parse().unwrap()).is_none());
        assert!(address_range("::/0".parse().unwrap()).is_none());
    }
}
