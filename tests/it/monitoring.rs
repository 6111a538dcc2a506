//! The dashboard and the alerts that are shipped: every metric and every label in them is one that the program has.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::harness::{Connection, Database, Server, Setup, Sink, exchange, login, until};

/// Labels that Prometheus adds.
const OF_PROMETHEUS: [&str; 3] = ["job", "instance", "le"];
/// What a healthy program never counts: a worker ends by a fault in the program only.
const NEVER: &str = "tagohook_workers_ended_total";

fn shipped(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy").join(path)
}

fn read(path: &str) -> String {
    std::fs::read_to_string(shipped(path)).unwrap()
}

/// The expressions of the dashboard, with the values of its variables.
fn of_dashboard() -> Vec<String> {
    let dashboard: Value = serde_json::from_str(&read("grafana/tagohook.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let targets = panels.iter().filter_map(|panel| panel["targets"].as_array()).flatten();
    let annotations = dashboard["annotations"]["list"].as_array().unwrap();
    let expressions = targets.chain(annotations).map(|target| target["expr"].as_str().unwrap());
    let filled = |text: &str| {
        text.replace("$__rate_interval", "1m")
            .replace("$job", "tagohook")
            .replace("$instance", ".*")
            .replace("$source", ".*")
    };
    let expressions: Vec<String> = expressions.map(filled).collect();
    assert!(expressions.len() > 40 && expressions.iter().all(|text| !text.contains('$')), "{expressions:#?}");
    expressions
}

/// The expressions of the alerts.
fn of_alerts() -> Vec<String> {
    let rules = read("prometheus/rules.yml");
    let mut expressions: Vec<String> = Vec::new();
    let mut is_inside = false;
    for line in rules.lines() {
        if let Some(expression) = line.strip_prefix("        expr:") {
            expressions.push(expression.trim_start_matches(" |").to_owned());
            is_inside = true;
        } else if is_inside && line.starts_with("          ") {
            let last = expressions.last_mut().unwrap();
            last.push(' ');
            last.push_str(line);
        } else {
            is_inside = false;
        }
    }
    assert_eq!(expressions.len(), rules.matches("- alert:").count());
    expressions
}

fn is_of_name(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_'
}

/// The metrics that an expression names.
fn metrics_in(expression: &str) -> BTreeSet<String> {
    let words = expression.split(|letter| !is_of_name(letter));
    let own = words.filter(|word| word.starts_with("tagohook_") || word.starts_with("process_"));
    own.map(str::to_owned).collect()
}

/// The labels that an expression names: in braces, and behind `by`, `on` and `group_left`.
fn labels_in(expression: &str) -> BTreeSet<String> {
    let mut labels = BTreeSet::new();
    let mut add = |list: &str, end: &[char]| {
        for item in list.split(',') {
            let name = item.split(end).next().unwrap().trim();
            if !name.is_empty() {
                labels.insert(name.to_owned());
            }
        }
    };
    for braces in expression.split('{').skip(1) {
        add(braces.split('}').next().unwrap(), &['=', '!']);
    }
    for word in ["by (", "on (", "group_left ("] {
        for list in expression.split(word).skip(1) {
            add(list.split(')').next().unwrap(), &[' ']);
        }
    }
    labels
}

/// The metrics of a scrape with their labels.
fn scraped(server: &Server) -> BTreeMap<String, BTreeSet<String>> {
    let answer = exchange(server.inspector, "GET", "/metrics", &[("Accept", "text/plain")], b"");
    let text = String::from_utf8(answer.body).unwrap();
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let name: String = line.chars().take_while(|letter| is_of_name(*letter)).collect();
        let labels = labels_in(line.split("} ").next().unwrap());
        found
            .entry(name)
            .or_default()
            .extend(labels.into_iter().filter(|label| label.chars().all(is_of_name)));
    }
    found
}

/// A node on a database with something in each of its metrics.
fn busy(database: &Database) -> (Server, Sink) {
    let url = Database::url(&[database]);
    let config = format!(
        "[store]\nurl = \"{url}\"\n[[source]]\nname = \"tagorun\"\nsecrets = [\"file:signing-secret\"]\n\
         [[source]]\nname = \"open\"\nsignature = \"none\"\nsilence_after = \"1s\"\n"
    );
    let server = Setup::new(&config).start();
    let sink = Sink::start();
    server.subscribe(&json!({"name": "all", "url": sink.url("/"), "events": ["user.login"]}));
    let failing = json!({"data.*": {"expression": "epoch(data.at) > 1"}});
    server.subscribe(
        &json!({"name": "failing", "url": sink.url("/"), "events": ["data.*"], "filters": failing}),
    );
    assert_eq!(server.post_signed(login("one").as_bytes()).status, 200);
    let body =
        json!({"event": "data.counted", "id": "e1", "data": {"at": "yesterday"}, "device": {"id": "d1"}});
    assert_eq!(server.post("/webhook/open", &[], body.to_string().as_bytes()).status, 200);
    server.post("/webhook/tagorun", &[], b"{}");
    server.ask("DELETE", "/webhook/tagorun", &[]);
    let mut garbage = Connection::open(server.inspector);
    garbage.write(b"this is not HTTP\r\n\r\n");
    let _ = garbage.answer();
    sink.wait_for(1);
    (server, sink)
}

#[test]
fn the_dashboard_and_the_alerts_name_only_metrics_and_labels_that_there_are() {
    let database = Database::start();
    let (server, _sink) = busy(&database);
    let wanted: Vec<String> = of_dashboard().into_iter().chain(of_alerts()).collect();
    let named: BTreeSet<String> = wanted.iter().flat_map(|text| metrics_in(text)).collect();
    let missing = || -> Vec<String> {
        let found = scraped(&server);
        named.iter().filter(|name| !found.contains_key(*name) && *name != NEVER).cloned().collect()
    };
    // The first look at an endpoint and the first silence take some seconds.
    let mut last = missing();
    until("every metric", || {
        last = missing();
        last.is_empty() || server.log().contains("panicked")
    });
    assert!(last.is_empty(), "{last:?}");
    let found = scraped(&server);
    for expression in &wanted {
        let metrics = metrics_in(expression);
        if metrics.contains(NEVER) {
            continue;
        }
        let known: BTreeSet<&String> = metrics.iter().filter_map(|name| found.get(name)).flatten().collect();
        for label in labels_in(expression) {
            let is_known = known.contains(&label) || OF_PROMETHEUS.contains(&label.as_str());
            assert!(is_known, "no metric of this expression has the label {label}: {expression}");
        }
    }
    // And nothing that the program counts is left out of the dashboard.
    let shown: BTreeSet<String> = of_dashboard().iter().flat_map(|text| metrics_in(text)).collect();
    let parts = ["_bucket", "_sum", "_count"];
    let family = |name: &str| parts.iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name).to_owned();
    let shown: BTreeSet<String> = shown.iter().map(|name| family(name)).collect();
    let left_out: Vec<&String> = found
        .keys()
        .filter(|name| name.starts_with("tagohook_") && !shown.contains(&family(name)))
        .filter(|name| *name != "tagohook_last_rejection_timestamp_seconds")
        .collect();
    assert!(left_out.is_empty(), "{left_out:?}");
}

