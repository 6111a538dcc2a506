//! The learnt fields of an event type, compared with the catalogue.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::expected::{self, Said};
use super::shape::member_of;
use super::{maps, variable};
use crate::catalog::EventType;
use crate::domain::{DeliveryId, JsonKind, JsonKinds, Timestamp, percent};
use crate::store::{DriftField, DriftType};

/// A field that came with one of the first samples was always there.
const ALWAYS: u64 = 5;

/// What is odd about a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FindingKind {
    /// It changed what it is.
    TypeChanged,
    /// It differs from the catalogue.
    OtherType,
    /// It is not always there, though the catalogue requires it.
    Missing,
    /// It was not there from the start.
    NewField,
    /// The catalogue does not name it.
    Undeclared,
}

impl FindingKind {
    /// The word in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TypeChanged => "type_changed",
            Self::OtherType => "other_type",
            Self::Missing => "missing",
            Self::NewField => "new_field",
            Self::Undeclared => "undeclared",
        }
    }

    /// Whether somebody should look at it.
    #[must_use]
    pub const fn is_drift(self) -> bool {
        !matches!(self, Self::Undeclared)
    }
}

/// Something odd about a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What it is.
    pub kind: FindingKind,
    /// The field.
    pub pointer: String,
    /// That, in a sentence.
    pub sentence: String,
    /// Since when, if that is known.
    pub since: Option<Timestamp>,
    /// The delivery that shows it.
    pub delivery: Option<DeliveryId>,
}

/// A field and its rules in the catalogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldReport {
    /// What was learnt.
    pub field: DriftField,
    /// The number of places where it could have been.
    pub places: u64,
    /// The expected kind; `None` if the catalogue does not name it.
    pub declared: Option<JsonKinds>,
    /// Whether it must be there.
    pub is_required: bool,
}

/// What was learnt of an event type, and what is odd about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The fields, by their pointers.
    pub fields: Vec<FieldReport>,
    /// What is odd, the gravest first.
    pub findings: Vec<Finding>,
}

impl FieldReport {
    /// In how many of its places it was; an older sample may have counted it more often.
    #[must_use]
    pub fn present(&self) -> u64 {
        self.field.seen().min(self.places)
    }

    /// The same in thousandths, rounded.
    #[must_use]
    pub fn per_mille(&self) -> u64 {
        let twice = self.present().saturating_mul(2_000).saturating_add(self.places);
        twice.checked_div(self.places.saturating_mul(2)).unwrap_or(0)
    }
}

impl Report {
    /// The findings: learnt fields compared with the event type's schema and usual shape.
    #[must_use]
    pub fn of(known: &DriftType, fields: Vec<DriftField>, event_type: Option<&EventType>) -> Self {
        let said = event_type.map(said_of).unwrap_or_default();
        let shape_is_known = said.len() > 1;
        let shown = event_type.map(shown_by).unwrap_or_default();
        let fields = maps::folded(fields, |pointer| said.contains_key(&*variable::plain(pointer)));
        let seen = by_pointer(&fields);
        let mut findings = Vec::new();
        let fields: Vec<FieldReport> = fields
            .into_iter()
            .map(|field| {
                let said = said.get(&*variable::plain(&field.pointer));
                FieldReport {
                    places: places(&seen, &field.pointer),
                    declared: said.map(|said| said.kinds),
                    is_required: said.is_some_and(|said| said.is_required),
                    field,
                }
            })
            .collect();
        for field in &fields {
            findings.extend(changed(field).filter(|_| !is_of_all_variables(&field.field, &seen)));
            findings.extend(other_type(field));
            findings.extend(new_field(field, known));
            // Below what is not named nothing is.
            let is_judged = shape_is_known && !is_of_points(&field.field);
            let is_declared =
                field.declared.is_some() || shown.contains(&*variable::plain(&field.field.pointer));
            if is_judged && !is_declared && is_named(&said, parent(&field.field.pointer)) {
                findings.push(undeclared(field));
            }
        }
        for (pointer, said) in said.iter().filter(|(_, said)| said.is_required) {
            let present = seen
                .get(pointer)
                .map_or(0, |field| field.seen() - field.seen_as(JsonKind::Null).min(field.seen()));
            findings.extend(missing(pointer, *said, present, places(&seen, pointer)));
        }
        findings.sort_by(|a, b| (a.kind, &a.pointer).cmp(&(b.kind, &b.pointer)));
        Self { fields, findings }
    }

    /// What somebody should look at.
    pub fn drift(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.kind.is_drift())
    }
}

/// The usual shape names more than the schema. Without a shape, the schema decides what is required.
fn said_of(event_type: &EventType) -> BTreeMap<String, Said> {
    let mut said = expected::read(event_type.schema());
    for (pointer, shape) in event_type.shape().map(expected::read).unwrap_or_default() {
        let known = said.entry(pointer).or_default();
        if known.kinds.is_empty() {
            known.kinds = shape.kinds;
        }
        known.is_required |= shape.is_required;
    }
    said
}

/// The fields of the example: the catalogue shows them, even where neither schema nor shape names them.
fn shown_by(event_type: &EventType) -> BTreeSet<String> {
    let example = event_type.example().and_then(|example| serde_json::from_str::<Value>(example).ok());
    let mut all = BTreeSet::new();
    if let Some(example) = example {
        collect(&example, String::new(), &mut all);
    }
    all
}

