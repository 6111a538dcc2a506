//! Which events filters let pass.

use super::*;
use crate::domain::Timestamp;

fn compile(filters: &str) -> Result<Filters, Vec<Fault>> {
    Filters::compile(&serde_json::from_str::<Box<RawValue>>(filters).unwrap())
}

fn judge(filters: &str, event_type: &str, body: &str) -> Judgement {
    let scope = Scope::new(None, event_type, Timestamp::from_secs(0), body.as_bytes()).unwrap();
    let filters = compile(filters).unwrap();
    let judgement = filters.judge(event_type, &scope);
    let expected = judgement.failure.clone().map_or(Ok(judgement.matches), Err);
    assert_eq!(filters.matches(event_type, &scope), expected, "the page and the sender agree");
    judgement
}

/// Whether one condition on `v` matches.
fn holds(operator: &str, value: &str, seen: &str) -> bool {
    let value = if value.is_empty() { String::new() } else { format!(r#","value":{value}"#) };
    let filters = format!(r#"{{"a":{{"conditions":[{{"field":"v","operator":"{operator}"{value}}}]}}}}"#);
    let body = if seen.is_empty() { "{}".to_owned() } else { format!(r#"{{"v":{seen}}}"#) };
    judge(&filters, "a", &body).matches
}

#[test]
fn every_operator_holds_and_does_not() {
    for (operator, value, yes, no) in [
        ("equals", "\"a\"", "\"a\"", "\"b\""),
        ("=", "1", "1.0", "2"),
        ("not_equals", "\"a\"", "\"b\"", "\"a\""),
        ("!", "1", "\"1\"", "1"),
        ("in", "[\"US\",\"CA\"]", "\"CA\"", "\"DE\""),
        ("not_in", "[1,2]", "3", "2"),
        ("greater_than", "100", "100.1", "100"),
        (">", "100", "101", "99"),
        ("greater_or_equal", "100", "1e2", "99.9"),
        ("less_than", "0", "-1", "0"),
        ("<", "5", "4", "5"),
        ("less_or_equal", "5", "5", "6"),
        ("between", "[10,20]", "20", "21"),
        ("><", "[10,20]", "10.5", "10"),
        ("><", "[10,20]", "19.9", "20"),
        ("contains", "\"co2\"", "\"x co2 y\"", "\"CO2\""),
        ("contains", "2", "[1,2.0]", "[\"2\"]"),
        ("contains", "{\"a\":1}", "[{\"a\":1.0}]", "[{\"a\":2}]"),
        ("not_contains", "\"co2\"", "\"CO2\"", "\"x co2 y\""),
        ("not_contains", "2", "[1]", "[1,2.0]"),
        ("equals", "[1,2]", "[1.0,2]", "[2,1]"),
        ("in", "[{\"a\":[1]}]", "{\"a\":[1e0]}", "{\"a\":1}"),
        ("starts_with", "\"ab\"", "\"abc\"", "\"cab\""),
        ("ends_with", "\"ab\"", "\"cab\"", "\"abc\""),
        ("matches", "\"^a+$\"", "\"aaa\"", "\"ab\""),
        ("matches", r#""^\\d[\\d.]+\\w$""#, "\"3.1x\"", "\"٣.1x\""),
        ("matches", r#""^\\w\\W\\D$""#, "\"aéx\"", "\"ééx\""),
        ("cidr", "\"10.0.0.0/8\"", "\"10.9.9.9\"", "\"11.0.0.1\""),
        ("cidr", "[\"::1\",\"10.0.0.0/8\"]", "\"::ffff:10.0.0.1\"", "\"x\""),
        ("exists", "", "null", ""),
        ("*", "", "0", ""),
        ("not_exists", "", "", "null"),
    ] {
        assert!(holds(operator, value, yes), "{operator} {value} {yes}");
        assert!(!holds(operator, value, no), "{operator} {value} {no}");
    }
}

#[test]
fn fi_04_nothing_is_coerced() {
    for (value, seen) in [
        ("1", "\"1\""),
        ("\"1\"", "1"),
        ("1", "true"),
        ("\"admin\"", "\"Admin\""),
        ("null", "\"null\""),
        ("0", "false"),
    ] {
        assert!(!holds("equals", value, seen), "{value} {seen}");
    }
    assert!(holds("equals", "1", "1.0"));
    assert!(!holds("equals", "9007199254740993", "9007199254740992"));
    assert!(!holds("greater_than", "1", "\"2\""));
}

#[test]
fn a_missing_field_makes_every_condition_false_but_not_exists() {
    for (operator, value) in [
        ("not_equals", "1"),
        ("not_in", "[1]"),
        ("not_contains", "1"),
        ("equals", "null"),
        ("less_than", "9"),
        ("exists", ""),
    ] {
        assert!(!holds(operator, value, ""), "{operator}");
    }
    assert!(
        !judge(r#"{"a":{"conditions":[{"field":"v.w","operator":"!","value":1}]}}"#, "a", r#"{"v":7}"#)
            .matches
    );
}

#[test]
fn fi_03_what_is_no_condition_is_refused_with_its_place() {
    for (condition, pointer) in [
        (r#"{"field":"a","operator":"not_equal","value":1}"#, "/operator"),
        (r#"{"field":"a","operator":"GreaterThan","value":1}"#, "/operator"),
        (r#"{"field":"a","operator":"in","value":"US"}"#, "/value"),
        (r#"{"field":"a","operator":"between","value":[2,1]}"#, "/value"),
        (r#"{"field":"a","operator":"matches","value":"("}"#, "/value"),
        (r#"{"field":"a","operator":"cidr","value":"10.0.0.0/33"}"#, "/value"),
        (r#"{"field":"a","operator":"greater_than","value":"1"}"#, "/value"),
        (r#"{"field":"a","operator":"equals"}"#, "/value"),
        (r#"{"operator":"exists"}"#, "/field"),
        (r#"{"field":"a b","operator":"exists"}"#, "/field"),
        (r#"{"field":"a","operator":"exists","colour":1}"#, "/colour"),
    ] {
        let filters = format!(r#"{{"data.*":{{"conditions":[{condition}]}}}}"#);
        let faults = compile(&filters).unwrap_err();
        assert_eq!(faults[0].pointer, format!("/data.*/conditions/0{pointer}"), "{faults:?}");
    }
    for filters in [
        r#"{"a":{}}"#,
        r#"{"a":[]}"#,
        r#"{"a":{"expression":"1 +"}}"#,
        r#"{"a":{"conditions":[],"expression":"true"}}"#,
        r#"{"*a":{"conditions":[]}}"#,
    ] {
        assert!(compile(filters).is_err(), "{filters}");
    }
    assert!(judge(r#"{"a":{"conditions":[]}}"#, "a", "{}").matches, "no condition is no filter");
}

#[test]
fn all_entries_of_its_type_must_hold_and_other_types_pass() {
    let filters = r#"{"data.*":{"conditions":[{"field":"data.value","operator":">","value":100}]},
        "data.received":{"expression":"device.type == 'sensor'"}}"#;
    let body = r#"{"data":{"value":150},"device":{"type":"sensor"}}"#;
    assert!(judge(filters, "data.received", body).matches);
    assert!(!judge(filters, "data.received", r#"{"data":{"value":150},"device":{"type":"x"}}"#).matches);
    assert!(!judge(filters, "data.other", r#"{"data":{"value":1}}"#).matches);
    assert!(judge(filters, "user.login", "{}").matches);
    let lacking = judge(filters, "data.received", r#"{"data":{"value":150}}"#);
    assert!(!lacking.matches && lacking.error.is_none(), "what is missing is false, not a failure");
}

#[test]
fn the_documents_filter_sees_what_it_names() {
    let filters = r#"{"user.login":{"conditions":[
        {"field":"user.role","operator":"equals","value":"admin"},
        {"field":"location.country","operator":"in","value":["US","CA"]}]}}"#;
    let judgement = judge(filters, "user.login", r#"{"user":{"role":"admin"},"location":{"country":"DE"}}"#);
    assert!(!judgement.matches);
    let seen: Vec<_> =
        judgement.conditions.iter().map(|c| (c.matched, c.seen.as_ref().unwrap().get())).collect();
    assert_eq!(seen, [(true, "\"admin\""), (false, "\"DE\"")]);
}

/// Whether TagoIO conditions, given as a list without its brackets, match.
fn fits(conditions: &str, body: &str) -> bool {
    judge(&format!(r#"{{"data.received":{{"conditions":[{conditions}]}}}}"#), "data.received", body).matches
}

#[test]
fn conditions_of_a_tagoio_action_are_understood_word_for_word_and_one_is_enough() {
    let warm = r#"{"variable":"temperature","is":">","value":"20","value_type":"number","second_value":"","unlock":false}"#;
    let wet = r#"{"variable":"humidity","is":"><","value":"40","second_value":"60","value_type":"number"}"#;
    let both = format!("{warm},{wet}");
    let points = |temperature: &str, humidity: &str| {
        format!(
            r#"[{{"variable":"temperature","value":{temperature},"device":"d"}},{{"variable":"humidity","value":{humidity},"device":"d"}}]"#
        )
    };
    assert!(fits(&both, &points("20.5", "40")), "one of the two is enough");
    assert!(fits(&both, &points("20", "41")));
    assert!(!fits(&both, &points("20", "40")), "> and >< leave out their ends");
    assert!(!fits(warm, &points("\"21\"", "0")), "a text is not a number");
    // The envelope has its points in data.variables, or a single point next to it.
    assert!(fits(
        warm,
        r#"{"data":{"variable":"x","value":0,"variables":[{"variable":"temperature","value":21}]}}"#
    ));
    assert!(fits(warm, r#"{"data":{"variable":"temperature","value":21}}"#));
    for (condition, yes, no) in [
        (r#"{"variable":"v","is":"=","value":"on","value_type":"string"}"#, "\"on\"", "\"off\""),
        (r#"{"variable":"v","is":"=","value":"5","value_type":"string"}"#, "\"5\"", "5"),
        (r#"{"variable":"v","is":"!","value":"true","value_type":"boolean"}"#, "false", "true"),
        (r#"{"variable":"v","is":"<","value":5}"#, "4", "5"),
    ] {
        let body = |value: &str| format!(r#"[{{"variable":"v","value":{value}}}]"#);
        assert!(fits(condition, &body(yes)) && !fits(condition, &body(no)), "{condition}");
    }
    assert!(fits(
        r#"{"variable":"v","is":"*","value":"","value_type":"number"}"#,
        r#"[{"variable":"v","value":0}]"#
    ));
    let of_device = r#"{"device":"d1","variable":"v","is":"*"}"#;
    assert!(fits(of_device, r#"[{"variable":"v","value":0,"device":"d1"}]"#));
    assert!(!fits(of_device, r#"[{"variable":"v","value":0,"device":"d2"}]"#));
    assert!(fits(of_device, r#"{"device":{"id":"d1"},"data":{"variable":"v","value":0}}"#));
}

#[test]
fn conditions_of_an_action_that_cannot_be_taken_over_say_why() {
    for (condition, pointer, part) in [
        (r#"{"variable":"v","is":">","value":"warm","value_type":"number"}"#, "/value", "is not a number"),
        (r#"{"variable":"v","is":">=","value":1}"#, "/is", "one of"),
        (r#"{"variable":"v","is":"*","unlock":true}"#, "/unlock", "unlock"),
        (r#"{"tag_key":"a","tag_value":"b","variable":"v","is":"*"}"#, "/tag_key", "no tags"),
        (r#"{"is":"*"}"#, "/variable", "name of a variable"),
        (
            r#"{"variable":"v","is":"><","value":"9","second_value":"1","value_type":"number"}"#,
            "/value",
            "lower one first",
        ),
    ] {
        let faults = compile(&format!(r#"{{"a":{{"conditions":[{condition}]}}}}"#)).unwrap_err();
        assert_eq!(faults[0].pointer, format!("/a/conditions/0{pointer}"), "{faults:?}");
        assert!(faults[0].message.contains(part), "{faults:?}");
    }
    let mixed = r#"{"a":{"conditions":[{"variable":"v","is":"*"},{"field":"a","operator":"exists"}]}}"#;
    let faults = compile(mixed).unwrap_err();
    assert!(
        faults[0].message.contains("one must hold") && faults[0].pointer == "/a/conditions",
        "{faults:?}"
    );
}

#[test]
fn a_filter_that_is_never_used_or_never_matches_is_warned_of() {
    let warnings = |filters: &str, events: &[&str]| {
        let events: Vec<String> = events.iter().map(|event| (*event).to_owned()).collect();
        compile(filters).unwrap().warnings(&events)
    };
    let slip = warnings(r#"{"data.recieved":{"conditions":[]}}"#, &["data.received"]);
    assert!(slip[0].contains("never used") && slip[0].contains("did you mean data.received?"), "{slip:?}");
    let slip = warnings(r#"{"data.recieved":{"conditions":[]}}"#, &["*"]);
    assert!(slip[0].contains("did you mean data.received?"), "{slip:?}");
    let root = warnings(r#"{"*":{"conditions":[{"field":"devcie.name","operator":"exists"}]}}"#, &["*"]);
    assert!(root[0].contains("\"devcie\"") && root[0].contains("did you mean device?"), "{root:?}");
    let never =
        warnings(r#"{"*":{"conditions":[{"field":"device.id","operator":"in","value":[]}]}}"#, &["*"]);
    assert!(never[0].contains("can never match"), "{never:?}");
    for (filters, events) in [
        (r#"{"data.*":{"conditions":[]}}"#, &["data.received"][..]),
        (r#"{"data.received":{"conditions":[]}}"#, &["data.*"]),
        (r#"{"device_alert":{"conditions":[]}}"#, &["data.threshold"]),
        (r#"{"data.threshold":{"conditions":[]}}"#, &["device_alert"]),
        (r#"{"*":{"conditions":[]}}"#, &["plant.*"]),
        (r#"{"plant.watered":{"conditions":[]}}"#, &["plant.watered"]),
    ] {
        assert_eq!(warnings(filters, events), Vec::<String>::new(), "{filters}");
    }
}

#[test]
fn a_filter_fails_where_an_expression_has_no_value_and_nothing_else_refuses() {
    let filters = r#"{"a":{"expression":"epoch(data.at) > 1"},"*":{"conditions":[
        {"field":"data.n","operator":">","value":5}]}}"#;
    let failed = judge(filters, "a", r#"{"data":{"n":6,"at":"yesterday"}}"#);
    assert!(!failed.matches && failed.failure.is_some() && failed.conditions[0].error.is_some());
    let refused = judge(filters, "a", r#"{"data":{"n":5,"at":"yesterday"}}"#);
    assert!(!refused.matches && refused.failure.is_none() && refused.error.is_some());
}

#[test]
fn patterns_take_what_begins_so() {
    let takes = |pattern: &str, event: &str| event_matches(&[pattern.to_owned()], event);
    assert!(
        takes("*", "a") && takes("user.*", "user.login") && takes("user.*", "user.a.b") && takes("a", "a")
    );
    assert!(
        !takes("user.*", "user")
            && !takes("user.*", "user.")
            && !takes("user.*", "users.x")
            && !takes("a", "ab")
    );
}