/// What promtool says; `None` where it is not installed: `./test` installs it.
fn promtool(arguments: &[&str], folder: &Path) -> Option<String> {
    let told = Command::new("promtool").args(arguments).current_dir(folder).output().ok()?;
    let words = format!("{}{}", String::from_utf8_lossy(&told.stdout), String::from_utf8_lossy(&told.stderr));
    assert!(told.status.success(), "promtool {arguments:?}: {words}");
    Some(words)
}

#[test]
fn promtool_accepts_the_alerts_their_tests_the_scrape_and_every_expression_of_the_dashboard() {
    let folder = shipped("prometheus");
    if promtool(&["check", "rules", "rules.yml"], &folder).is_none() {
        return;
    }
    promtool(&["test", "rules", "rules_test.yml"], &folder);
    promtool(&["check", "config", "prometheus.yml"], &folder);
    let tests = read("prometheus/rules_test.yml");
    let rules = read("prometheus/rules.yml");
    for alert in rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")) {
        assert!(tests.contains(&format!("- name: {alert}\n")), "{alert} has no test");
        assert!(
            tests.contains(&format!("alertname: {alert}, exp_alerts: []")),
            "{alert} is not tested to be quiet"
        );
    }
    // The expressions of the dashboard, written as rules.
    let records: Vec<Value> = of_dashboard()
        .iter()
        .enumerate()
        .map(|(at, expression)| json!({"record": format!("panel_{at}"), "expr": expression}))
        .collect();
    let scratch = tempfile::tempdir().unwrap();
    let rules = json!({"groups": [{"name": "dashboard", "rules": records}]});
    std::fs::write(scratch.path().join("dashboard.yml"), rules.to_string()).unwrap();
    promtool(&["check", "rules", "dashboard.yml"], scratch.path());
}

#[test]
fn the_dashboard_is_whole() {
    let dashboard: Value = serde_json::from_str(&read("grafana/tagohook.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let ids: BTreeSet<u64> = panels.iter().map(|panel| panel["id"].as_u64().unwrap()).collect();
    assert_eq!(ids.len(), panels.len(), "each panel has its own id");
    let variables: Vec<&str> = dashboard["templating"]["list"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["name"].as_str().unwrap())
        .collect();
    assert_eq!(variables, ["datasource", "job", "instance", "source"]);
    for panel in panels {
        let place = |key: &str| panel["gridPos"][key].as_u64().unwrap();
        assert!(place("x") + place("w") <= 24 && place("h") > 0, "{panel}");
        let is_row = panel["type"] == "row";
        assert!(is_row || panel["description"].as_str().is_some_and(|text| text.ends_with('.')), "{panel}");
        let overlaps = panels.iter().any(|other| {
            let at = |key: &str| other["gridPos"][key].as_u64().unwrap();
            other["id"] != panel["id"]
                && place("x") < at("x") + at("w")
                && at("x") < place("x") + place("w")
                && place("y") < at("y") + at("h")
                && at("y") < place("y") + place("h")
        });
        assert!(!overlaps, "{} lies over another panel", panel["title"]);
    }
}
