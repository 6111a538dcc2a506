//! A set of rows in a segment: one bit per row in memory, as few bytes as possible in the file.

/// Words of a set.
const WORDS: usize = 128;
/// The size of a set stored as bits.
const BIT_BYTES: usize = WORDS * 8;
/// The rows of a whole segment.
const BIT_COUNT: u32 = 8_192;

/// Rows of one segment, by place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rows([u64; WORDS]);

/// The first byte of a stored set.
const GAPS: u8 = 0;
const GAPS_OF_THE_OTHERS: u8 = 1;
const BITS: u8 = 2;

impl Rows {
    /// No row.
    pub const fn none() -> Self {
        Self([0; WORDS])
    }

    /// Every row.
    pub const fn all() -> Self {
        Self([u64::MAX; WORDS])
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
        match *kind {
            GAPS => Self::from_gaps(rest),
            GAPS_OF_THE_OTHERS => Some(Self::from_gaps(rest)?.others()),
            BITS => {
                let mut rows = Self::none();
                for (word, bytes) in rows.0.iter_mut().zip(rest.chunks_exact(8)) {
                    *word = u64::from_le_bytes(bytes.try_into().ok()?);
                }
                Some(rows)
            }
            _ => None,
        }
    }

    fn from_gaps(mut bytes: &[u8]) -> Option<Self> {
        let mut rows = Self::none();
        let mut next = 0_u16;
        while let Some((first, rest)) = bytes.split_first() {
            let mut gap = u16::from(*first & 0x7f);
            bytes = rest;
            if *first >= 0x80 {
                let (second, rest) = bytes.split_first()?;
                gap |= u16::from(*second) << 7;
                bytes = rest;
            }
            let place = next.checked_add(gap)?;
            rows.insert(place);
            next = place.checked_add(1)?;
        }
        Some(rows)
    }
}

impl Rows {
    /// The set in as few bytes as possible. `all` are the rows of the segment, so that a set of all of them takes one byte.
    pub fn packed(&self, all: &Self) -> Vec<u8> {
        if self == all {
            return vec![GAPS_OF_THE_OTHERS];
        }
        let is_most = self.count() > BIT_COUNT / 2;
        let kind = if is_most { GAPS_OF_THE_OTHERS } else { GAPS };
        let gaps = if is_most { self.others().gaps() } else { self.gaps() };
        match gaps {
            Some(gaps) => [&[kind], gaps.as_slice()].concat(),
            None => {
                let mut bytes = vec![BITS];
                bytes.extend(self.0.iter().flat_map(|word| word.to_le_bytes()));
                bytes
            }
        }
    }

    /// The gaps between the places; `None` if they take more bytes than the bits.
    fn gaps(&self) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        let mut next = 0_u16;
        for (at, word) in (0_u16..).zip(&self.0) {
            let mut left = *word;
            while left != 0 {
                let bit = u16::try_from(left.trailing_zeros()).unwrap_or_default();
                left &= left.wrapping_sub(1);
                let place = at.saturating_mul(64).saturating_add(bit);
                let gap = place.saturating_sub(next);
                let [low, _] = gap.to_le_bytes();
                if gap < 0x80 {
                    bytes.push(low);
                } else {
                    let [high, _] = (gap >> 7).to_le_bytes();
                    bytes.extend([low | 0x80, high]);
                }
                next = place.saturating_add(1);
            }
            if bytes.len() > BIT_BYTES {
                return None;
            }
        }
        Some(bytes)
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
        ]) {
            let mut set = Rows::none();
            places.iter().for_each(|place| set.insert(*place));
            let bytes = set.packed(&Rows::all());
            prop_assert!(bytes.len() <= BIT_BYTES + 65);
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
        assert_eq!(Rows::unpack(&[9]), None);
        assert_eq!(Rows::unpack(&[GAPS, 0x80]), None);
    }
}