fn collect(value: &Value, pointer: String, all: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            members.iter().for_each(|(key, value)| collect(value, member_of(&pointer, key), all));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, format!("{pointer}/*"), all)),
        _ => {}
    }
    all.insert(pointer);
}

/// The fields by their pointers; values of variables also together, as the catalogue names them.
fn by_pointer(fields: &[DriftField]) -> BTreeMap<String, DriftField> {
    let mut all: BTreeMap<String, DriftField> =
        fields.iter().map(|field| (field.pointer.clone(), field.clone())).collect();
    for field in fields {
        let plain = variable::plain(&field.pointer);
        if plain != field.pointer {
            match all.get_mut(&*plain) {
                Some(known) => maps::add(known, field.clone()),
                None => drop(all.insert(plain.into_owned(), field.clone())),
            }
        }
    }
    all
}

/// Values of all variables in one field: so earlier releases learnt them. Their types say nothing.
fn is_of_all_variables(field: &DriftField, seen: &BTreeMap<String, DriftField>) -> bool {
    let beside = field.pointer.strip_suffix(variable::VALUE).filter(|above| above.ends_with('/'));
    let variable = beside.and_then(|above| seen.get(&format!("{above}variable")));
    variable.is_some_and(|variable| variable.seen_as(JsonKind::String) > 0)
}

/// TagoIO's arrays of points have no envelope: the catalogue says nothing of them.
fn is_of_points(field: &DriftField) -> bool {
    field.pointer == "/*" || field.pointer.starts_with("/*/")
}

fn is_named(said: &BTreeMap<String, Said>, pointer: &str) -> bool {
    // An object without named members may contain anything.
    let below = format!("{pointer}/");
    said.contains_key(pointer) && said.keys().any(|other| other.starts_with(&below))
}

fn parent(pointer: &str) -> &str {
    pointer.rsplit_once('/').map_or("", |(parent, _)| parent)
}

/// In how many places a field could have stood: objects above it, or for items the arrays.
fn places(seen: &BTreeMap<String, DriftField>, pointer: &str) -> u64 {
    let above = seen.get(parent(pointer));
    match pointer.rsplit_once('/') {
        None => seen.get("").map_or(0, DriftField::seen),
        Some((_, "*")) => above.map_or(0, |field| {
            field.seen_as(JsonKind::Array).saturating_add(field.seen_as(JsonKind::Object))
        }),
        Some(_) => above.map_or(0, |field| field.seen_as(JsonKind::Object)),
    }
}

fn changed(field: &FieldReport) -> Option<Finding> {
    let (before, at, delivery) = field.field.changed?;
    let counts =
        field.field.kinds.iter().map(|kind| format!("{} {}×", kind.as_str(), field.field.seen_as(kind)));
    let counts = counts.collect::<Vec<_>>().join(", ");
    let sentence = format!("was {} until then; seen so far: {counts}", before.words());
    Some(finding(FindingKind::TypeChanged, field, sentence, at, delivery))
}

fn other_type(field: &FieldReport) -> Option<Finding> {
    let declared = field.declared.filter(|declared| !declared.is_empty())?;
    let is_payload = field.field.pointer.is_empty();
    let fits = |kind: &JsonKind| match kind {
        // A null counts as absent, and an array of points has no envelope.
        JsonKind::Null => true,
        JsonKind::Array if is_payload => true,
        JsonKind::Integer => declared.has(JsonKind::Integer) || declared.has(JsonKind::Number),
        kind => declared.has(*kind),
    };
    let odd: JsonKinds = field.field.kinds.iter().filter(|kind| !fits(kind)).collect();
    let count = odd.iter().map(|kind| field.field.seen_as(kind)).fold(0, u64::saturating_add);
    let sentence =
        format!("should be {} and was {} {count}× of {}", declared.words(), odd.words(), field.field.seen());
    let (_, at, delivery) =
        field.field.changed.unwrap_or((odd, field.field.first_seen, field.field.first_in));
    (!odd.is_empty()).then(|| finding(FindingKind::OtherType, field, sentence, at, delivery))
}

fn new_field(field: &FieldReport, known: &DriftType) -> Option<Finding> {
    let first = field.field.first_sample;
    let sentence = format!("first seen in sample {first} of {}", known.samples);
    // Other kinds of devices have other variables: that is not a change.
    let is_judged = !variable::is_one(&field.field.pointer);
    (is_judged && first > ALWAYS).then(|| {
        finding(FindingKind::NewField, field, sentence, field.field.first_seen, field.field.first_in)
    })
}

fn undeclared(field: &FieldReport) -> Finding {
    let sentence = format!("is not named by the catalogue; {}", field.field.kinds.words());
    finding(FindingKind::Undeclared, field, sentence, field.field.first_seen, field.field.first_in)
}

fn missing(pointer: &str, said: Said, present: u64, places: u64) -> Option<Finding> {
    let lacking = places.saturating_sub(present);
    let share = percent(lacking, places);
    let sentence = format!("is required and missing in {lacking} of {places} ({share})");
    (said.is_required && lacking > 0).then(|| Finding {
        kind: FindingKind::Missing,
        pointer: pointer.to_owned(),
        sentence,
        since: None,
        delivery: None,
    })
}

fn finding(
    kind: FindingKind,
    field: &FieldReport,
    sentence: String,
    at: Timestamp,
    delivery: DeliveryId,
) -> Finding {
    let pointer = field.field.pointer.clone();
    Finding { kind, pointer, sentence, since: Some(at), delivery: Some(delivery) }
}

#[cfg(test)]
mod tests;
