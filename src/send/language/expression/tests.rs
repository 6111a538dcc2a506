//! The values of expressions for events.

mod costs;
mod refusals;

use super::*;
use crate::domain::Timestamp;

fn scope(body: &str) -> Scope {
    Scope::new(Some("e1"), "data.received", Timestamp::from_secs(0), body.as_bytes()).unwrap()
}

fn value(source: &str, body: &str) -> Result<String, NoValue> {
    let compiled = Expression::compile(source).unwrap_or_else(|why| panic!("{source}: {why}"));
    compiled.evaluate(&scope(body)).map(|value| value.get().to_owned())
}

fn decides(source: &str, body: &str) -> Result<String, NoValue> {
    let compiled = Expression::condition(source).unwrap_or_else(|why| panic!("{source}: {why}"));
    compiled.evaluate(&scope(body)).map(|value| value.get().to_owned())
}

/// Checks expressions against their expected values for a body.
fn all(body: &str, cases: &[(&str, &str)]) {
    for (source, expected) in cases {
        assert_eq!(value(source, body).as_deref(), Ok(*expected), "{source} {body}");
    }
}

fn refusal(source: &str) -> String {
    Expression::compile(source).map(|_| format!("{source} compiles")).unwrap_err()
}

#[test]
fn the_documents_ternary_and_the_usual_expressions() {
    let ternary = "alert.severity == 'critical' ? 'danger' : 'warning'";
    assert_eq!(value(ternary, r#"{"alert":{"severity":"critical"}}"#).unwrap(), "\"danger\"");
    assert_eq!(value(ternary, r#"{"alert":{"severity":"low"}}"#).unwrap(), "\"warning\"");
    for body in [
        "{}",
        r#"{"alert":{}}"#,
        r#"{"alert":null}"#,
        r#"{"alert":"high"}"#,
        r#"{"alert":{"severity":null}}"#,
    ] {
        assert_eq!(value(ternary, body).unwrap(), "\"warning\"", "{body}");
    }
    let body = r#"{"data":{"value":120.5,"n":150,"list":[{"v":1},{"v":2}]},"big":18446744073709551615}"#;
    all(
        body,
        &[
            ("data.value > 100", "true"),
            ("data.n > 100", "true"),
            ("data.n > 100.5", "true"),
            ("big > 5", "true"),
            ("data.list.filter(i, i.v > 1).map(i, i.v)", "[2]"),
            ("data.n + 1", "151"),
            ("{'b': 1, 'a': [true, null]}", r#"{"a":[true,null],"b":1}"#),
            ("has(data.nothing)", "false"),
            ("size(data.list)", "2"),
            ("'é'.contains('é')", "true"),
        ],
    );
}

#[test]
fn json_has_one_kind_of_number() {
    for (seen, fahrenheit, more, is_even, half) in [
        ("25", "77", "26", "false", "12.5"),
        ("25.0", "77", "26", "false", "12.5"),
        ("42.0", "107.60000000000001", "43", "true", "21"),
    ] {
        let body = format!(r#"{{"data":{{"value":{seen},"list":[1,2.5,{seen}]}}}}"#);
        all(
            &body,
            &[
                ("data.value * 1.8 + 32.0", fahrenheit),
                ("data.value * 1.8 + 32.0 > 70.0", "true"),
                ("1.8 * data.value > 70.0 || 32 + data.value > 1.5", "true"),
                ("data.value + 1", more),
                ("data.value % 2 == 0", is_even),
                ("data.value / 2", half),
                ("-data.value < 0", "true"),
                ("data.value in [25, 42]", "true"),
                ("data.value in [1.0, 25.0, 42.0]", "true"),
                ("[1, 2.5].map(v, v * 2.0)", "[2,5]"),
                ("math.round(data.value) == data.value", "true"),
                ("math.ceil(data.value) >= data.value", "true"),
                ("math.isNaN(data.value)", "false"),
                ("math.greatest(data.value, 7.5) == data.value", "true"),
                ("math.least(data.list)", "1"),
                ("data.list.sort()[1]", "2.5"),
                ("data.list[data.list[0] - 1]", "1"),
                ("size(data.list) * 1.5", "4.5"),
            ],
        );
    }
    all(
        r#"{"data":{"value":25.5,"list":[1,2,3.5]}}"#,
        &[
            ("data.value * 1.8 + 32.0", "77.9"),
            ("data.value + 1", "26.5"),
            ("data.list.map(v, v * 2.0)", "[2,4,7]"),
            ("data.list.map(v, v * 2)", "[2,4,7]"),
            ("data.list == [1.0, 2, 3.5]", "true"),
            ("[1, 2.0, 3.5] == data.list", "true"),
            ("{'a': data.value} == {'a': 25.5}", "true"),
            ("type(data.value) == double", "true"),
            ("'abc'.substring(1, data.list[1])", "\"b\""),
            ("'%.1f/%s'.format([data.value, data.list[0]])", "\"25.5/1\""),
        ],
    );
    assert_eq!(
        value("data.value / 0", r#"{"data":{"value":1}}"#).unwrap_err().to_string(),
        "data.value / 0: divides by zero"
    );
}

#[test]
fn digits_stay_where_a_number_only_passes_through() {
    let body = r#"{"data":{"iccid":89550100000012345678,"v":21.50,"e":1E3,"big":9007199254740993,"a":[1.0,21.50],"o":{"z":1.0, "a":[2]}}}"#;
    all(
        body,
        &[
            ("has(data.iccid) ? data.iccid : 0", "89550100000012345678"),
            ("data.v > 20 ? data.v : 0", "21.50"),
            ("has(data.e) ? data.e : 0", "1E3"),
            ("[data.iccid, data.v]", "[89550100000012345678,21.50]"),
            ("{'id': data.iccid}", r#"{"id":89550100000012345678}"#),
            ("data.a.filter(v, v > 1)", "[21.50]"),
            ("data.a.map(v, v)", "[1.0,21.50]"),
            ("has(data.o) ? data.o : 0", r#"{"z":1.0, "a":[2]}"#),
            ("data.?iccid.orValue(0)", "89550100000012345678"),
            ("'ICCID ' + string(data.iccid)", "\"ICCID 89550100000012345678\""),
            ("'ICCID %s'.format([data.iccid])", "\"ICCID 89550100000012345678\""),
            ("data.iccid + 1", "89550100000012345679"),
            ("data.big + 1", "9007199254740994"),
            ("data.iccid == 89550100000012345677.0", "false"),
            ("data.big > 9007199254740992", "true"),
            ("data.iccid > data.big", "true"),
        ],
    );
}

#[test]
fn cel_alone_is_cel() {
    all(
        "{}",
        &[
            ("7 / 2", "3"),
            ("-7 % 3", "-1"),
            ("timestamp('2026-03-09T23:14:58Z').getHours() >= 22", "true"),
            ("timestamp('2026-03-09T23:14:58Z').getHours('America/Sao_Paulo')", "20"),
            ("timestamp('2026-03-09T07:14:58Z') + duration('90m')", "\"2026-03-09T08:44:58Z\""),
            ("duration('90m')", "\"5400s\""),
            ("'Kitchen'.lowerAscii() == 'kitchen'", "true"),
            ("'a,b'.split(',')", r#"["a","b"]"#),
            ("'a-b'.replace('-', '+')", "\"a+b\""),
            ("['a', 'b'].join('/')", "\"a/b\""),
            ("math.round(2.5)", "3"),
            ("optional.of(1).orValue(2)", "1"),
            ("lists.range(3)", "[0,1,2]"),
            ("cel.bind(f, 20 * 1.8 + 32.0, f > 60 && f < 70)", "true"),
            ("base64.encode(b'hi')", "\"aGk=\""),
            ("b'hi'", "\"aGk=\""),
        ],
    );
    let time = r#"{"timestamp":"2026-03-09T07:14:58Z","name":"Kitchen"}"#;
    all(
        time,
        &[
            ("timestamp(event.timestamp).getHours() >= 6", "true"),
            ("event.timestamp == timestamp ? 1 : 2", "1"),
            ("name.lowerAscii() == 'kitchen'", "true"),
        ],
    );
}

#[test]
fn what_is_missing_is_false_until_something_asks_whether_it_is_there() {
    let bodies = ["{}", r#"{"data":{}}"#, r#"{"data":null}"#, r#"{"data":7}"#, r#"{"data":{"a":null}}"#];
    for body in bodies {
        for source in [
            "has(data.a.b)",
            "has(data.a.b.c.d)",
            "data.a.b == 'x'",
            "data.a.b > 1",
            "data.a.b <= 1",
            "1 < data.a.b",
            "data.a.b + 1 > 0",
            "data.a.b in [1]",
            "1 in data.a.b",
            "'x' in data.a.b",
            "data.a.b.startsWith('x')",
            "data.a.b.c.contains('x')",
            "data.a.b.matches('^x')",
            "data.a.b.exists(v, v == 1)",
            "data.a.b.all(v, v == 1)",
            "size(data.a.b) >= 0",
            "data.a.b.lowerAscii() == ''",
            "timestamp(data.a.b) < timestamp(event.timestamp)",
            "data.a.b[0].c == 1",
            "data.a.b && true",
            "true && data.a.b.exists(v, v)",
            "false || data.a.b",
        ] {
            assert_eq!(decides(source, body).as_deref(), Ok("false"), "{source} {body}");
        }
        for source in [
            "data.a.b != 'x'",
            "!data.a.b",
            "!has(data.a.b) || data.a.b == 1",
            "data.a.b == null",
            "true || data.a.b",
        ] {
            assert_eq!(decides(source, body).as_deref(), Ok("true"), "{source} {body}");
        }
        all(
            body,
            &[
                ("has(data.a.b) ? data.a.b : 'none'", "\"none\""),
                ("data.a.b ? 'on' : 'off'", "\"off\""),
                ("data.?a.?b.orValue('none')", "\"none\""),
                ("[data.a.b, 1]", "[null,1]"),
            ],
        );
    }
    let body = r#"{"data":{"list":[{"v":1},{}],"text":"x"}}"#;
    all(
        body,
        &[
            ("data.list.exists(v, v.v == 1)", "true"),
            ("data.list.all(v, v.v == 1)", "false"),
            ("data.list.filter(v, has(v.v)).map(v, v.v)", "[1]"),
            ("data.list[5].v > 3 ? 1 : 2", "2"),
            ("has(data.text.x)", "false"),
        ],
    );
    assert_eq!(value("'alert' in event", r#"{"alert":{}}"#).unwrap(), "true");
    assert_eq!(value("'alert' in event", "{}").unwrap(), "false");
    assert_eq!(value("has(event.alert)", r#"{"alert":{}}"#).unwrap(), "true");
    assert_eq!(value("has(event.data.alert)", r#"{"alert":{}}"#).unwrap(), "true");
    assert_eq!(value("event.map(k, k)", r#"{"alert":{}}"#).unwrap(), r#"["id","type","timestamp","data"]"#);
}

#[test]
fn what_an_event_lacks_and_what_cannot_be_computed_are_told_apart() {
    let lacks = |source, body, path: &str| {
        assert_eq!(value(source, body), Err(NoValue::Missing(path.into())), "{source}")
    };
    lacks("alert.severity + 'a'", "{}", "alert.severity");
    lacks("alert.severity + 'a'", r#"{"alert":{}}"#, "alert.severity");
    lacks("data.a.value * 2", r#"{"data":{"a":{}}}"#, "data.a.value");
    lacks("size(data.list)", r#"{"data":{}}"#, "data.list");
    lacks("data.list.map(v, v.x)[0]", r#"{"data":{"list":[{}]}}"#, "x");
    lacks("data.list[9].value + 1", r#"{"data":{"list":[{}]}}"#, "data.list.9.value");
    lacks("data['soil-moisture'] + 1", r#"{"data":{}}"#, "data.soil-moisture");
    lacks("event.data['if']", r#"{"data":{}}"#, "event.data.if");
    for (source, body, why) in [
        ("1 / (data.n - data.n)", r#"{"data":{"n":1}}"#, "divides by zero"),
        ("epoch(data.n)", r#"{"data":{"n":"yesterday"}}"#, "RFC 3339"),
        ("'T ' + data.n", r#"{"data":{"n":1}}"#, "write string(x)"),
        ("data.n > 30", r#"{"data":{"n":"31"}}"#, "> cannot compare text with a number"),
        ("data.n.contains('x')", r#"{"data":{"n":1}}"#, "contains() does not work on a number"),
        ("data.n ? 1 : 2", r#"{"data":{"n":1}}"#, "true or false is needed, here it is a number"),
        ("timestamp(data.n)", r#"{"data":{"n":"x"}}"#, "timestamp() reads RFC 3339"),
        ("timestamp(data.n)", r#"{"data":{"n":1773040498402}}"#, "timestamp(epoch(x))"),
        ("duration(data.n)", r#"{"data":{"n":"1d"}}"#, "a day is '24h'"),
        ("int(data.n)", r#"{"data":{"n":"x"}}"#, "int() cannot read this text as a number"),
        ("9223372036854775807 + 1", "{}", "64 bits"),
    ] {
        match value(source, body) {
            Err(NoValue::Failed(said)) => {
                assert!(said.contains(why), "{said}");
                assert!(!said.contains("Int(") && !said.contains("Arc<"), "{said}");
            }
            other => panic!("{source}: {other:?}"),
        }
    }
}

#[test]
fn a_list_and_an_object_of_the_event_are_formatted_as_their_json() {
    let body = r#"{"data":{"list":[1,2.50],"tags":{"b":1},"iccid":89550100000012345678}}"#;
    all(
        body,
        &[
            ("'%s %s'.format([data.list, data.tags])", r#""[1,2.50] {\"b\":1}""#),
            ("'%s'.format([[data.list[0], 2]])", "\"[1, 2]\""),
            ("'%s'.format([[1, 2]])", "\"[1, 2]\""),
        ],
    );
}

#[test]
fn objects_have_one_order() {
    let body = r#"{"data":{"tags":{"zone":1,"area":2,"mine":3,"bay":4,"yard":5}}}"#;
    for _ in 0..20 {
        all(
            body,
            &[
                ("data.tags.map(k, k)", r#"["zone","area","mine","bay","yard"]"#),
                ("data.tags.filter(k, data.tags[k] > 2)", r#"["mine","bay","yard"]"#),
                ("{'b': 1, 'c': 2, 'a': 3}.map(k, k)", r#"["a","b","c"]"#),
            ],
        );
    }
}

#[test]
fn a_time_is_a_text_a_timestamp_or_a_number() {
    for timestamp in
        ["\"2026-03-09T07:14:58Z\"", "1773040498", "1773040498000", "1773040498402", "1773040498.9"]
    {
        let body = format!(r#"{{"timestamp":{timestamp}}}"#);
        assert_eq!(value("epoch(event.timestamp)", &body).unwrap(), "1773040498", "{timestamp}");
    }
    assert_eq!(value("epoch(timestamp('2026-03-09T07:14:58Z'))", "{}").unwrap(), "1773040498");
}

#[test]
fn patterns_are_ascii_as_in_re2() {
    let body = r#"{"name":"٣","ascii":"3é"}"#;
    all(
        body,
        &[
            (r"name.matches('^\\d$')", "false"),
            (r"ascii.matches('^\\d\\W$')", "true"),
            (r"matches(ascii, '^[\\d]')", "true"),
            (r"name.matches('^' + '\\d$')", "false"),
        ],
    );
}

#[test]
fn every_function_of_the_list_is_one_of_the_library_and_the_other_way_round() {
    for known in functions::KNOWN {
        let args = vec!["data.n"; known.arguments.0].join(", ");
        let source = match known.form {
            functions::Form::Global => format!("{}({args})", known.name),
            functions::Form::Member => format!("data.s.{}({args})", known.name),
        };
        let event = scope(r#"{"data":{"n":1,"s":"x"}}"#);
        if let Err(NoValue::Failed(why)) = Expression::compile(&source).unwrap().evaluate(&event) {
            assert!(!why.contains("there is no variable"), "{source}: {why}");
        }
    }
}

proptest::proptest! {
    #[test]
    fn any_text_compiles_or_is_refused_with_a_sentence(text in "[a-z0-9 .'\"()\\[\\]{}?:=!<>&|+*/%,\\\\-]{0,60}|.{0,40}") {
        match Expression::compile(&text) {
            Ok(compiled) => { let _ = compiled.evaluate(&scope(r#"{"data":{"a":[1,2.0]}}"#)); }
            Err(why) => proptest::prop_assert!(!why.is_empty() && !why.contains("ERROR") && !why.contains("ExprContext"), "{}", why),
        }
    }
}
