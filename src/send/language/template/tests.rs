//! The results of templates.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::domain::Timestamp;

fn scope(body: &str) -> Scope {
    Scope::new(Some("e1"), "user.login", Timestamp::from_secs(0), body.as_bytes()).unwrap()
}

fn compile(template: &str) -> Result<(Template, Vec<String>), Vec<Fault>> {
    Template::compile(&serde_json::from_str::<Box<RawValue>>(template).unwrap())
}

fn render(template: &str, body: &str) -> Rendered {
    compile(template).unwrap().0.render(&scope(body))
}

#[test]
fn tp_01_any_text_in_a_value_stays_inside_its_string() {
    let hostile = json!({"v": "a\n\"b\\c\t\u{7}</script>', \"x\": 1"});
    let text = render(r#"{"t":"<{{v}}>"}"#, &hostile.to_string()).text;
    let read: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(read["t"].as_str().unwrap(), format!("<{}>", hostile["v"].as_str().unwrap()));
}

#[test]
fn tp_02_a_whole_value_keeps_its_type_and_its_digits_and_inside_text_it_is_text() {
    for value in [
        "42",
        "4.0",
        "1e2",
        "true",
        "null",
        "[1, 2.0]",
        r#"{"a": 1}"#,
        "123456789012345678901234567890",
        "\"x\"",
    ] {
        let body = format!(r#"{{"v":{value}}}"#);
        assert_eq!(render(r#"{"w":"{{v}}"}"#, &body).text, format!(r#"{{"w":{value}}}"#));
    }
    let inside = |value: &str| render(r#""<{{v}}>""#, &format!(r#"{{"v":{value}}}"#)).text;
    assert_eq!(inside("4.0"), "\"<4.0>\"");
    assert_eq!(inside("true"), "\"<true>\"");
    assert_eq!(inside("null"), "\"<>\"");
    assert_eq!(inside(r#"{"a": [1, "b c"]}"#), r#""<{\"a\":[1,\"b c\"]}>""#);
}

#[test]
fn tp_04_what_is_put_in_is_never_looked_at_again() {
    let body = r#"{"user":{"name":"{{event.secret}}"},"event":"x"}"#;
    assert_eq!(render(r#""Hi {{user.name}}""#, body).text, r#""Hi {{event.secret}}""#);
}

#[test]
fn tp_09_a_fault_of_a_template_is_told_with_its_place() {
    for (template, pointer, word) in [
        (r#"{"a":["x","{{user.id"]}"#, "/a/1", "never closed"),
        (r#"{"a":{"b~/c":"{{}}"}}"#, "/a/b~0~1c", "empty"),
        (r#"{"a":"{{ user.id + }}"}"#, "/a", "character 0"),
        (r#"{"a":"1234 {{ 'x }} y"}"#, "/a", "character 5"),
    ] {
        let faults = compile(template).unwrap_err();
        assert_eq!(faults[0].pointer, pointer, "{faults:?}");
        assert!(faults[0].message.contains(word), "{faults:?}");
    }
}

#[test]
fn a_missing_value_is_null_whole_and_nothing_in_text_and_is_told() {
    let rendered = render(r#"{"a":"{{usr.id}}","b":"<{{user.x}}>","c":"{{1/0}}"}"#, r#"{"user":{}}"#);
    assert_eq!(rendered.text, r#"{"a":null,"b":"<>","c":null}"#);
    assert_eq!(rendered.missing, ["usr.id", "user.x"]);
    assert_eq!(rendered.errors.len(), 1);
}

#[test]
fn literals_and_the_order_of_members_stay_as_written() {
    let template =
        r#"{"z":1.0,"a":[1e2,"\u00e9",true],"n":123456789012345678901234567890,"{{k}}":"{{user.id}}"}"#;
    let rendered = render(template, r#"{"user":{"id":7}}"#);
    assert_eq!(rendered.text, template.replace(r#""{{user.id}}""#, "7"));
}

#[test]
fn expressions_may_hold_braces_and_quotes() {
    let text = render(
        r#"{"a":"{{ {'x': {'y': '}}'}} }}","b":"{{user.name == 'a' ? 'yes' : 'no'}}!"}"#,
        r#"{"user":{"name":"a"}}"#,
    )
    .text;
    assert_eq!(text, r#"{"a":{"x":{"y":"}}"}},"b":"yes!"}"#);
}

#[test]
fn what_well_known_receivers_do_not_understand_is_a_warning() {
    let (_, warnings) =
        compile(r#"{"attachments":[{"ts":"{{event.timestamp}}"}],"@type":"MessageCard"}"#).unwrap();
    assert!(warnings[0].contains("epoch"), "{warnings:?}");
    assert!(warnings[1].contains("Adaptive Card"), "{warnings:?}");
}

#[test]
fn placeholders_that_never_get_a_value_are_warnings() {
    for (template, warning) in [
        (r#"{"a":"{{event.nme}}"}"#, "{{event.nme}}: event has no \"nme\""),
        (r#"{"a":"{{event.tpye}}"}"#, "(did you mean type?)"),
        (r#"{"a":"${user.name}"}"#, "payload_template/a: \"${user.name}\" is sent unchanged"),
        (r#"{"a":["{% if x %}"]}"#, "payload_template/a/0: "),
        (r#"{"a":"<%= x %>"}"#, "a value is written {{data.value}}"),
    ] {
        let (_, warnings) = compile(template).unwrap();
        assert!(warnings.len() == 1 && warnings[0].contains(warning), "{template}: {warnings:?}");
    }
    let (_, warnings) =
        compile(r#"{"a":"{{event.mark}} {{event.data.x}}","b":"costs $5 {ok}","c":"100 %"}"#).unwrap();
    assert_eq!(warnings, [""; 0]);
}

#[test]
fn a_payload_has_an_end() {
    let template = format!("[{}]", vec!["\"{{v}}\""; 40].join(","));
    let body = format!(r#"{{"v":"{}"}}"#, "x".repeat(1 << 20));
    assert!(render(&template, &body).is_too_large());
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_filter("finite", |number| number.is_finite()).prop_map(Value::from),
        ".*".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map(".*", inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn whatever_an_event_holds_the_payload_is_json_and_a_whole_value_comes_back(value in any_json()) {
        let body = json!({"v": value}).to_string();
        let rendered = render(r#"{"whole":"{{v}}","text":"a {{v}} b {{v.x}}"}"#, &body);
        let read: Value = serde_json::from_str(&rendered.text).unwrap();
        let sent: Value = serde_json::from_str(&body).unwrap();
        prop_assert_eq!(&read["whole"], &sent["v"]);
        prop_assert!(read["text"].is_string());
    }

    #[test]
    fn any_text_compiles_or_is_refused_without_a_panic(text in ".{0,60}") {
        let _ = TextTemplate::compile(&text);
        let _ = TextTemplate::compile(&format!("{{{{{text}}}}}"));
    }
}

#[test]
fn what_is_sent_as_it_is_and_what_is_meant_otherwise_is_said() {
    let warned = |template: &str| compile(template).unwrap().1.join("; ");
    assert!(warned(r#"{"{{data.name}}":1}"#).contains("only values can be templates"));
    assert!(warned(r#"{"n":"{{data.list.length}}"}"#).contains("size(data.list)"));
    assert_eq!(warned(r#"{"n":"{{data.name}}"}"#), "");
    let faults = compile(r#"{"n":"{{{data.name}}}"}"#).unwrap_err();
    assert!(faults[0].message.contains("write {{data.name}}"), "{faults:?}");
}
