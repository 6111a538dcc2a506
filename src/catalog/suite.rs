//! The JSON Schema Test Suite for draft 2020-12, run through the catalogue like user schemas. Exclusions and their
//! reasons are in `docs/decisions/0021-schemas-filters-and-what-fails.md`.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde_json::Value;
use serde_json::value::RawValue;

use super::Catalog;

/// The base of documents that the suite serves itself: nothing is ever fetched here.
const ELSEWHERE: &str = "http://localhost:1234/";
/// The event used for every schema.
const EVENT: &str = "of.the.suite";

#[derive(serde::Deserialize)]
struct Group {
    description: String,
    schema: Box<RawValue>,
    tests: Vec<Case>,
}

#[derive(serde::Deserialize)]
struct Case {
    description: String,
    data: Value,
    valid: bool,
}

#[derive(Default)]
struct Count {
    passed: usize,
    failed: Vec<String>,
    elsewhere: usize,
}

impl Count {
    fn run(&mut self, file: &str, group: &Group) {
        let is_format = file.starts_with("optional/format/");
        let catalog = Catalog::builtin().with_schema(EVENT, group.schema.get().to_owned());
        if catalog.is_err() && group.schema.get().contains(ELSEWHERE) {
            self.elsewhere += group.tests.len();
            return;
        }
        for case in &group.tests {
            let is_valid = catalog.as_ref().map(|catalog| {
                let event_type = catalog.get(EVENT).unwrap();
                let faults = if is_format {
                    event_type.check_strictly(EVENT, &case.data)
                } else {
                    event_type.check_as(EVENT, &case.data)
                };
                faults.is_empty()
            });
            if is_valid.as_ref().ok() == Some(&case.valid) {
                self.passed += 1;
            } else {
                self.failed.push(format!("{file}: {}: {}", group.description, case.description));
            }
        }
    }
}

#[test]
fn the_json_schema_test_suite_passes_as_far_as_nothing_is_fetched() {
    let suite =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/jsonschema-4.26.0/json/tests/draft2020-12");
    let mut files = files_below(&suite);
    files.sort();
    assert!(files.len() >= 80, "the suite is not there; ./test puts it there");
    let (mut required, mut formats, mut optional) = (Count::default(), Count::default(), Count::default());
    for path in &files {
        let file = path.strip_prefix(&suite).unwrap().to_str().unwrap();
        let groups: Vec<Group> = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        let count = match file.strip_prefix("optional/") {
            None => &mut required,
            Some(rest) if rest.starts_with("format/") => &mut formats,
            Some(_) => &mut optional,
        };
        groups.iter().for_each(|group| count.run(file, group));
    }
    for (what, count) in [("required", &required), ("formats", &formats), ("other optional", &optional)] {
        let (passed, failed, elsewhere) = (count.passed, count.failed.len(), count.elsewhere);
        // Writes to standard error directly: the test macros only show output of failed tests.
        writeln!(
            io::stderr(),
            "JSON Schema Test Suite, {what}: {passed} pass, {failed} fail, {elsewhere} need documents from elsewhere"
        )
        .unwrap();
        count.failed.iter().for_each(|case| println!("  {case}"));
    }
    assert_eq!(required.failed, Vec::<String>::new());
    assert!(required.passed >= 1_200, "{}", required.passed);
    assert!(formats.passed >= 480, "{}", formats.passed);
    assert!(optional.passed >= 150, "{}", optional.passed);
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(files_below(&path));
        } else {
            files.push(path);
        }
    }
    files
}
