//! Cost limits of expressions, when they are saved and when they run.

use super::*;

#[test]
fn operators_are_counted_truly() {
    let clauses: Vec<String> = (0..14).map(|at| format!("device.id == 'dev{at}'")).collect();
    assert!(Expression::condition(&clauses.join(" || ")).is_ok());
    let walks: Vec<String> = (0..7)
        .map(|at| format!("data.variables.exists(v, v.variable == 'x{at}' && v.value > 25.5)"))
        .collect();
    assert!(Expression::condition(&walks.join(" || ")).is_ok());
    let sum = |terms: usize| vec!["1"; terms].join("+");
    assert!(Expression::compile(&sum(101)).is_ok());
    assert!(refusal(&sum(102)).contains("101 operators"));
}

#[test]
fn what_would_cost_too_much_is_refused_when_configured() {
    let deep = format!("{}1{}", "(".repeat(17), ")".repeat(17));
    let long = format!("'{}'", "x".repeat(1_000));
    for source in
        [&*deep, &long, "data.list.map(x, data.list.map(y, y))", "data.list.all(x, event.data.exists (y, y))"]
    {
        assert!(Expression::compile(source).is_err(), "{source}");
    }
    let ternaries = format!("{}1", "a?b:".repeat(60));
    assert!(Expression::compile(&ternaries).is_ok());
}

/// Runs on a stack as small as those of the sending threads.
fn on_a_small_stack<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    std::thread::Builder::new().stack_size(2 * 1024 * 1024).spawn(work).unwrap().join().unwrap()
}

#[test]
fn the_deepest_expressions_fit_the_senders_stack() {
    let long = [
        vec!["1"; 101].join("+"),
        format!("{}1", "a?b:".repeat(100)),
        format!("{}true", "!".repeat(100)),
        format!("{}1", "-".repeat(100)),
        format!("data{}", ".a".repeat(400)),
        format!("data{}", "[0]".repeat(300)),
        format!("'x'{}", ".trim()".repeat(120)),
        format!("[1]{}", ".map(x,[x])".repeat(80)),
        format!("{}1{}", "[".repeat(16), "]".repeat(16)),
    ];
    for source in long {
        on_a_small_stack(move || {
            if let Ok(compiled) = Expression::compile(&source) {
                let _ = compiled.evaluate(&scope("{}"));
            }
        });
    }
}

#[test]
fn no_expression_and_no_event_takes_more_than_its_share() {
    let text = "a".repeat(1_000_000);
    let list = vec!["12345678"; 100_000].join(",");
    let body = format!(r#"{{"data":{{"text":"{text}","list":[{list}]}}}}"#);
    let doubling = |step: &str| format!("[data.text]{}", step.repeat(60));
    for source in [
        doubling(".map(x,[x,x])"),
        doubling(".map(x,x+x)"),
        "[1]".to_owned() + &".map(x,[x,x])".repeat(60),
        "{'a': data.list.map(x, data.text)}".to_owned(),
        "data.list.exists(x, data.text.contains('b'))".to_owned(),
        "data.list.exists(x, data.text.matches('b+c'))".to_owned(),
        "data.text.replace('a', data.text)".to_owned(),
        "data.text.replace('', data.text)".to_owned(),
        "data.list.map(x, 'x').join(data.text)".to_owned(),
        "data.list.map(x, data.text.upperAscii())".to_owned(),
        "data.text.indexOf(data.text + 'b')".to_owned(),
        "data.list.distinct()".to_owned(),
        "data.list.exists(x, x.matches(data.text))".to_owned(),
        "lists.range(100000000)".to_owned(),
        "data.text.split('').map(x, data.text.split(''))".to_owned(),
        "data.list.map(x, data.list + data.list)".to_owned(),
        "[data.list, data.list].flatten().map(x, data.list.map(x, x))".to_owned(),
        "data.list.exists(x, data.list == data.list && x == 1)".to_owned(),
        "'x'.matches(data.text)".to_owned(),
    ] {
        let Ok(compiled) = Expression::compile(&source) else { continue };
        let begun = std::time::Instant::now();
        let outcome = compiled.evaluate(&scope(&body));
        assert!(outcome.is_err(), "{source}");
        assert!(begun.elapsed().as_secs() < 20, "{source}: {:?}", begun.elapsed());
    }
    let usual = "data.list.exists(v, v > 25.5 && v < 100.0) || data.list.filter(v, v > 9).size() > 0";
    assert_eq!(value(usual, &body).as_deref(), Ok("true"), "an ordinary filter reads a long list");
}
