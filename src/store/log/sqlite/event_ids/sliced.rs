//! Filters of one size, laid out so that one lookup asks all of them.

use super::filter::{Filter, Probe};
use crate::store::sqlite::square::{SIDE, Square, transpose};

/// The squares of a block: its 256 bits in order, each with a bit for every filter.
const SQUARES: usize = 4;

/// The bits of `SIDE` filters.
pub(super) struct Sliced(Vec<Square>);

impl Sliced {
    /// The first `SIDE` of `filters`, which have as many blocks as the first one.
    pub(super) fn of(filters: &[&Filter]) -> Self {
        let blocks = filters.first().map_or(0, |filter| filter.blocks());
        let mut squares = Vec::with_capacity(blocks.saturating_mul(SQUARES));
        for block in 0..blocks {
            for nth in 0..SQUARES {
                let mut square = [0; SIDE];
                square.iter_mut().zip(filters).for_each(|(line, filter)| *line = filter.line(block, nth));
                transpose(&mut square);
                squares.push(square);
            }
        }
        Self(squares)
    }

    /// A bit for each filter that may have the key of a probe.
    pub(super) fn that_may_have(&self, probe: &Probe) -> u64 {
        let first = probe.place(self.0.len() / SQUARES).saturating_mul(SQUARES);
        let block = self.0.get(first..).unwrap_or_default();
        probe.slots().fold(u64::MAX, |filters, slot| {
            let known = block.get(slot / SIDE).and_then(|square| square.get(slot % SIDE));
            filters & known.copied().unwrap_or(u64::MAX)
        })
    }
}
