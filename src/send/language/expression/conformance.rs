//! The specification's own tests (npm `@bufbuild/cel-spec`), run through the engine of filters and templates: parser,
//! rewriting, our operators. `docs/EXPRESSIONS.md` lists the excluded tests.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Write as _};
use std::process::Command;

use cel::common::types::{
    CelBool, CelBytes, CelDouble, CelInt, CelList, CelMap, CelMapKey, CelNull, CelString, CelType, CelUInt,
};
use serde::Deserialize;
use serde_json::Value as JsonValue;

use super::json::same;
use super::number::JsonNumber;
use super::*;

/// The number of tests that must pass: at least as many as with the library's own evaluator.
const FLOOR: usize = 1_575;

#[derive(Debug, Deserialize)]
struct Case {
    group: String,
    name: String,
    #[serde(default)]
    messages: bool,
    #[serde(default)]
    expr: String,
    #[serde(default)]
    bindings: Vec<(String, JsonValue)>,
    expected: Option<JsonValue>,
}

/// A value in the format of `tests/data/cel-spec.mjs`: its type, and its text or its parts.
fn read(typed: &JsonValue) -> Box<dyn Val> {
    let kind = typed[0].as_str().unwrap();
    let text = typed[1].as_str().unwrap_or_default();
    match kind {
        "int64" => Box::new(CelInt::from(text.parse::<i64>().unwrap())),
        "uint64" => Box::new(CelUInt::from(text.parse::<u64>().unwrap())),
        "double" => Box::new(CelDouble::from(text.replace("Infinity", "inf").parse::<f64>().unwrap())),
        "bool" => Box::new(CelBool::from(text == "true")),
        "string" => Box::new(CelString::from(text.to_owned())),
        "bytes" => {
            use base64::Engine as _;
            let bytes = base64::engine::general_purpose::STANDARD.decode(text).unwrap();
            Box::new(CelBytes::from(bytes))
        }
        "null" => Box::new(CelNull),
        "type" => Box::new(CelType::new(text)),
        "list" => {
            let items: Vec<Box<dyn Val>> = typed[1].as_array().unwrap().iter().map(read).collect();
            Box::new(CelList::from(items))
        }
        "map" => {
            let mut entries: HashMap<CelMapKey<'static>, Box<dyn Val>> = HashMap::new();
            for entry in typed[1].as_array().unwrap() {
                entries.insert(read(&entry[0]).try_into().map_err(|_| "a key").unwrap(), read(&entry[1]));
            }
            Box::new(CelMap::from(entries))
        }
        other => panic!("a value of kind {other}"),
    }
}

/// The value of a case in our engine. The limits on length and brackets, and the early refusal of unknown functions,
/// are skipped: they only exist for users.
fn outcome(case: &Case) -> Result<(), String> {
    let parsed = parse(&case.expr, false);
    let (program, found) = match (parsed, &case.expected) {
        (Ok(parsed), _) => parsed,
        (Err(_), None) => return Ok(()),
        (Err(why), Some(_)) => return Err(why),
    };
    let mut context = Context::with_env(library::environment()?);
    for (name, value) in &case.bindings {
        context.add_variable_as_val(name.as_str(), read(value));
    }
    for (name, pattern) in &found.patterns {
        context.add_variable_as_val(name.as_str(), pattern.clone_as_boxed());
    }
    let value =
        budget::within(|| Value::resolve_val(&program, &context)).map_err(|error| fault::sentence(&error));
    match (value, &case.expected) {
        (Err(_), None) => Ok(()),
        (Err(why), Some(expected)) => Err(format!("{expected} expected: {why}")),
        (Ok(value), None) => Err(format!("a fault expected, {} seen", shown(&*value))),
        (Ok(value), Some(expected)) => {
            let right = read(expected);
            let is_right = fits(&*value, right.as_ref());
            if is_right { Ok(()) } else { Err(format!("{expected} expected, {} seen", shown(&*value))) }
        }
    }
}

fn fits(value: &dyn Val, right: &dyn Val) -> bool {
    if let (Some(one), Some(other)) = (value.downcast_ref::<CelDouble>(), right.downcast_ref::<CelDouble>()) {
        return one.inner() == other.inner() || (one.inner().is_nan() && other.inner().is_nan());
    }
    let is_number = value.downcast_ref::<JsonNumber>().is_some();
    (is_number || value.get_type() == right.get_type()) && same(value, right).unwrap_or(false)
}

fn shown(value: &dyn Val) -> String {
    let mut text = String::new();
    match output::write(value, &mut text) {
        Ok(()) => text,
        Err(why) => why,
    }
}

#[test]
fn the_specifications_own_tests_pass() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/cel-spec.mjs");
    let made = Command::new("node").arg(script).output().expect("node");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let lines = String::from_utf8(made.stdout).unwrap();
    let cases: Vec<Case> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (of_messages, cases): (Vec<Case>, Vec<Case>) = cases.into_iter().partition(|case| case.messages);
    let mut failed: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for case in &cases {
        let result = std::panic::catch_unwind(|| outcome(case)).unwrap_or_else(|_| Err("a panic".to_owned()));
        if let Err(why) = result {
            failed
                .entry(case.group.clone())
                .or_default()
                .push(format!("{} `{}`: {why}", case.name, case.expr));
        }
    }
    for (group, whys) in &failed {
        println!("{group}: {} fail", whys.len());
        for why in whys {
            println!("    {}", why.chars().take(200).collect::<String>());
        }
    }
    let fails: usize = failed.values().map(Vec::len).sum();
    let passes = cases.len() - fails;
    let count = format!(
        "CEL specification: {passes} of {} pass, {} of protobuf messages left out",
        cases.len(),
        of_messages.len()
    );
    // Writes to standard error directly: the test macros only show output of failed tests.
    writeln!(io::stderr(), "{count}").unwrap();
    assert!(passes >= FLOOR, "{passes} of {} pass, at least {FLOOR} must", cases.len());
}
