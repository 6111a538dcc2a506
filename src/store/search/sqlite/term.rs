//! The search terms of a delivery.
//!
//! A value of a field that has few values, such as the verdict, is a term of its own. Trigrams of its text, and values that may
//! all differ, such as event ids, are hashed to a fixed number of slices: a slice is a term that many of them share. So
//! the index of a segment has the same size whatever is sent, and is quick to build. A query looks up all slices of what it asks
//! for; rows that have them by chance are sorted out when the row is read. (The idea is that of bit-sliced block signatures, as
//! in BitFunnel, SIGIR 2017.)

use std::net::IpAddr;

use ipnet::IpNet;

use crate::domain::{Reason, Verdict};
use crate::store::log::encoding::address_bytes;

/// The number of classes of text bytes; three consecutive classes form a trigram.
const CLASSES: u32 = 48;
/// The slices of a value.
const SLICES_OF_A_VALUE: u32 = 4;
/// Longer values are cut to this length, in bytes.
const MAX_VALUE: usize = 120;
/// The IPv4 prefix lengths that are indexed, in bits.
const V4_BITS: [u8; 4] = [32, 24, 16, 8];
/// The IPv6 prefix lengths that are indexed, in bits.
const V6_BITS: [u8; 4] = [128, 64, 48, 32];

/// The kind of a term: its first byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    EventType,
    Method,
    Reason,
    Source,
    Status,
    Verdict,
}

impl Kind {
    const fn letter(self) -> u8 {
        match self {
            Self::EventType => b't',
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
}

/// What is hashed to slices of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hashed {
    /// Trigrams of the body.
    Body,
    /// Trigrams of the headers, the path and the names.
    Head,
    /// Values of fields that may all differ, and names of headers.
    Value,
}

impl Hashed {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Body, Self::Head, Self::Value];

    const fn letter(self) -> u8 {
        match self {
            Self::Body => b'B',
            Self::Head => b'H',
            Self::Value => b'V',
        }
    }

    /// The number of slices, as a power of two. Bodies have the most different trigrams: a slice should be in few rows.
    const fn bits(self) -> u32 {
        match self {
            Self::Body => 12,
            Self::Head | Self::Value => 11,
        }
    }

    /// The number of slices.
    pub fn slices(self) -> usize {
        1 << self.bits()
    }

    /// The term of a slice.
    pub const fn term(self, slice: u16) -> [u8; 3] {
        let [high, low] = slice.to_be_bytes();
        [self.letter(), high, low]
    }

    /// Reads what `term` wrote.
    pub fn slice(term: &[u8]) -> Option<(Self, usize)> {
        let [letter, high, low] = *term else { return None };
        let hashed = Self::ALL.into_iter().find(|hashed| hashed.letter() == letter)?;
        Some((hashed, usize::from(u16::from_be_bytes([high, low]))))
    }

    /// The slices of the trigrams of folded text, with its end padded by blanks; a slice may occur twice.
    pub fn trigrams(self, text: &[u8]) -> impl Iterator<Item = u16> + '_ {
        trigrams(text).map(move |trigram| self.spread(trigram))
    }

    /// The slices that a row has which contains `needle`; `None` if it is too short to narrow the search.
    pub fn needle(self, needle: &[u8]) -> Option<Vec<u16>> {
        let inner = needle.len().checked_sub(2).filter(|inner| *inner > 0)?;
        let mut slices: Vec<u16> = self.trigrams(needle).take(inner).collect();
        slices.sort_unstable();
        slices.dedup();
        Some(slices)
    }

    /// Neighbours are spread over all slices.
    fn spread(self, number: u32) -> u16 {
        let mixed = number.wrapping_mul(0x9e37_79b1) >> 32_u32.saturating_sub(self.bits());
        u16::try_from(mixed).unwrap_or_default()
    }
}

/// A field whose values may all differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    Address,
    Entity,
    EventId,
    HeaderName,
}

impl Field {
    const fn letter(self) -> u8 {
        match self {
            Self::Address => b'a',
            Self::Entity => b'e',
            Self::EventId => b'i',
            Self::HeaderName => b'n',
        }
    }

    /// The slices of a value.
    pub fn slices(self, value: &[u8]) -> impl Iterator<Item = u16> + use<> {
        // FNV-1a: the index outlives this process, and the hash must not change with a library.
        let hash = [self.letter()].iter().chain(value).fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        });
        (0..SLICES_OF_A_VALUE).map(move |nth| {
            let part = hash.rotate_left(nth.saturating_mul(16));
            Hashed::Value.spread(u32::try_from(part >> 32).unwrap_or_default())
        })
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

