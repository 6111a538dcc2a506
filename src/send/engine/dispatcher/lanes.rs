//! The lanes of all subscriptions. Those at rest are kept apart, so that thousands of waiting endpoints cost nothing.

use std::collections::{BTreeSet, HashMap};

use super::super::lane::LaneState;
use crate::domain::Timestamp;

/// The lanes, by the id of their subscription.
#[derive(Default)]
pub struct Lanes {
    /// Lanes with work in hand, or in which something may be due.
    awake: HashMap<String, LaneState>,
    /// Lanes without work in which nothing is due before a known time.
    resting: HashMap<String, (Timestamp, LaneState)>,
    /// Those times, the earliest first.
    ends: BTreeSet<(Timestamp, String)>,
}

impl Lanes {
    /// The lane of this id, awake.
    pub fn entry(&mut self, id: &str) -> &mut LaneState {
        if let Some((id, (until, lane))) = self.resting.remove_entry(id) {
            self.ends.remove(&(until, id.clone()));
            self.awake.insert(id, lane);
        }
        self.awake.entry(id.to_owned()).or_default()
    }

    /// Something may be due in the lane of this id.
    pub fn wake(&mut self, id: &str) {
        self.entry(id).tell();
    }

    /// Something may be due in any lane.
    pub fn wake_all(&mut self) {
        self.ends.clear();
        self.awake.extend(self.resting.drain().map(|(id, (_, lane))| (id, lane)));
        self.awake.values_mut().for_each(LaneState::tell);
    }

    /// Wakes the lanes whose rest is over.
    pub fn wake_due(&mut self, now: Timestamp) {
        while let Some((until, id)) = self.ends.pop_first() {
            if until > now {
                self.ends.insert((until, id));
                return;
            }
            self.wake(&id);
        }
    }

    /// Nothing is due in the lane before `until`, unless there is news of it. Without work in hand it rests.
    pub fn rest(&mut self, id: &str, until: Timestamp) {
        let Some(lane) = self.awake.get_mut(id) else { return };
        lane.rest(until);
        if lane.is_idle()
            && lane.is_resting()
            && let Some((id, lane)) = self.awake.remove_entry(id)
        {
            self.ends.insert((until, id.clone()));
            self.resting.insert(id, (until, lane));
        }
    }

    /// When the next rest is over.
    pub fn next_end(&self) -> Option<Timestamp> {
        self.ends.first().map(|(until, _)| *until)
    }

    /// Removes the lane of a subscription that is gone, unless it has work in hand.
    pub fn remove(&mut self, id: &str) {
        if self.awake.get(id).is_some_and(LaneState::is_idle) {
            self.awake.remove(id);
        }
    }

    /// The ids of the lanes that are awake.
    pub fn awake_ids(&self) -> Vec<String> {
        self.awake.keys().cloned().collect()
    }

    /// The lanes that are awake.
    pub fn awake(&self) -> impl Iterator<Item = &LaneState> {
        self.awake.values()
    }

    /// The lanes that are awake, with their ids.
    pub fn awake_mut(&mut self) -> impl Iterator<Item = (&str, &mut LaneState)> {
        self.awake.iter_mut().map(|(id, lane)| (id.as_str(), lane))
    }

    /// Every lane.
    pub fn all_mut(&mut self) -> impl Iterator<Item = &mut LaneState> {
        self.awake.values_mut().chain(self.resting.values_mut().map(|(_, lane)| lane))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::super::lane::LANE_WIDTH;
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

    fn after(seconds: u64) -> Timestamp {
        NOW.plus(Duration::from_secs(seconds))
    }

    /// Lanes that were asked and have nothing due for as many seconds as their number says.
    fn resting(seconds: &[u64]) -> Lanes {
        let mut lanes = Lanes::default();
        for seconds in seconds {
            let id = seconds.to_string();
            lanes.wake(&id);
            lanes.entry(&id).ask();
            lanes.rest(&id, after(*seconds));
        }
        lanes
    }

    fn awake(lanes: &Lanes) -> Vec<String> {
        let mut ids = lanes.awake_ids();
        ids.sort();
        ids
    }

    #[test]
    fn a_lane_rests_until_its_time() {
        let mut lanes = resting(&[3, 1, 2]);
        assert_eq!(awake(&lanes), [""; 0]);
        assert_eq!(lanes.next_end(), Some(after(1)));
        lanes.wake_due(after(2));
        assert_eq!(awake(&lanes), ["1", "2"]);
        assert_eq!(lanes.next_end(), Some(after(3)));
        assert!(lanes.awake().all(|lane| !lane.is_resting()));
    }

    #[test]
    fn news_of_a_lane_ends_its_rest_and_is_not_forgotten() {
        let mut lanes = resting(&[1, 2]);
        lanes.wake("2");
        // The answer to a question that was asked before the news.
        lanes.rest("2", after(2));
        assert_eq!(awake(&lanes), ["2"]);
        assert_eq!(lanes.next_end(), Some(after(1)));
        lanes.wake_all();
        assert_eq!(awake(&lanes), ["1", "2"]);
        assert_eq!(lanes.next_end(), None);
    }

    #[test]
    fn a_lane_with_work_in_hand_stays_awake_and_is_not_removed() {
        let mut lanes = resting(&[1]);
        lanes.entry("1").start(NOW);
        lanes.entry("1").ask();
        lanes.rest("1", after(9));
        lanes.remove("1");
        assert_eq!(awake(&lanes), ["1"]);
        assert!(lanes.entry("1").is_resting());
        assert_eq!(lanes.entry("1").room(LANE_WIDTH, 0), LANE_WIDTH - 1);
        assert_eq!(lanes.next_end(), None);
    }

    #[test]
    fn a_lane_that_is_gone_is_removed() {
        let mut lanes = resting(&[1]);
        lanes.wake("1");
        lanes.remove("1");
        assert_eq!(lanes.all_mut().count(), 0);
    }
}
