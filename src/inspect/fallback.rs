//! Points that TagoIO posts once more through a fallback device: the same values under other ids.

use std::collections::BTreeSet;

use serde_json::Value;

use super::told::Diagnosis;
use crate::domain::{StoredDelivery, Verdict};

/// Why `delivery` is a repeat of `first` although none of its points has an id of that one; `None` if they share ids.
#[must_use]
pub fn repeat(first: &StoredDelivery, delivery: &StoredDelivery) -> Option<Diagnosis> {
    let (before, now) = (ids(first)?, ids(delivery)?);
    let is_other = delivery.row.verdict == Verdict::Duplicate && before.is_disjoint(&now);
    is_other.then(|| {
        let cause = "These data points were accepted before under other ids: group, time, variable and value are the same. \
                     Probably the response to the first post did not reach TagoIO, and a fallback device posted them again. \
                     This delivery was answered 200 and not processed again.";
        Diagnosis::new("tagoio-fallback", "Points from a TagoIO fallback device", cause)
    })
}

fn ids(delivery: &StoredDelivery) -> Option<BTreeSet<String>> {
    let points: Vec<Value> = serde_json::from_slice(&delivery.body).ok()?;
    let ids: BTreeSet<String> =
        points.iter().filter_map(|point| point.get("id")).map(Value::to_string).collect();
    (!ids.is_empty()).then_some(ids)
}