/// The ranges that contain an address, as values of `Field::Address`: the address alone, and wider ones.
pub fn ranges(address: IpAddr) -> impl Iterator<Item = Vec<u8>> {
    prefixes(address)
        .into_iter()
        .filter_map(move |bits| IpNet::new(address, bits).ok())
        .map(|range| range_value(range.trunc()))
}

/// The narrowest of them around `range`; `None` if `range` is too wide.
pub fn range_around(range: IpNet) -> Option<Vec<u8>> {
    let bits = prefixes(range.addr()).into_iter().find(|bits| *bits <= range.prefix_len())?;
    Some(range_value(IpNet::new(range.addr(), bits).ok()?.trunc()))
}

const fn prefixes(address: IpAddr) -> [u8; 4] {
    match address {
        IpAddr::V4(_) => V4_BITS,
        IpAddr::V6(_) => V6_BITS,
    }
}

fn range_value(range: IpNet) -> Vec<u8> {
    let mut value = vec![range.prefix_len()];
    value.extend(address_bytes(range.addr()));
    value
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
fn trigrams(text: &[u8]) -> impl Iterator<Item = u32> + '_ {
    let mut before = (0, 0);
    let padded = text.iter().copied().chain([b' ', b' ']).map(class);
    padded.enumerate().filter_map(move |(at, third)| {
        let (first, second) = before;
        before = (second, third);
        (at >= 2).then(|| trigram(first, second, third))
    })
}

const fn trigram(first: u32, second: u32, third: u32) -> u32 {
    first.saturating_mul(CLASSES).saturating_add(second).saturating_mul(CLASSES).saturating_add(third)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_text_holds_its_slices_hold() {
        let text = "{\"tag\":\"co2\",\"ü\":1.5}日本";
        for hashed in [Hashed::Body, Hashed::Head] {
            let slices: Vec<u16> = hashed.trigrams(text.as_bytes()).collect();
            assert!(slices.iter().all(|slice| usize::from(*slice) < hashed.slices()));
            for needle in ["co2", "\"co2\"", "ü\":1", "日本", "本", "1.5}", "日"] {
                let needed = hashed.needle(needle.as_bytes()).unwrap();
                assert!(!needed.is_empty() && needed.iter().all(|slice| slices.contains(slice)), "{needle}");
            }
            assert!(["", "c", "co"].iter().all(|needle| hashed.needle(needle.as_bytes()).is_none()));
        }
    }

    #[test]
    fn trigrams_and_values_are_spread_evenly() {
        let mut rows = vec![0_u32; Hashed::Body.slices()];
        for trigram in 0..CLASSES.pow(3) {
            rows[usize::from(Hashed::Body.spread(trigram))] += 1;
        }
        assert!(rows.iter().all(|trigrams| (20..=34).contains(trigrams)), "{:?}", rows.iter().max());
        let mut rows = vec![0_u32; Hashed::Value.slices()];
        for number in 0..20_000_u32 {
            for slice in Field::EventId.slices(format!("evt_{number}").as_bytes()) {
                rows[usize::from(slice)] += 1;
            }
        }
        assert!(
            rows.iter().all(|values| (8..90).contains(values)),
            "{:?}",
            (rows.iter().min(), rows.iter().max())
        );
    }

    #[test]
    fn the_hash_of_a_value_never_changes() {
        let slices = |field: Field| field.slices(b"evt_1").collect::<Vec<_>>();
        assert_ne!(slices(Field::EventId), slices(Field::Entity));
        assert_eq!(slices(Field::EventId), [1_435, 389, 1_707, 926]);
        assert_eq!(Hashed::slice(&Hashed::Head.term(1_234)), Some((Hashed::Head, 1_234)));
        assert_eq!(Hashed::slice(&Kind::Verdict.value(b"accepted").0), None);
    }

    #[test]
    fn an_address_is_found_by_the_ranges_it_lies_in() {
        for (address, range) in [
            ("203.0.113.9", "203.0.113.9/32"),
            ("203.0.113.9", "203.0.113.0/24"),
            ("203.0.113.9", "203.0.113.8/29"),
            ("203.0.113.9", "203.0.0.0/12"),
            ("2001:db8::1", "2001:db8::/32"),
            ("2001:db8::1", "2001:db8::/50"),
        ] {
            let around = range_around(range.parse().unwrap()).unwrap();
            let address: IpAddr = address.parse().unwrap();
            assert!(ranges(address).any(|known| known == around), "{range}");
        }
        assert!(range_around("0.0.0.0/0".parse().unwrap()).is_none());
        assert!(range_around("::/0".parse().unwrap()).is_none());
    }
}
