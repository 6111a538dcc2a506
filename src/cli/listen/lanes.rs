//! The deliveries that wait, in order for each device.

use std::collections::{HashMap, VecDeque};

use serde_json::Value;

/// A delivery that is to be forwarded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Job {
    /// Its position in the log, or the first position that is not done where the exact one is unknown.
    pub seq: i64,
    /// Its id.
    pub id: String,
    /// The source and the device: its lane.
    pub lane: String,
    /// The source.
    pub source: String,
    /// The event's type; empty if unknown.
    pub event_type: String,
    /// The event's id; empty if there is none.
    pub event_id: String,
    /// Attempts that got no response, and responses that are to be retried.
    pub attempts: u32,
}

impl Job {
    /// The delivery of a row of the API; `None` without an id.
    pub fn of(seq: i64, row: &Value) -> Option<Self> {
        if row.get("imported").and_then(Value::as_bool) == Some(true) {
            return None;
        }
        let text = |key: &str| row.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let id = row.get("id")?.as_str()?.to_owned();
        let (source, entity) = (text("source"), text("entity"));
        let lane = format!("{source}\n{entity}");
        let (event_type, event_id) = (text("event_type"), text("event_id"));
        Some(Self { seq, id, lane, source, event_type, event_id, attempts: 0 })
    }
}

/// The lanes. A lane gives out its first delivery, and no other until that is back.
#[derive(Debug, Default)]
pub struct Lanes {
    waiting: HashMap<String, VecDeque<Job>>,
    /// Lanes whose first delivery may be taken.
    ready: VecDeque<String>,
    count: usize,
}

impl Lanes {
    /// Adds a delivery at the end of its lane.
    pub fn push(&mut self, job: Job) {
        self.count = self.count.saturating_add(1);
        match self.waiting.get_mut(&job.lane) {
            Some(lane) => lane.push_back(job),
            None => {
                self.ready.push_back(job.lane.clone());
                self.waiting.insert(job.lane.clone(), VecDeque::from([job]));
            }
        }
    }

    /// The first delivery of a lane that is ready, and the id of the one behind it.
    pub fn take(&mut self) -> Option<(Job, Option<String>)> {
        let lane = self.waiting.get_mut(&self.ready.pop_front()?)?;
        let job = lane.pop_front()?;
        self.count = self.count.saturating_sub(1);
        Some((job, lane.front().map(|next| next.id.clone())))
    }

    /// The delivery of this lane is done: its next one may be taken.
    pub fn done(&mut self, lane: &str) {
        if self.waiting.get(lane).is_some_and(VecDeque::is_empty) {
            self.waiting.remove(lane);
        } else {
            self.ready.push_back(lane.to_owned());
        }
    }

    /// A delivery returns to the front of its lane, which rests until `wake`.
    pub fn put_back(&mut self, job: Job) {
        self.count = self.count.saturating_add(1);
        self.waiting.entry(job.lane.clone()).or_default().push_front(job);
    }

    /// The first delivery of this lane may be taken again.
    pub fn wake(&mut self, lane: String) {
        self.ready.push_back(lane);
    }

    /// How many deliveries wait.
    pub const fn count(&self) -> usize {
        self.count
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn job(id: &str, entity: &str) -> Job {
        Job::of(1, &json!({"id": id, "source": "s", "entity": entity})).unwrap()
    }

    fn taken(lanes: &mut Lanes) -> Option<Job> {
        lanes.take().map(|(job, _)| job)
    }

    #[test]
    fn a_lane_gives_out_one_delivery_at_a_time_and_in_order() {
        let mut lanes = Lanes::default();
        for (id, entity) in [("1", "a"), ("2", "a"), ("3", "b")] {
            lanes.push(job(id, entity));
        }
        let (first, next) = lanes.take().unwrap();
        assert_eq!((&*first.id, next.as_deref()), ("1", Some("2")));
        assert_eq!(taken(&mut lanes).unwrap().id, "3");
        assert_eq!(taken(&mut lanes), None, "2 waits for 1");
        lanes.put_back(first.clone());
        assert_eq!(taken(&mut lanes), None, "its lane rests");
        lanes.wake(first.lane.clone());
        assert_eq!(taken(&mut lanes).unwrap().id, "1");
        lanes.done(&first.lane);
        assert_eq!(taken(&mut lanes).unwrap().id, "2");
        lanes.done(&first.lane);
        assert_eq!(lanes.count(), 0);
        lanes.push(job("4", "a"));
        assert_eq!(taken(&mut lanes).unwrap().id, "4");
    }
}
