//! Objects that are maps, keyed by device or the like: what is below their keys is one field, `*`, as items of arrays are.

use std::collections::BTreeMap;

use crate::domain::{JsonKind, JsonKinds};
use crate::store::DriftField;

/// With fewer members an object is not taken for a map.
const LEAST_KEYS: usize = 12;
/// How many maps inside maps are folded.
const DEEPEST: usize = 8;

/// The fields with the members of each map folded into one. `is_declared` says whether the catalogue names a field.
pub fn folded(mut fields: Vec<DriftField>, is_declared: impl Fn(&str) -> bool) -> Vec<DriftField> {
    for _ in 0..DEEPEST {
        let maps = maps(&fields, &is_declared);
        if maps.is_empty() {
            break;
        }
        fields = merged(fields, &maps);
    }
    fields
}

/// The pointers of the outermost objects that are maps.
fn maps(fields: &[DriftField], is_declared: &impl Fn(&str) -> bool) -> Vec<String> {
    let mut members: BTreeMap<&str, Vec<&DriftField>> = BTreeMap::new();
    for field in fields {
        if let Some((parent, _)) = field.pointer.rsplit_once('/').filter(|(_, key)| *key != "*") {
            members.entry(parent).or_default().push(field);
        }
    }
    let objects: BTreeMap<&str, u64> =
        fields.iter().map(|field| (field.pointer.as_str(), field.seen_as(JsonKind::Object))).collect();
    let mut maps: Vec<String> = Vec::new();
    for (parent, members) in members {
        let is_inside = maps
            .iter()
            .any(|map| parent.strip_prefix(map.as_str()).is_some_and(|rest| rest.starts_with('/')));
        let times = objects.get(parent).copied().unwrap_or(0);
        if !is_inside && members.iter().all(|field| !is_declared(&field.pointer)) && is_map(&members, times) {
            maps.push(parent.to_owned());
        }
    }
    maps
}

/// Whether the members of an object that was seen that often are entries of a map: many of one kind, whose names are
/// ids, or which are mostly absent.
fn is_map(members: &[&DriftField], times: u64) -> bool {
    let kinds = |field: &DriftField| -> JsonKinds {
        field.kinds.iter().filter(|kind| *kind != JsonKind::Null).collect()
    };
    let Some(first) = members.first().map(|first| kinds(first)) else { return false };
    let key = |field: &DriftField| field.pointer.rsplit('/').next().unwrap_or_default().to_owned();
    let is_id = |field: &&DriftField| key(field).bytes().any(|byte| byte.is_ascii_digit());
    let is_rare = |field: &&DriftField| field.seen().saturating_mul(2) < times;
    members.len() >= LEAST_KEYS
        && members.iter().all(|field| kinds(field) == first)
        && (members.iter().all(is_id) || members.iter().all(is_rare))
}

fn merged(fields: Vec<DriftField>, maps: &[String]) -> Vec<DriftField> {
    let mut merged: BTreeMap<String, DriftField> = BTreeMap::new();
    for mut field in fields {
        for map in maps {
            let below = field.pointer.strip_prefix(map.as_str()).and_then(|rest| rest.strip_prefix('/'));
            if let Some(below) = below {
                let rest = below.split_once('/').map_or(String::new(), |(_, rest)| format!("/{rest}"));
                field.pointer = format!("{map}/*{rest}");
                break;
            }
        }
        match merged.get_mut(&field.pointer) {
            Some(known) => add(known, field),
            None => drop(merged.insert(field.pointer.clone(), field)),
        }
    }
    merged.into_values().collect()
}

/// Adds another field's facts to a known one.
pub fn add(known: &mut DriftField, field: DriftField) {
    known.kinds = known.kinds.iter().chain(field.kinds.iter()).collect();
    for (count, more) in known.counts.iter_mut().zip(field.counts) {
        *count = count.saturating_add(more);
    }
    if field.first_sample < known.first_sample {
        known.first_sample = field.first_sample;
        known.first_seen = field.first_seen;
        known.first_in = field.first_in;
    }
    known.last_seen = known.last_seen.max(field.last_seen);
    known.changed = known.changed.or(field.changed);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{DeliveryId, Timestamp};

    fn field(pointer: &str, kind: JsonKind, seen: u64, first_sample: u64) -> DriftField {
        let mut counts = [0; 7];
        counts[kind.place()] = seen;
        let at = Timestamp::from_secs(1_800_000_000);
        DriftField {
            pointer: pointer.to_owned(),
            kinds: [kind].into_iter().collect(),
            counts,
            first_seen: at,
            first_in: DeliveryId::new_at(at),
            first_sample,
            last_seen: at,
            changed: None,
        }
    }

    #[test]
    fn an_object_keyed_by_device_is_one_field_for_all_devices() {
        let mut fields =
            vec![field("", JsonKind::Object, 120, 1), field("/devices", JsonKind::Object, 120, 1)];
        for device in 1..=120 {
            fields.push(field(&format!("/devices/dev-{device}"), JsonKind::Object, 1, device));
            for name in ["temperature", "humidity"] {
                let pointer = format!("/devices/dev-{device}/{name}");
                fields.push(field(&pointer, JsonKind::Number, 1, device));
            }
        }
        let folded = folded(fields.clone(), |_| false);
        let pointers: Vec<&str> = folded.iter().map(|field| field.pointer.as_str()).collect();
        assert_eq!(pointers, ["", "/devices", "/devices/*", "/devices/*/humidity", "/devices/*/temperature"]);
        assert!(folded.iter().all(|field| field.seen() == 120 && field.first_sample == 1));
        assert_eq!(super::folded(fields.clone(), |_| true).len(), fields.len(), "what is declared stays");
    }

    #[test]
    fn an_object_of_many_settings_is_no_map() {
        let mut fields = vec![field("", JsonKind::Object, 10, 1)];
        fields.extend(('a'..='z').map(|name| field(&format!("/{name}"), JsonKind::Number, 10, 1)));
        assert_eq!(folded(fields.clone(), |_| false), fields);
        let mut few = vec![field("", JsonKind::Object, 10, 1)];
        few.extend((1..12).map(|device| field(&format!("/d{device}"), JsonKind::Number, 1, device)));
        assert_eq!(folded(few.clone(), |_| false).len(), few.len());
    }
}
