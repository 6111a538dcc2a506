//! All event types by name, including the user's own.

use std::collections::HashMap;
use std::path::Path;

use super::builtin::{EVENTS, canonical};
use super::event_type::EventType;
use super::folder::{self, CatalogFaults, Folder};
use super::schema::{Neighbours, Schema};
use super::schema_fault::SchemaFault;

/// The name of the user's schema for TagoIO's arrays of data points: `data.received.points.json`.
pub const POINTS: &str = "data.received.points";
/// The event type of an accepted array. An event of that name in an envelope has a separate schema.
const EVENT_OF_POINTS: &str = "data.received";

/// Every known event type.
#[derive(Debug)]
pub struct Catalog {
    event_types: Vec<EventType>,
    by_name: HashMap<String, usize>,
    by_alias: HashMap<&'static str, usize>,
    /// The files that a schema may refer to.
    neighbours: Neighbours,
    /// Valid keywords in the user's schemas that check nothing.
    notices: Vec<String>,
}

impl Catalog {
    /// The 32 events of the specification, and our own three.
    #[must_use]
    pub fn builtin() -> Self {
        Self::of(EVENTS.iter().map(EventType::builtin).collect(), Neighbours::default())
    }

    /// The events of the specification and those of `folder`. Each `NAME.json` or `NAME.schema.json` there is the JSON
    /// Schema of the event `NAME`, either new or a replacement. The files may refer to each other.
    ///
    /// # Errors
    /// When the folder or a file cannot be read, or a file is not a JSON Schema: every fault of every file.
    pub fn with_schemas_dir(folder: &Path) -> Result<Self, CatalogFaults> {
        let Folder { schemas, neighbours, notices } = folder::read(folder)?;
        let mut event_types: Vec<EventType> = EVENTS.iter().map(EventType::builtin).collect();
        for (name, schema) in schemas {
            put(&mut event_types, name, schema);
        }
        Ok(Self { notices, ..Self::of(event_types, neighbours) })
    }

    /// The same events, with `schema` as the JSON Schema of the event `name`, either new or a replacement.
    ///
    /// # Errors
    /// When it is not a JSON Schema: every fault of it.
    pub fn with_schema(&self, name: &str, schema: String) -> Result<Self, Vec<SchemaFault>> {
        let schema = Schema::read(&format!("{name}.json"), schema, &self.neighbours)?;
        let mut event_types = self.event_types.clone();
        put(&mut event_types, name.to_owned(), schema);
        Ok(Self::of(event_types, self.neighbours.clone()))
    }

    fn of(event_types: Vec<EventType>, neighbours: Neighbours) -> Self {
        let by_name = event_types
            .iter()
            .enumerate()
            .map(|(at, event_type)| (event_type.name().to_owned(), at))
            .collect();
        let by_alias = event_types
            .iter()
            .enumerate()
            .flat_map(|(at, event_type)| event_type.aliases().iter().map(move |alias| (*alias, at)))
            .collect();
        Self { event_types, by_name, by_alias, neighbours, notices: Vec::new() }
    }

    /// Valid keywords in `schemas_dir` that check nothing, one line each.
    #[must_use]
    pub fn notices(&self) -> &[String] {
        &self.notices
    }

    /// The event with that canonical name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&EventType> {
        self.by_name.get(name).and_then(|at| self.event_types.get(*at))
    }

    /// The event with that name or alias.
    #[must_use]
    pub fn resolve(&self, name: &str) -> Option<&EventType> {
        self.get(name).or_else(|| self.by_alias.get(name).and_then(|at| self.event_types.get(*at)))
    }

    /// The user's schema for TagoIO's arrays of data points; `None` if there is none.
    #[must_use]
    pub fn points(&self) -> Option<&EventType> {
        self.get(POINTS)
    }

    /// Every event, in the order of the specification, the user's own last.
    pub fn iter(&self) -> impl Iterator<Item = &EventType> {
        self.event_types.iter()
    }
}

