//! The search terms of a delivery.
//!
//! A value of a field that has few values, such as the verdict, is a term of its own. Trigrams of its text, four digits in a row, and values that may
//! all differ, such as event ids, are hashed to a fixed number of slices: many of them share a slice. So
//! the index of a segment has the same size whatever is sent, and is quick to build. A query looks up all slices of what it asks
//! for; rows that have them by chance are sorted out when the row is read. (The idea is that of bit-sliced block signatures, as
//! in BitFunnel, SIGIR 2017.)

use std::net::IpAddr;

use ipnet::IpNet;

use crate::domain::{Reason, Verdict};
use crate::store::log::encoding::address_bytes;

/// The number of classes of text bytes; three consecutive classes form a trigram.
const CLASSES: u32 = 48;
/// The class of the digit zero. The other digits follow.
const DIGITS: u32 = 26;
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

/// What is hashed to slices of its own. A slice has a number, below `SLICES`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hashed {
    /// Text of the body.
    Body,
    /// Text of the headers, the path and the names.
    Head,
    /// Values of fields that may all differ, and names of headers.
    Value,
}

/// The number of slices.
pub const SLICES: usize = 10_240;

impl Hashed {
    /// The first of its slices.
    const fn first(self) -> u16 {
        match self {
            Self::Body => 0,
            Self::Head => 4_096,
            Self::Value => 8_192,
        }
    }

    /// The number of its slices, as a power of two.
    const fn bits(self) -> u32 {
        match self {
            Self::Body | Self::Head => 12,
            Self::Value => 11,
        }
    }

    /// The slices of folded text: of its trigrams, with its end padded by blanks, and of four digits in a row. A slice may occur
    /// twice.
    pub fn each(self, text: &[u8], mut slice: impl FnMut(u16)) {
        let mut last = [0; 4];
        let mut digits = 0_u32;
        for (at, byte) in text.iter().copied().chain([b' ', b' ']).enumerate() {
            let [_, first, second, third] = last;
            last = [first, second, third, class(byte)];
            if at >= 2 {
                slice(self.spread(trigram(second, third, class(byte))));
            }
            digits = (digits << 1) | u32::from(byte.is_ascii_digit());
            if digits & 0b1111 == 0b1111 {
                slice(self.spread(four_digits(last)));
            }
        }
    }

    /// The slices that a row has which contains `needle`; `None` if it is too short to narrow the search.
    pub fn needle(self, needle: &[u8]) -> Option<Vec<u16>> {
        let classes: Vec<u32> = needle.iter().copied().map(class).collect();
        let trigrams = classes.array_windows().map(|[first, second, third]| trigram(*first, *second, *third));
        let runs = needle.array_windows().zip(classes.array_windows());
        let runs = runs.filter(|(bytes, _): &(&[u8; 4], _)| bytes.iter().all(u8::is_ascii_digit));
        let terms = trigrams.chain(runs.map(|(_, classes)| four_digits(*classes)));
        let mut slices: Vec<u16> = terms.map(|term| self.spread(term)).collect();
        if slices.is_empty() {
            return None;
        }
        slices.sort_unstable();
        slices.dedup();
        Some(slices)
    }

    /// Neighbours are spread over all slices.
    fn spread(self, number: u32) -> u16 {
        let mixed = number.wrapping_mul(0x9e37_79b1) >> 32_u32.wrapping_sub(self.bits());
        let [low, high, ..] = mixed.to_le_bytes();
        self.first() | u16::from_le_bytes([low, high])
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
    pub fn slices<I: IntoIterator<Item = u8>>(self, value: I) -> impl Iterator<Item = u16> + use<I> {
        // FNV-1a: the index outlives this process, and the hash must not change with a library.
        let bytes = std::iter::once(self.letter()).chain(value);
        let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
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

const fn trigram(first: u32, second: u32, third: u32) -> u32 {
    first.wrapping_mul(CLASSES).wrapping_add(second).wrapping_mul(CLASSES).wrapping_add(third)
}

/// The number of four digits, by their classes, after those of the trigrams. Three digits alone are in too many texts: ids, times
/// and hexadecimal numbers.
fn four_digits(classes: [u32; 4]) -> u32 {
    let number = classes
        .iter()
        .fold(0_u32, |number, class| number.wrapping_mul(10).wrapping_add(class.wrapping_sub(DIGITS)));
    CLASSES.pow(3).wrapping_add(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_text_holds_its_slices_hold() {
        let text = "{\"tag\":\"co2\",\"ü\":1.5,\"n\":20260309}日本";
        for hashed in [Hashed::Body, Hashed::Head] {
            let mut slices = Vec::new();
            hashed.each(text.as_bytes(), |slice| slices.push(slice));
            let end = hashed.first() + (1 << hashed.bits());
            assert!(slices.iter().all(|slice| (hashed.first()..end).contains(slice)));
            for needle in ["co2", "\"co2\"", "ü\":1", "日本", "本", "1.5,", "日", "2026", "0309}", "20260309"]
            {
                let needed = hashed.needle(needle.as_bytes()).unwrap();
                assert!(!needed.is_empty() && needed.iter().all(|slice| slices.contains(slice)), "{needle}");
            }
            assert_eq!(hashed.needle(b"20260309").unwrap().len(), 6 + 5);
            assert!(["", "c", "co"].iter().all(|needle| hashed.needle(needle.as_bytes()).is_none()));
        }
    }

    #[test]
    fn trigrams_and_values_are_spread_evenly() {
        let mut rows = vec![0_u32; 1 << Hashed::Body.bits()];
        for trigram in 0..CLASSES.pow(3) {
            rows[usize::from(Hashed::Body.spread(trigram))] += 1;
        }
        assert!(rows.iter().all(|trigrams| (20..=34).contains(trigrams)), "{:?}", rows.iter().max());
        let mut rows = vec![0_u32; 1 << Hashed::Value.bits()];
        for number in 0..20_000_u32 {
            for slice in Field::EventId.slices(format!("evt_{number}").into_bytes()) {
                rows[usize::from(slice - Hashed::Value.first())] += 1;
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
        let slices = |field: Field| field.slices(*b"evt_1").collect::<Vec<_>>();
        assert_ne!(slices(Field::EventId), slices(Field::Entity));
        assert_eq!(slices(Field::EventId), [1_435, 389, 1_707, 926].map(|slice| 8_192 + slice));
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
