//! A set of rows in a segment: one bit per row in memory, as few bytes as possible in the file.

use super::rice::{RiceReader, RiceWriter};

/// Words of a set.
const WORDS: usize = 128;
/// The size of a set stored as bits.
const BIT_BYTES: usize = WORDS * 8;
/// The rows of a whole segment.
const BIT_COUNT: u32 = 8_192;

/// Rows of one segment, by place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rows([u64; WORDS]);

/// The first byte of a set stored as bits. Otherwise it is the parameter of the Rice code of its gaps, up to 12.
const BITS: u8 = 0xff;
/// Added to the parameter where the gaps are those of the rows that are not in the set.
const OTHERS: u8 = 0x10;

impl Rows {
    /// No row.
    pub const fn none() -> Self {
        Self([0; WORDS])
    }

    /// Every row.
    pub const fn all() -> Self {
        Self([u64::MAX; WORDS])
    }

    /// The rows whose bits are set in these words; missing words have none.
    pub fn of_words(words: impl Iterator<Item = u64>) -> Self {
        let mut rows = Self::none();
        rows.0.iter_mut().zip(words).for_each(|(word, bits)| *word = bits);
        rows
    }

    /// Adds the row at `place`.
    pub fn insert(&mut self, place: u16) {
        let place = usize::from(place);
        if let Some(word) = self.0.get_mut(place / 64) {
            *word |= 1 << (place % 64);
        }
    }

    /// Keeps only the rows that are also in `other`.
    pub fn intersect(&mut self, other: &Self) {
        self.0.iter_mut().zip(other.0).for_each(|(word, other)| *word &= other);
    }

    /// Adds the rows of `other`.
    pub fn unite(&mut self, other: &Self) {
        self.0.iter_mut().zip(other.0).for_each(|(word, other)| *word |= other);
    }

    /// The rows that are not in the set.
    pub fn others(&self) -> Self {
        Self(self.0.map(|word| !word))
    }

    /// The number of rows.
    pub fn count(&self) -> u32 {
        self.0.iter().map(|word| word.count_ones()).sum()
    }

    /// Whether the set is empty.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    /// The places, the last first.
    pub fn newest_first(&self) -> impl Iterator<Item = i64> + '_ {
        (0_i32..128).zip(self.0.iter()).rev().flat_map(|(at, word)| {
            let mut left = *word;
            std::iter::from_fn(move || {
                let bit = 63_u32.checked_sub(left.leading_zeros())?;
                left &= !(1 << bit);
                Some(i64::from(at).saturating_mul(64).saturating_add(i64::from(bit)))
            })
        })
    }

    /// Reads what `packed` wrote.
    pub fn unpack(bytes: &[u8]) -> Option<Self> {
        let (kind, rest) = bytes.split_first()?;
        if *kind == BITS {
            let (words, _) = rest.as_chunks();
            return Some(Self::of_words(words.iter().map(|word| u64::from_le_bytes(*word))));
        }
        let rows = Self::from_gaps(rest, u32::from(kind & !OTHERS))?;
        Some(if kind & OTHERS == 0 { rows } else { rows.others() })
    }

    fn from_gaps(bytes: &[u8], low_bits: u32) -> Option<Self> {
        let mut rows = Self::none();
        let mut code = RiceReader::new(bytes, low_bits)?;
        let mut next = 0_u32;
        while let Some(gap) = code.next()? {
            let place = next.saturating_add(gap);
            // A place beyond the segment has no word.
            *rows.0.get_mut(usize::try_from(place / 64).ok()?)? |= 1 << (place % 64);
            next = place.saturating_add(1);
        }
        Some(rows)
    }

    /// The set in few bytes. `all` are the rows of the segment, so that a set of all of them takes one byte.
    pub fn packed(&self, all: &Self) -> Vec<u8> {
        if self == all {
            return vec![OTHERS];
        }
        let count = self.count();
        let bytes = if count > BIT_COUNT / 2 {
            self.others().gaps(BIT_COUNT.saturating_sub(count), OTHERS)
        } else {
            self.gaps(count, 0)
        };
        if bytes.len() <= BIT_BYTES {
            return bytes;
        }
        [BITS].into_iter().chain(self.0.iter().flat_map(|word| word.to_le_bytes())).collect()
    }

    /// The gaps between its `count` places in a Rice code, after a byte of their parameter and `kind`.
    fn gaps(&self, count: u32, kind: u8) -> Vec<u8> {
        let mean = BIT_COUNT.checked_div(count).unwrap_or(BIT_COUNT);
        let low_bits = (mean.saturating_mul(45) / 64).checked_ilog2().unwrap_or(0);
        let mut code = RiceWriter::new(kind | u8::try_from(low_bits).unwrap_or_default(), low_bits);
        let mut next = 0_u32;
        for (at, word) in (0_u32..).zip(&self.0) {
            let mut left = *word;
            while left != 0 {
                let place = at.wrapping_mul(64).wrapping_add(left.trailing_zeros());
                left &= left.wrapping_sub(1);
                code.push(place.wrapping_sub(next));
                next = place.wrapping_add(1);
            }
        }
        code.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn a_set_is_read_as_it_was_written(places in prop_oneof![
            prop::collection::btree_set(0_u16..8_192, 0..40),
            prop::collection::btree_set(0_u16..8_192, 1_000..8_000),
            prop::collection::btree_set(0_u16..3_000, 900..2_900),
            prop::collection::btree_set(8_100_u16..8_192, 0..92),
        ]) {
            let mut set = Rows::none();
            places.iter().for_each(|place| set.insert(*place));
            let bytes = set.packed(&Rows::all());
            prop_assert!(bytes.len() <= BIT_BYTES + 1);
            let rows = Rows::unpack(&bytes).unwrap();
            let read: BTreeSet<u16> = rows.newest_first().map(|place| u16::try_from(place).unwrap()).collect();
            prop_assert_eq!(read, places);
            prop_assert!(rows.newest_first().zip(rows.newest_first().skip(1)).all(|(a, b)| a > b));
        }
    }

    #[test]
    fn all_rows_of_a_segment_are_one_byte() {
        let mut some = Rows::none();
        [3, 4, 9].into_iter().for_each(|place| some.insert(place));
        assert_eq!(some.packed(&some).len(), 1);
        assert_eq!(Rows::unpack(&some.packed(&some)).unwrap(), Rows::all());
        assert_eq!(Rows::unpack(&[]), None);
        assert_eq!(Rows::unpack(&[0x2d]), None);
        assert_eq!(Rows::unpack(&[12, 0b1111_0111]), None, "it ends within a gap");
        assert_eq!(Rows::unpack(&[12, 0b0111, 0]), None, "a place beyond the segment");
    }
}
