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

#[cfg(test)]
mod tests {
    use super::super::identity::Identity;
    use super::*;

    #[test]
    fn it_answers_as_each_of_its_filters_does() {
        let key = |number: u32| Identity::of("tagorun", &number.to_be_bytes());
        // Full ones, so that many say yes by mistake.
        let filters: Vec<Filter> = (0..64)
            .map(|nth| {
                let mut filter = Filter::with_room(100);
                (0..nth * 20).for_each(|number| filter.add(key(nth * 10_000 + number)));
                filter
            })
            .collect();
        let sliced = Sliced::of(&filters.iter().collect::<Vec<_>>());
        let mut yes = 0;
        for number in 0..20_000 {
            let probe = Probe::of(key(number * 32));
            let expected = (0..)
                .zip(&filters)
                .fold(0, |all, (nth, filter)| all | u64::from(filter.may_have(&probe)) << nth);
            assert_eq!(sliced.that_may_have(&probe), expected, "{number}");
            yes += expected.count_ones();
        }
        assert!((10_000..1_000_000).contains(&yes), "{yes} of 1,280,000");
    }
}
