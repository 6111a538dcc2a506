//! What the pages and the API say about data points: drift, schemas, the table, a device's values.

use serde_json::{Value, json};

use crate::harness::{Server, Setup, until};
use crate::tagoio::{AT, action, page, uplink};

#[test]
fn values_of_different_variables_are_no_drift_and_one_that_changes_its_own_type_is() {
    let server = Server::start();
    let first = json!([{"id": "a1", "variable": "temperature", "value": 21.5}, {"id": "a2", "variable": "state", "value": "open"}]);
    action(&server, "/webhook/tagoio", 1, &first.to_string());
    action(&server, "/webhook/tagoio", 1, &uplink("aa").to_string());
    let event = |n: u32, variables: &Value| {
        json!({"event": "data.received", "id": format!("e{n}"), "timestamp": AT, "device": {"id": "d", "name": "D"},
            "data": {"variables": variables}})
    };
    for n in 0..2 {
        server.post_signed(event(n, &first).to_string().as_bytes());
    }
    let drift = |source: &str, deliveries: u64| {
        let path = format!("drift?source={source}&event_type=data.received");
        until("the learner", || server.api(&path)["drift"][0]["deliveries"] == deliveries);
        let findings = server.api(&path)["drift"][0]["findings"].clone();
        findings
            .as_array()
            .unwrap()
            .iter()
            .filter(|one| one["kind"] == "type_changed")
            .cloned()
            .collect::<Vec<_>>()
    };
    assert_eq!((drift("tagoio", 2), drift("tagorun", 2)), (vec![], vec![]));
    let changed = json!([{"id": "b1", "variable": "temperature", "value": "21,5"}]);
    action(&server, "/webhook/tagoio", 1, &changed.to_string());
    server.post_signed(event(9, &changed).to_string().as_bytes());
    let told = drift("tagoio", 3);
    assert_eq!((told.len(), told[0]["pointer"].as_str()), (1, Some("/*/value[temperature]")), "{told:?}");
    let sentence = told[0]["sentence"].as_str().unwrap();
    assert!(sentence.contains("number 1×, string 1×"), "{sentence}");
    let told = drift("tagorun", 3);
    assert_eq!(told[0]["pointer"].as_str(), Some("/data/variables/*/value[temperature]"), "{told:?}");
}

#[test]
fn a_schema_made_of_points_applies_to_points_and_leaves_the_envelope_alone() {
    let schemas = tempfile::tempdir().unwrap();
    let server = Setup::new(&format!("schemas_dir = {:?}\n", schemas.path().display().to_string())).start();
    let whole = json!([{"id": "a1", "variable": "t", "value": 1, "group": "g", "time": AT}]);
    action(&server, "/webhook/tagoio", 1, &whole.to_string());
    let id = server.newest()["id"].as_str().unwrap().to_owned();
    let shown = page(&server, &format!("/deliveries/{id}/schema"));
    assert!(
        shown.contains("applies only to arrays of data points") && !shown.contains("takes the place"),
        "{shown}"
    );
    let saved = server.tell("POST", &format!("deliveries/{id}/schema"), &json!({"save": true}));
    assert_eq!((saved.status, saved.json()["event_type"].as_str()), (201, Some("data.received.points")));
    let names: Vec<_> =
        std::fs::read_dir(schemas.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["data.received.points.json"]);
    let server = server.kill_and_restart();
    let event = json!({"event": "data.received", "timestamp": AT, "device": {"id": "d", "name": "D"},
        "data": {"variables": [{"variable": "t", "value": 1}]}});
    assert_eq!(server.post_signed(event.to_string().as_bytes()).status, 200);
    let again = json!([{"id": "a2", "variable": "t", "value": 2, "group": "g", "time": AT}]);
    assert_eq!(action(&server, "/webhook/tagoio", 1, &again.to_string()).status, 200);
    let lacking = action(&server, "/webhook/tagoio", 1, r#"[{"id":"x9","variable":"t","value":1}]"#);
    assert_eq!(lacking.status, 400);
    assert!(lacking.json()["details"].to_string().contains("/0/group"), "{}", lacking.json());
}

#[test]
fn the_table_of_points_tells_kinds_of_values_and_devices_apart() {
    let server = Server::start();
    let points = json!([{"id": "1", "variable": "a", "value": 25, "device": "one"},
        {"id": "2", "variable": "a", "value": "25", "device": "two"}, {"id": "3", "variable": "a", "value": ""},
        {"id": "4", "variable": "a"}]);
    action(&server, "/webhook/tagoio", 1, &points.to_string());
    let id = server.newest()["id"].as_str().unwrap().to_owned();
    let shown = page(&server, &format!("/deliveries/{id}?view=points"));
    let table = shown.split_once("<thead>").unwrap().1;
    assert!(table.contains("<th scope=\"col\">device</th><th scope=\"col\">variable</th>"), "{table}");
    for cell in [
        "<bdi>25</bdi>",
        "<bdi>&#34;25&#34;</bdi>",
        "<bdi>&#34;&#34;</bdi>",
        "<span class=\"mark\">absent</span>",
    ] {
        assert!(table.contains(cell), "{cell}: {table}");
    }
    action(&server, "/webhook/tagoio", 1, r#"[{"id":"5","variable":"a","value":1,"device":"one"}]"#);
    let id = server.newest()["id"].as_str().unwrap().to_owned();
    assert!(
        !page(&server, &format!("/deliveries/{id}?view=points")).contains("<th scope=\"col\">device</th>")
    );
}

#[test]
fn a_device_s_page_shows_every_kind_of_value() {
    let server = Server::start();
    for n in 0..4 {
        let points = json!([{"id": format!("a{n}"), "variable": "temperature", "value": 20 + n, "device": "d"},
            {"id": format!("b{n}"), "variable": "door", "value": n % 2 == 0, "device": "d"},
            {"id": format!("c{n}"), "variable": "mode<b>", "value": if n < 3 { "eco" } else { "<i>" }, "device": "d"},
            {"id": format!("d{n}"), "variable": "gps", "device": "d", "location": {"lat": 1, "lng": 2}},
            {"id": format!("e{n}"), "variable": "seen", "device": "d"}]);
        action(&server, "/webhook/tagoio", 1, &points.to_string());
    }
    until("the learner", || {
        let entities = server.api("entities")["entities"].clone();
        entities[0]["deliveries"] == 4
    });
    let one = server.api("entities/tagoio/d");
    assert_eq!(one["series"][0]["name"], "temperature");
    let states = one["states"].as_array().unwrap();
    let of = |name: &str| {
        let found = states.iter().find(|states| states["name"] == name).unwrap();
        found["points"].as_array().unwrap().iter().map(|point| point[1].clone()).collect::<Vec<_>>()
    };
    assert_eq!(of("door"), ["true", "false", "true", "false"]);
    assert_eq!(of("mode<b>"), ["eco", "eco", "eco", "<i>"]);
    assert_eq!((&one["without_value"], &one["values_left_out"]), (&json!(["gps", "seen"]), &json!(0)));
    let shown = page(&server, "/entities/tagoio/d");
    for part in [
        "door",
        "mode&#60;b&#62;",
        "4 values, 1 change<",
        "4 values, 3 changes",
        "Without a value: <bdi>seen</bdi>",
        "1.00000° N, 2.00000° E",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert!(!shown.contains("<b>") && !shown.contains("<i>"), "{shown}");
}
