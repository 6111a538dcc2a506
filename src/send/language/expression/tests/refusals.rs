//! Expressions that are rejected, or cause a warning, while they are edited.

use super::*;

#[test]
fn what_does_not_exist_is_refused_when_configured_with_the_nearest_name() {
    for (source, words) in [
        (
            "device.name.toLowerCase() == 'x'",
            "there is no function toLowerCase; did you mean lowerAscii? There are",
        ),
        ("device.name.startswith('x')", "did you mean startsWith?"),
        ("timestamp(event.timestamp).getHour() >= 6", "did you mean getHours?"),
        ("now() > timestamp(event.timestamp)", "there is no function now"),
        ("data.list.exists(v, v.foo())", "there is no function foo"),
        ("data.list.includes('x')", "did you mean contains?"),
        ("length(data.list) > 1", "did you mean size?"),
        ("contains(data.name, 'x')", "called as in x.contains(…)"),
        ("data.list.exists(i, v, v > 1)", "exists() is written as in list.exists(v"),
        ("data.list.exists(v > 1)", "exists() is written as in list.exists(v"),
        ("data.list.map(v.x, 1)", "plain name"),
        ("data.name.substring()", "substring() takes 1 or 2 arguments, here it has 0"),
        ("data.name.matches('[')", "unclosed character class"),
        ("matches(data.name, '(?=x)')", "not available"),
        ("math.rond(1.5)", "did you mean math.round?"),
        ("round(data.value)", "did you mean math.round(x)?"),
        ("Foo{a: 1}", "there is no type Foo"),
        ("cel.bind(f, 1)", "cel.bind() is written as in cel.bind(f,"),
        ("data.value > null", "null has no order"),
        ("duration('1d') > duration('1h')", "a day is '24h'"),
        ("timestamp('yesterday') < timestamp(event.timestamp)", "reads RFC 3339"),
        ("timestamp(event.timestamp).getHours('Mars/Base') > 6", "Europe/Berlin"),
        ("data.value > int('x')", "int() cannot read this text"),
        ("'abc'.substring(9) == data.name", "substring()"),
    ] {
        assert!(refusal(source).contains(words), "{source}: {}", refusal(source));
    }
}

#[test]
fn unknown_names_are_warned_of_with_the_nearest_one() {
    let warned = |source: &str| Expression::compile(source).unwrap().warnings().join("; ");
    assert!(
        warned("devcie.name == 'x'").contains("\"devcie\" at its top (did you mean device?)"),
        "{}",
        warned("devcie.name == 'x'")
    );
    assert!(warned("data.list.exists(v, v > othr)").contains("othr"));
    assert!(warned("data.soil-moisture > 30").contains("data['soil-moisture']"));
    assert!(warned("data.list.length > 3").contains("size(data.list)"));
    for right in
        ["device.name == 'x'", "data.list.exists(v, v > 1)", "type(data.value) == int", "data.a-data.b > 1"]
    {
        assert_eq!(warned(right), "", "{right}");
    }
}

#[test]
fn what_people_write_who_think_in_another_language_is_answered_with_cels_way() {
    for (source, words) in [
        ("data.value === 5", "write =="),
        ("data.value !== 5", "write !="),
        ("data.value = 5", "write =="),
        ("data.a | data.b", "write ||"),
        ("data.a & data.b", "write &&"),
        ("data.a ?? 'b'", "write has(data.x) ?"),
        ("data?.a == 1", "use a plain dot"),
        ("`T ${data.value}`", "join texts with +"),
        ("data.list.some(v => v > 1)", "arrow functions"),
        ("data.value == 'x", "the quote at character 15 is never closed"),
        ("(data.value > 1", "the ( at character 1 is never closed"),
        ("data.value > 1)", "has no opening match"),
        ("data.list[0", "never closed"),
        ("data.list.0.value > 5", "data.list[0]"),
        ("data.température > 25", "data['température']"),
        (r"data.a\.b > 3", "data['a.b']"),
        ("data.if == 1", "data['if']"),
        ("data.a and data.b", "write &&"),
        ("data.a == undefined", "!has(data.x)"),
        ("{{data.value}} > 1", "without them"),
        ("data.value > 1;", "one expression"),
        ("data.value >", "it ends too early"),
        ("data.value > > 1", "character 14"),
        ("", "is empty"),
        ("if (data.value > 1) 2", "condition ? one : other"),
        ("data.value <> 3", "write !="),
        ("data.name == “x”", "straight quotes"),
        ("data.value ≥ 3", "write >="),
        ("data.iccid == 89550100000012345678", "string(data.x) == '89550100000012345678'"),
        ("data.value > -9223372036854775809", "beyond the 64 bits"),
    ] {
        assert!(refusal(source).contains(words), "{source}: {}", refusal(source));
    }
    for right in [
        "data['soil-moisture'] > 1",
        "data.`soil-moisture` > 1",
        "data.list[0] == 1",
        "a ? b : c",
        "'a = b | c' == data.x",
        "-1 < data.a",
        "data.a > -9223372036854775808 && data.a < 18446744073709551615u",
        "data.a < data.b && data.a < 1e30",
        "timestamp(event.timestamp).getHours('-03:00') > 6 && duration('24h') > duration('90s')",
        "'abc'.substring(1) == data.name || int('7') == data.value",
    ] {
        assert!(Expression::compile(right).is_ok(), "{right}");
    }
}

#[test]
fn a_filter_that_can_never_be_true_or_false_is_refused_when_configured() {
    for source in [
        "'x'",
        "data.value + 1",
        "[1]",
        "{'a': 1}",
        "size(data.list)",
        "data.list.map(v, v > 1)",
        "data.a ? 1 : 2",
        "data.name.lowerAscii()",
    ] {
        let why = Expression::condition(source).map(|_| source).unwrap_err();
        assert!(why.contains("never true or false"), "{why}");
        assert!(Expression::compile(source).is_ok(), "{source}");
    }
    for source in [
        "data.on",
        "data.a ? true : data.b",
        "data.list.exists(v, v > 1)",
        "data.list.existsOne(v, v > 1)",
        "true",
        "dyn(data.on)",
        "data.on || false",
    ] {
        assert!(Expression::condition(source).is_ok(), "{source}");
    }
}