/// Adds the user's schema to `event_types`.
fn put(event_types: &mut Vec<EventType>, name: String, schema: Schema) {
    // An event in an envelope is not an array, so a schema for arrays can only be meant for points.
    let is_of_points = name == EVENT_OF_POINTS && schema.is_of_arrays();
    let name = if is_of_points { POINTS.to_owned() } else { name };
    match event_types.iter_mut().find(|event_type| event_type.name() == canonical(&name)) {
        Some(event_type) => event_type.replace_schema(&name, schema),
        None => event_types.push(EventType::user(name, schema)),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use serde_json::{Value, json};

    use super::*;
    use crate::catalog::Strictness;
    use crate::domain::Fault;

    fn check(name: &str, payload: &Value) -> Vec<(String, String)> {
        let faults: Vec<Fault> = Catalog::builtin().resolve(name).unwrap().check_as(name, payload);
        faults.into_iter().map(|fault| (fault.path, fault.message)).collect()
    }

    #[test]
    fn every_example_fits_its_schema_and_its_shape() {
        let catalog = Catalog::builtin();
        for event_type in catalog.iter() {
            let example: Value = serde_json::from_str(event_type.example().unwrap()).unwrap();
            assert_eq!(example["event"], event_type.name());
            assert_eq!(event_type.check_as(event_type.name(), &example), [], "{}", event_type.name());
            assert_eq!(event_type.check_shape(&example), [], "{}", event_type.name());
        }
        assert_eq!(catalog.iter().count(), 35);
    }

    #[test]
    fn every_fault_is_listed_at_its_place_in_the_words_of_the_specification() {
        let faults = check("user.login", &json!({"event": "user.login", "user": {"id": null}}));
        let expected = [
            ("/timestamp", "Missing required field: timestamp"),
            ("/user/email", "Missing required field: user.email"),
            ("/user/id", "Missing required field: user.id"),
        ];
        let mut seen: Vec<(&str, &str)> = faults.iter().map(|(path, text)| (&**path, &**text)).collect();
        seen.sort_unstable();
        assert_eq!(seen, expected);
    }

    #[test]
    fn a_payload_without_a_name_misses_its_event() {
        let faults = check("user.login", &json!({"timestamp": 0, "user": {"id": 0, "email": ""}}));
        assert_eq!(faults, [("/event".to_owned(), "Missing required field: event".to_owned())]);
    }

    #[test]
    fn present_means_present_also_when_it_is_zero_false_or_empty() {
        let payload = json!({"event": "user.login", "timestamp": false, "user": {"id": 0, "email": ""}});
        assert_eq!(check("user.login", &payload), []);
    }

    #[test]
    fn s_12_a_parent_that_is_no_object_is_named() {
        for (data, message) in [
            (json!([]), "data must be an object, it is an array"),
            (json!("x"), "data must be an object, it is a string"),
            (json!(null), "Missing required field: data"),
            (json!({}), "Missing required field: data.variables"),
        ] {
            let payload = json!({"event": "data.received", "timestamp": "t", "data": data,
                "device": {"id": "d", "name": "n"}});
            let faults = check("data.received", &payload);
            assert_eq!(faults.len(), 1, "{faults:?}");
            assert_eq!(faults[0].1, message);
        }
    }

    #[test]
    fn aliases_lead_to_their_event() {
        let catalog = Catalog::builtin();
        for (alias, name) in [
            ("device_alert", "data.threshold"),
            ("threshold_exceeded", "data.threshold"),
            ("data.threshold_exceeded", "data.threshold"),
            ("dashboard_view", "dashboard.viewed"),
            ("user.registered", "user.registration"),
            ("user.created", "user.registration"),
            ("user.logged_in", "user.login"),
            ("login.failed", "user.login_failed"),
        ] {
            assert_eq!(catalog.resolve(alias).unwrap().name(), name);
            assert!(catalog.get(alias).is_none());
        }
        let alert = include_str!("../../catalog/examples/raw/sibling_overview_device_alert.json");
        assert_eq!(check("device_alert", &serde_json::from_str(alert).unwrap()), []);
        let login = include_str!("../../catalog/examples/raw/seed_user_login.json");
        assert_eq!(check("user.login", &serde_json::from_str(login).unwrap()), []);
    }

    #[test]
    fn schemas_of_the_user_s_own_are_added_or_stand_in_and_bad_ones_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, schema: &str| fs::write(folder.path().join(name), schema).unwrap();
        write("plant.watered.json", r#"{"title": "Watered", "required": ["litres"]}"#);
        write("user.login.json", r#"{"required": ["badge"]}"#);
        write("notes.txt", "not a schema");
        let catalog = Catalog::with_schemas_dir(folder.path()).unwrap();
        assert_eq!(catalog.iter().count(), 36);
        let watered = catalog.get("plant.watered").unwrap();
        assert_eq!((watered.title(), watered.check_as(watered.name(), &json!({})).len()), ("Watered", 1));
        assert_eq!(catalog.get("user.login").unwrap().check_as("user.login", &json!({}))[0].path, "/badge");
        for bad in ["{", r#"{"type": 7}"#, r#"{"$ref": "https://example.com/other.json"}"#] {
            write("bad.json", bad);
            let fault = Catalog::with_schemas_dir(folder.path()).unwrap_err();
            assert!(fault.to_string().contains("bad.json"), "{fault}");
        }
    }

    #[test]
    fn a_schema_of_arrays_is_that_of_points_and_leaves_the_event_in_its_envelope_alone() {
        for file in ["data.received.json", "data.received.points.json"] {
            let folder = tempfile::tempdir().unwrap();
            let schema = r#"{"type":"array","items":{"required":["group"]}}"#;
            fs::write(folder.path().join(file), schema).unwrap();
            let catalog = Catalog::with_schemas_dir(folder.path()).unwrap();
            let points = catalog.points().unwrap();
            assert_eq!(points.check_as(POINTS, &json!([{"variable": "t"}])).len(), 1, "{file}");
            assert_eq!(points.check_as(POINTS, &json!([{"variable": "t", "group": "g"}])), []);
            let event = catalog.get("data.received").unwrap();
            let example: Value = serde_json::from_str(event.example().unwrap()).unwrap();
            assert_eq!(event.check_as("data.received", &example), [], "{file}");
        }
        assert!(Catalog::builtin().points().is_none());
    }

    fn faults_of(files: &[(&str, &str)]) -> Vec<(String, String, String)> {
        let folder = tempfile::tempdir().unwrap();
        for (name, schema) in files {
            fs::write(folder.path().join(name), schema).unwrap();
        }
        let faults = Catalog::with_schemas_dir(folder.path()).unwrap_err().0;
        let name = |file: &Path| file.file_name().unwrap().to_str().unwrap().to_owned();
        faults.into_iter().map(|fault| (name(&fault.file), fault.fault.pointer, fault.fault.why)).collect()
    }

    #[test]
    fn every_fault_of_every_file_is_told_with_its_place_in_plain_words() {
        let faults = faults_of(&[
            ("a.json", r#"{"properties":{"a":{"properties":{"b":{"type":"strng"}}},"c":{"required":true}}}"#),
            ("b.json", r#"{"properties":{"v":{"minimum":5,"exclusiveMinimum":true}}}"#),
            ("c.json", r#"{"properties":{"v":{"$ref":"nowhere.json"}}}"#),
            ("d.json", r##"{"properties":{"v":{"$ref":"#/$defs/none"}}}"##),
            ("e.json", r#"{"properties":{"iccid":{"const":89550100000012345678}}}"#),
            ("f.json", r#"{"$schema":"https://example.com/my-draft"}"#),
            ("g.json", "[]"),
            ("h.json", r#"{"items":{"pattern":"("}}"#),
            ("i.json", r#"{"$ref":"https://example.com/other.json"}"#),
            ("j.json", "{,}"),
        ]);
        for (file, pointer, part) in [
            ("a.json", "/properties/a/properties/b/type", "\"strng\" is not a type (did you mean string?)"),
            ("a.json", "/properties/c/required", "must be a list of names"),
            ("b.json", "/properties/v/exclusiveMinimum", "draft-04"),
            ("c.json", "/properties/v/$ref", "there is no file \"nowhere.json\" in schemas_dir"),
            ("d.json", "/properties/v/$ref", "there is nothing at \"#/$defs/none\""),
            ("e.json", "/properties/iccid/const", "beyond 64 bits"),
            ("f.json", "/$schema", "is not a draft that is known"),
            ("g.json", "", "must be an object"),
            ("h.json", "/items/pattern", "is not a regular expression"),
            ("i.json", "/$ref", "nothing is fetched"),
            ("j.json", "", "line 1 column 2"),
        ] {
            let is_told = |fault: &&(String, String, String)| fault.0 == file && fault.1 == pointer;
            let told: Vec<_> = faults.iter().filter(is_told).collect();
            assert!(told.len() == 1 && told[0].2.contains(part), "{file}: {faults:#?}");
        }
        assert_eq!(faults.len(), 11, "{faults:#?}");
    }

    #[test]
    fn what_is_not_read_and_what_checks_nothing_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, schema: &str| fs::write(folder.path().join(name), schema).unwrap();
        write("a.json", r#"{"requird": ["a"]}"#);
        write("b.yaml", "type: object");
        write("readme.md", "# Ours");
        fs::create_dir(folder.path().join("more.json")).unwrap();
        let catalog = Catalog::with_schemas_dir(folder.path()).unwrap();
        let told = catalog.notices().join("\n");
        for part in ["a.json: /requird: is not a keyword", "b.yaml: is not read", "more.json: is a folder"] {
            assert!(told.contains(part), "{told}");
        }
        assert_eq!(catalog.notices().len(), 3, "{told}");
        for name in ["c.json", "d.json"] {
            write(name, r#"{"$id": "https://example.com/s"}"#);
        }
        let faults = Catalog::with_schemas_dir(folder.path()).unwrap_err().to_string();
        assert!(
            faults.ends_with("d.json: /$id: \"https://example.com/s\" is the \"$id\" of another file too"),
            "{faults}"
        );
    }

    #[test]
    fn files_are_named_as_people_name_them_and_refer_to_each_other() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, schema: &str| fs::write(folder.path().join(name), schema).unwrap();
        write("plant.watered.schema.json", "\u{feff}{\"required\": [\"litres\"]}");
        write("X.JSON", r##"{"properties": {"at": {"$ref": "common.json#/$defs/at"}}}"##);
        write("common.json", r##"{"$defs": {"at": {"type": "string"}}}"##);
        write("y.json", r#"{"$id": "https://example.com/s/y.json", "$ref": "z.json"}"#);
        write("z.json", r#"{"$id": "https://example.com/s/z.json", "required": ["z"]}"#);
        write(
            "old.json",
            r#"{"$schema": "http://json-schema.org/draft-04/schema#",
            "properties": {"v": {"minimum": 5, "exclusiveMinimum": true}}}"#,
        );
        write("._x.json", "\u{0}");
        let catalog = Catalog::with_schemas_dir(folder.path()).unwrap();
        let fails =
            |name: &str, payload: Value| catalog.get(name).unwrap().check_as(name, &payload).len() == 1;
        assert!(fails("plant.watered", json!({})) && !fails("plant.watered", json!({"litres": 1})));
        assert!(fails("X", json!({"at": 5})) && !fails("X", json!({"at": "t"})));
        assert!(fails("y", json!({})) && !fails("y", json!({"z": 1})));
        assert!(fails("old", json!({"v": 5})) && !fails("old", json!({"v": 6})));
        let twice = faults_of(&[("a.json", "{}"), ("a.schema.json", "{}")]);
        assert!(twice.len() == 1 && twice[0].2.contains("second schema of the event \"a\""), "{twice:?}");
    }

    #[test]
    fn a_schema_for_an_alias_is_that_of_the_alias_and_the_event_keeps_its_name() {
        for alias in ["device_alert", "user.logged_in", "user.created", "login.failed", "dashboard_view"] {
            let catalog =
                Catalog::builtin().with_schema(alias, r#"{"required": ["badge"]}"#.to_owned()).unwrap();
            let event_type = catalog.resolve(alias).unwrap();
            assert_eq!((event_type.name(), catalog.get(alias).is_some()), (canonical(alias), false));
            assert_eq!(event_type.check_as(alias, &json!({}))[0].path, "/badge");
            let example: Value = serde_json::from_str(event_type.example().unwrap()).unwrap();
            assert_eq!(event_type.check_as(event_type.name(), &example), [], "{alias}");
            assert_eq!(event_type.check_as(event_type.name(), &example), []);
            assert_eq!(catalog.iter().count(), 35);
        }
    }

    #[test]
    fn a_null_is_told_from_what_is_missing() {
        let schema = r#"{"required":["id"],"properties":{"id":{"type":"string"},"note":{"type":"string"},
            "list":{"items":{"type":["number","string"]}}}}"#;
        let catalog = Catalog::builtin().with_schema("a", schema.to_owned()).unwrap();
        let payload = json!({"id": null, "note": null, "list": [1, "2", null]});
        let mut messages: Vec<String> = catalog
            .get("a")
            .unwrap()
            .check_as("a", &payload)
            .into_iter()
            .map(|fault| fault.message)
            .collect();
        messages.sort();
        assert_eq!(
            messages,
            [
                "Missing required field: id",
                "list.2 must be a number or a string, it is null",
                "note must be a string, it is null",
            ]
        );
    }

    #[test]
    fn formats_are_checked_where_the_rule_is_strict() {
        let schema = r#"{"properties":{"at":{"format":"date-time"}}}"#;
        let catalog = Catalog::builtin().with_schema("a", schema.to_owned()).unwrap();
        let (event_type, payload) = (catalog.get("a").unwrap(), json!({"at": "yesterday"}));
        assert_eq!(event_type.check_as(event_type.name(), &payload), []);
        let strictly = event_type.check_strictly("a", &payload);
        assert_eq!(strictly[0].path, "/at");
        assert_eq!(event_type.strictness("a"), Strictness::Formats);
    }
}
