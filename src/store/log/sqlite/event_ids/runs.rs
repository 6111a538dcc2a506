//! The runs that are listed, and which of them may have an id.
//!
//! A lookup in a filter of its own waits for memory once for each run. The filters of 64 runs therefore become one.

use super::filter::{Filter, Probe};
use super::sliced::Sliced;
use crate::store::sqlite::square::SIDE;

/// A listed run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    pub(super) number: i64,
    /// When the last of its ids expires, as stored.
    pub(super) latest_expiry: i64,
}

/// The listed runs, in any order.
#[derive(Default)]
pub(super) struct Runs {
    alone: Vec<(Run, Filter)>,
    groups: Vec<Group>,
}

/// Runs with filters of one size.
struct Group {
    /// `None` where a run was removed.
    runs: Vec<Option<Run>>,
    filters: Sliced,
}

impl Runs {
    /// Adds a run.
    pub(super) fn add(&mut self, run: Run, filter: Filter) {
        let blocks = filter.blocks();
        self.alone.push((run, filter));
        let is_like = |(_, filter): &(Run, Filter)| filter.blocks() == blocks;
        if self.alone.iter().filter(|alone| is_like(alone)).count() >= SIDE {
            let (alike, others): (Vec<_>, Vec<_>) = self.alone.drain(..).partition(is_like);
            self.alone = others;
            let filters: Vec<&Filter> = alike.iter().map(|(_, filter)| filter).collect();
            let filters = Sliced::of(&filters);
            self.groups.push(Group { runs: alike.into_iter().map(|(run, _)| Some(run)).collect(), filters });
        }
    }

    /// Removes all runs but those with these numbers.
    pub(super) fn retain(&mut self, stays: impl Fn(i64) -> bool) {
        self.alone.retain(|(run, _)| stays(run.number));
        for group in &mut self.groups {
            for run in &mut group.runs {
                *run = run.filter(|run| stays(run.number));
            }
        }
        self.groups.retain(|group| group.runs.iter().any(Option::is_some));
    }

    /// Each run.
    pub(super) fn iter(&self) -> impl Iterator<Item = Run> + '_ {
        let grouped = self.groups.iter().flat_map(|group| group.runs.iter().flatten());
        grouped.chain(self.alone.iter().map(|(run, _)| run)).copied()
    }

    /// The numbers of the runs that may have the key of a probe, the newest first.
    pub(super) fn that_may_have(&self, probe: &Probe) -> Vec<i64> {
        let alone = self.alone.iter().filter(|(_, filter)| filter.may_have(probe)).map(|(run, _)| run.number);
        let mut numbers: Vec<i64> = alone.collect();
        for Group { runs, filters } in &self.groups {
            let mut left = filters.that_may_have(probe);
            while left != 0 {
                let place = usize::try_from(left.trailing_zeros()).unwrap_or(0);
                numbers.extend(runs.get(place).copied().flatten().map(|run| run.number));
                left &= left.wrapping_sub(1);
            }
        }
        numbers.sort_unstable_by(|one, other| other.cmp(one));
        numbers
    }
}

#[cfg(test)]
mod tests {
    use super::super::identity::Identity;
    use super::*;

    const KEYS: u32 = 40;

    fn key(number: u32) -> Identity {
        Identity::of("tagorun", &number.to_be_bytes())
    }

    /// Run `number` has the keys from `number * KEYS` on, and the key 0.
    fn add(runs: &mut Runs, number: i64, room: usize) {
        let mut filter = Filter::with_room(room);
        let first = u32::try_from(number).unwrap() * KEYS;
        (first..first + KEYS).chain([0]).for_each(|number| filter.add(key(number)));
        runs.add(Run { number, latest_expiry: number }, filter);
    }

    fn found(runs: &Runs, number: u32) -> Vec<i64> {
        runs.that_may_have(&Probe::of(key(number)))
    }

    #[test]
    fn each_run_answers_for_its_keys_alone_and_in_a_group() {
        let mut runs = Runs::default();
        for number in 1..=200 {
            // Some have filters of another size.
            add(&mut runs, number, if number % 10 == 0 { 100 } else { 1_000 });
            let expected: Vec<i64> = (1..=number).rev().collect();
            assert_eq!(found(&runs, 0), expected);
        }
        assert_eq!((runs.groups.len(), runs.alone.len()), (2, 200 - 2 * SIDE));
        let mut by_mistake = 0;
        for number in KEYS..201 * KEYS {
            let found = found(&runs, number);
            assert!(found.contains(&i64::from(number / KEYS)), "{number}: {found:?}");
            by_mistake += found.len() - 1;
        }
        assert!(by_mistake < 2_000, "{by_mistake} of 1.6 million");
    }

    #[test]
    fn a_run_that_is_removed_is_not_found_and_its_group_goes_with_the_last_one() {
        let mut runs = Runs::default();
        (1..=130).for_each(|number| add(&mut runs, number, 1_000));
        runs.retain(|number| number > 63 && number != 100);
        let numbers = || (64..=130).filter(|number| *number != 100);
        assert_eq!(found(&runs, 0), numbers().rev().collect::<Vec<i64>>());
        assert_eq!(runs.groups.len(), 2);
        runs.retain(|number| number > 64);
        assert_eq!((runs.groups.len(), runs.alone.len()), (1, 2));
        assert_eq!(runs.iter().count(), 65);
        runs.retain(|_| false);
        assert_eq!((runs.groups.len(), runs.iter().count()), (0, 0));
    }
}
