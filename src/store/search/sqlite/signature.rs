//! The slices of rows: a bit for each slice and row, and both ways to lay them out.

use super::rows::Rows;
use super::term::{Hashed, SLICES};
use crate::store::sqlite::square::{SIDE, Square, transpose};

/// The slices of one row, a bit each.
pub struct Signature(Vec<u64>);

impl Signature {
    /// It has no slice.
    pub fn new() -> Self {
        Self(vec![0; SLICES / SIDE])
    }

    /// Adds slices.
    pub fn mark(&mut self, slices: impl Iterator<Item = u16>) {
        slices.for_each(|slice| self.add(slice));
    }

    /// Adds the slices of folded text.
    pub fn text(&mut self, hashed: Hashed, text: &[u8]) {
        hashed.each(text, |slice| self.add(slice));
    }

    fn add(&mut self, slice: u16) {
        if let Some(word) = self.0.get_mut(usize::from(slice / 64)) {
            *word |= 1 << (slice % 64);
        }
    }
}

/// The slices of the rows of a segment, for each slice a bit for each row. They lie in columns of 64 slices, so that one slice is
/// read from memory that is close together, and that memory grows with the rows.
pub struct Slices(Vec<Vec<Square>>);

impl Slices {
    /// No row has a slice.
    pub fn new() -> Self {
        Self(vec![Vec::new(); SLICES / SIDE])
    }

    /// Adds rows, with their places in the segment in ascending order.
    pub fn add(&mut self, rows: &[(usize, Signature)]) {
        for rows in rows.chunk_by(|(place, _), (next, _)| place / SIDE == next / SIDE) {
            let at = rows.first().map_or(0, |(place, _)| place / SIDE);
            for (nth, column) in self.0.iter_mut().enumerate() {
                column.resize(column.len().max(at.saturating_add(1)), [0; SIDE]);
                let mut square = [0; SIDE];
                for (place, Signature(slices)) in rows {
                    if let (Some(line), Some(slices)) = (square.get_mut(place % SIDE), slices.get(nth)) {
                        *line = *slices;
                    }
                }
                transpose(&mut square);
                if let Some(known) = column.get_mut(at) {
                    known.iter_mut().zip(square).for_each(|(word, rows)| *word |= rows);
                }
            }
        }
    }

    /// The rows that have `slice`.
    pub fn rows(&self, slice: u16) -> Rows {
        let slice = usize::from(slice);
        let column = self.0.get(slice / SIDE).into_iter().flatten();
        Rows::of_words(column.map(|square| square.get(slice % SIDE).copied().unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]
        #[test]
        fn a_slice_has_the_rows_that_were_marked(
            rows in prop::collection::btree_map(0_usize..400, prop::collection::vec(0_u16..10_240, 0..300), 0..200),
            batch in 1_usize..100,
        ) {
            let signed: Vec<(usize, Signature)> = rows
                .iter()
                .map(|(place, slices)| {
                    let mut signature = Signature::new();
                    signature.mark(slices.iter().copied());
                    (*place, signature)
                })
                .collect();
            let mut slices = Slices::new();
            signed.chunks(batch).for_each(|batch| slices.add(batch));
            let mut expected = vec![Rows::none(); SLICES];
            for (place, slices) in &rows {
                slices.iter().for_each(|slice| expected[usize::from(*slice)].insert(u16::try_from(*place).unwrap()));
            }
            for (slice, expected) in (0..).zip(expected) {
                prop_assert_eq!(slices.rows(slice), expected);
            }
        }
    }
}
