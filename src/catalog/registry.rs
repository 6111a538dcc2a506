//! All kinds of events by name, the user's own among them.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

use super::builtin::EVENTS;
use super::event_type::{EventType, compile};

/// A schema of the user's that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("schemas_dir: {file}: {why}")]
pub struct CatalogError {
    /// The file or folder.
    pub file: String,
    /// What is wrong with it.
    pub why: String,
}

/// Every kind of event that is known.
#[derive(Debug)]
pub struct Catalog {
    event_types: Vec<EventType>,
    by_name: HashMap<String, usize>,
    by_alias: HashMap<&'static str, usize>,
}

impl Catalog {
    /// The 32 events of the specification, and our own three.
    #[must_use]
    pub fn builtin() -> Self {
        let event_types: Vec<EventType> = EVENTS.iter().map(EventType::builtin).collect();
        Self::of(event_types)
    }

    /// The events of the specification and those of `folder`: each `NAME.json` there is the JSON Schema of the event
    /// `NAME`, a new one or in the place of the specification's.
    ///
    /// # Errors
    /// When the folder or a file cannot be read, or a file is not a JSON Schema that stands alone.
    pub fn with_schemas_dir(folder: &Path) -> Result<Self, CatalogError> {
        let fault = |file: &Path, why: String| CatalogError { file: file.display().to_string(), why };
        let mut files: Vec<_> = fs::read_dir(folder)
            .map_err(|error| fault(folder, error.to_string()))?
            .filter_map(|entry| entry.ok().map(|entry| entry.path()))
            .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
            .collect();
        files.sort();
        let mut event_types: Vec<EventType> = EVENTS.iter().map(EventType::builtin).collect();
        for file in files {
            let name = file.file_stem().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
            let schema = fs::read_to_string(&file).map_err(|error| fault(&file, error.to_string()))?;
            put(&mut event_types, name, schema).map_err(|why| fault(&file, why))?;
        }
        Ok(Self::of(event_types))
    }

    /// The same events, with `schema` as the JSON Schema of the event `name`, a new one or in the place of its own.
    ///
    /// # Errors
    /// When it is not a JSON Schema that stands alone.
    pub fn with_schema(&self, name: &str, schema: String) -> Result<Self, String> {
        let mut event_types: Vec<EventType> = self.iter().map(EventType::copy).collect();
        put(&mut event_types, name.to_owned(), schema)?;
        Ok(Self::of(event_types))
    }

    fn of(event_types: Vec<EventType>) -> Self {
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
        Self { event_types, by_name, by_alias }
    }

    /// The event of that canonical name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&EventType> {
        self.by_name.get(name).and_then(|at| self.event_types.get(*at))
    }

    /// The event of that name or alias.
    #[must_use]
    pub fn resolve(&self, name: &str) -> Option<&EventType> {
        self.get(name).or_else(|| self.by_alias.get(name).and_then(|at| self.event_types.get(*at)))
    }

    /// Every event, in the order of the specification, the user's own last.
    pub fn iter(&self) -> impl Iterator<Item = &EventType> {
        self.event_types.iter()
    }
}

/// Puts the user's schema among `event_types`.
fn put(event_types: &mut Vec<EventType>, name: String, schema: String) -> Result<(), String> {
    compile(&schema, false)?;
    match event_types.iter_mut().find(|event_type| event_type.name() == name) {
        Some(event_type) => event_type.replace_schema(schema),
        None => event_types.push(EventType::user(name, title(&schema), schema)),
    }
    Ok(())
}

fn title(schema: &str) -> String {
    let schema: Option<Value> = serde_json::from_str(schema).ok();
    schema
        .as_ref()
        .and_then(|schema| schema.get("title"))
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::Fault;

    fn check(name: &str, payload: &Value) -> Vec<(String, String)> {
        let faults: Vec<Fault> = Catalog::builtin().resolve(name).unwrap().check(payload);
        faults.into_iter().map(|fault| (fault.path, fault.message)).collect()
    }

    #[test]
    fn every_example_fits_its_schema_and_its_shape() {
        let catalog = Catalog::builtin();
        for event_type in catalog.iter() {
            let example: Value = serde_json::from_str(event_type.example().unwrap()).unwrap();
            assert_eq!(example["event"], event_type.name());
            assert_eq!(event_type.check(&example), [], "{}", event_type.name());
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
            (json!([]), "data: object expected, array seen"),
            (json!("x"), "data: object expected, string seen"),
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
        assert_eq!((watered.title(), watered.check(&json!({})).len()), ("Watered", 1));
        assert_eq!(catalog.get("user.login").unwrap().check(&json!({}))[0].path, "/badge");
        for bad in ["{", r#"{"type": 7}"#, r#"{"$ref": "https://example.com/other.json"}"#] {
            write("bad.json", bad);
            let fault = Catalog::with_schemas_dir(folder.path()).unwrap_err();
            assert!(fault.to_string().contains("bad.json"), "{fault}");
        }
    }
}
