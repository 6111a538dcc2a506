//! Which differences are findings, and which are not.

use super::*;
use crate::catalog::Catalog;
use crate::inspect::drift::shape::{Shape, learnt_fields};
use crate::store::SeenIn;

fn at(secs: i64) -> Timestamp {
    Timestamp::from_secs(1_800_000_000 + secs)
}

fn known(samples: u64) -> DriftType {
    DriftType {
        id: 1,
        source: "s".to_owned(),
        event_type: "plant.watered".to_owned(),
        deliveries: samples,
        refused: 0,
        samples,
        fields: 1,
        is_cut: false,
        first_seen: at(0),
        first_in: DeliveryId::new_at(at(0)),
        last_seen: at(9),
        through: 9,
    }
}

fn field(pointer: &str, counts: [u64; 7], first_sample: u64) -> DriftField {
    let kinds = JsonKind::ALL.into_iter().filter(|kind| counts[kind.place()] > 0).collect();
    DriftField {
        pointer: pointer.to_owned(),
        kinds,
        counts,
        first_seen: at(1),
        first_in: DeliveryId::new_at(at(1)),
        first_sample,
        last_seen: at(9),
        changed: None,
    }
}

fn learnt(shape: Shape) -> Vec<DriftField> {
    learnt_fields(shape).into_iter().map(|one| field(&one.pointer, one.counts, 1)).collect()
}

fn kinds_of(report: &Report) -> Vec<(FindingKind, &str)> {
    report.findings.iter().map(|finding| (finding.kind, finding.pointer.as_str())).collect()
}

#[test]
fn a_required_field_that_lacks_or_is_null_is_missing_and_its_share_is_told() {
    let schema = r#"{"required":["litres"],"properties":{"litres":{"type":"number"}}}"#;
    let catalog = Catalog::builtin().with_schema("plant.watered", schema.to_owned()).unwrap();
    let fields = vec![
        field("", [0, 0, 0, 0, 0, 0, 1_000], 1),
        field("/litres", [5, 0, 900, 40, 20, 0, 0], 1),
        field("/pump", [0, 0, 0, 0, 10, 0, 0], 5),
        field("/valve", [0, 0, 0, 0, 10, 0, 0], 6),
    ];
    let report = Report::of(&known(1_000), fields, catalog.get("plant.watered"));
    assert_eq!(
        kinds_of(&report),
        [
            (FindingKind::OtherType, "/litres"),
            (FindingKind::Missing, "/litres"),
            (FindingKind::NewField, "/valve"),
            (FindingKind::Undeclared, "/pump"),
            (FindingKind::Undeclared, "/valve"),
        ]
    );
    assert!(report.findings[0].sentence.contains("was string 20× of 965"), "{:?}", report.findings[0]);
    assert!(report.findings[1].sentence.contains("40 of 1000 (4 %)"), "{:?}", report.findings[1]);
    assert_eq!(report.drift().count(), 3);
    assert_eq!((report.fields[1].present(), report.fields[1].places), (965, 1_000));
}

#[test]
fn the_catalogue_says_nothing_of_arrays_of_points() {
    let catalog = Catalog::builtin();
    let fields = vec![
        field("", [0, 0, 0, 0, 0, 4, 0], 1),
        field("/*", [0, 0, 0, 0, 0, 0, 8], 1),
        field("/*/variable", [0, 0, 0, 0, 8, 0, 0], 1),
    ];
    assert_eq!(Report::of(&known(4), fields, catalog.get("data.received")).findings, []);
}

#[test]
fn only_a_variable_that_changes_its_own_type_is_a_change() {
    let change = ([JsonKind::Number].into_iter().collect(), at(5), DeliveryId::new_at(at(5)));
    let mut own = field("/*/value[t]", [0, 0, 0, 5, 1, 0, 0], 1);
    own.changed = Some(change);
    let mut earlier = field("/*/value", [0, 0, 0, 5, 5, 0, 0], 1);
    earlier.changed = Some(change);
    let fields = vec![
        field("", [0, 0, 0, 0, 0, 9, 0], 1),
        field("/*", [0, 0, 0, 0, 0, 0, 18], 1),
        earlier,
        field("/*/value[door]", [0, 0, 0, 0, 9, 0, 0], 8),
        own,
        field("/*/variable", [0, 0, 0, 0, 18, 0, 0], 1),
    ];
    let report = Report::of(&known(9), fields, Catalog::builtin().get("data.received"));
    assert_eq!(kinds_of(&report), [(FindingKind::TypeChanged, "/*/value[t]")]);
    assert_eq!(
        (report.fields[3].present(), report.fields[3].places),
        (9, 18),
        "half of the points are of that variable"
    );
}

#[test]
fn values_of_variables_are_what_the_catalogue_names_together() {
    let schema = r#"{"properties":{"data":{"properties":{"variables":{"items":{"required":["value"],
        "properties":{"variable":{"type":"string"},"value":{"type":["number","string"]}}}}}}}}"#;
    let catalog = Catalog::builtin().with_schema("plant.watered", schema.to_owned()).unwrap();
    let fields = vec![
        field("", [0, 0, 0, 0, 0, 0, 4], 1),
        field("/data", [0, 0, 0, 0, 0, 0, 4], 1),
        field("/data/variables", [0, 0, 0, 0, 0, 4, 0], 1),
        field("/data/variables/*", [0, 0, 0, 0, 0, 0, 8], 1),
        field("/data/variables/*/value[a]", [0, 0, 0, 4, 0, 0, 0], 1),
        field("/data/variables/*/value[b]", [0, 0, 0, 0, 3, 0, 0], 1),
        field("/data/variables/*/variable", [0, 0, 0, 0, 8, 0, 0], 1),
    ];
    let report = Report::of(&known(4), fields, catalog.get("plant.watered"));
    assert_eq!(kinds_of(&report), [(FindingKind::Missing, "/data/variables/*/value")]);
    assert!(report.findings[0].sentence.contains("1 of 8"), "{:?}", report.findings[0]);
}

#[test]
fn without_the_catalogue_only_changes_are_told() {
    let mut changed = field("/v", [0, 0, 3, 0, 1, 0, 0], 1);
    changed.changed = Some(([JsonKind::Integer].into_iter().collect(), at(5), DeliveryId::new_at(at(5))));
    let report = Report::of(&known(4), vec![field("", [0, 0, 0, 0, 0, 0, 4], 1), changed], None);
    assert_eq!(kinds_of(&report), [(FindingKind::TypeChanged, "/v")]);
    assert_eq!(report.findings[0].since, Some(at(5)));
    assert!(report.findings[0].sentence.contains("integer 3×, string 1×"));
}

#[test]
fn no_example_of_the_catalogue_has_a_finding() {
    let catalog = Catalog::builtin();
    for name in crate::catalog::names().map(crate::catalog::canonical) {
        let event_type = catalog.get(name).unwrap();
        let event = serde_json::from_str(event_type.example().unwrap()).unwrap();
        let mut shape = Shape::default();
        let seen = SeenIn { delivery: DeliveryId::new_at(at(1)), at: at(1), sample: 1 };
        shape.add(&event, seen);
        assert_eq!(Report::of(&known(1), learnt(shape), Some(event_type)).findings, [], "{name}");
    }
}
