//! Every style of every serialiser, the likely ones first.

use std::sync::LazyLock;

use super::serialisers::{SERIALISERS, UNORDERED};
use super::style::{Order, Serialiser, Style};

/// One output style of a serialiser.
pub struct Way {
    pub serialiser: &'static Serialiser,
    pub style: Style,
    /// What its user writes to select it; empty for the default.
    pub with: Vec<&'static str>,
    /// The number of differences from the default.
    pub rank: usize,
}

/// All styles with a fixed order; the defaults first.
pub static WAYS: LazyLock<Vec<Way>> = LazyLock::new(|| {
    let mut ways: Vec<Way> = SERIALISERS.iter().flat_map(|serialiser| ways(serialiser)).collect();
    ways.retain(|way| way.style.order != Order::Any);
    ways.sort_by_key(|way| way.rank);
    ways
});

/// The styles without a fixed order.
pub static UNORDERED_WAYS: LazyLock<Vec<Way>> = LazyLock::new(|| {
    let mut ways: Vec<Way> = UNORDERED.iter().flat_map(|serialiser| ways(serialiser)).collect();
    ways.retain(|way| way.style.order == Order::Any);
    ways
});

/// Every style of one serialiser.
pub fn ways(serialiser: &'static Serialiser) -> Vec<Way> {
    let mut ways = Vec::new();
    for (layout, a) in places(serialiser.layouts) {
        for (order, b) in places(serialiser.orders) {
            for (strings, c) in places(serialiser.strings) {
                for (numbers, d) in places(serialiser.numbers) {
                    for (shape, e) in places(serialiser.shapes) {
                        for (ending, f) in places(serialiser.endings) {
                            let style = Style {
                                layout: layout.0,
                                order: order.0,
                                strings: strings.0,
                                numbers: numbers.0,
                                shape: shape.0,
                                ending: ending.0,
                            };
                            let words = [layout.1, order.1, strings.1, numbers.1, shape.1, ending.1];
                            let with = words.into_iter().filter(|words| !words.is_empty()).collect();
                            let rank =
                                [a, b, c, d, e, f].into_iter().map(|place| usize::from(place > 0)).sum();
                            ways.push(Way { serialiser, style, with, rank });
                        }
                    }
                }
            }
        }
    }
    ways
}

fn places<T: Copy>(options: &'static [T]) -> impl Iterator<Item = (T, usize)> {
    options.iter().copied().zip(0..)
}
