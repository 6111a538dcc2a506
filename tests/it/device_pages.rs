//! Devices and schema changes as their pages and the API show them: trouble first, one device of two sources, names by hand.

use serde_json::{Value, json};

use crate::harness::{Server, Setup, exchange, until};

const SOURCES: &str = "[[source]]\nname = \"tagorun\"\nsignature = \"none\"\nschema = \"off\"\n\
                       [[source]]\nname = \"tagoio\"\nsignature = \"none\"\nschema = \"off\"\nentity = \"/device/id\"\n";
const SHARED: &str = "66f16881c903480009ff1042";

fn page(server: &Server, path: &str) -> String {
    let answer = exchange(server.inspector, "GET", path, &[], b"");
    assert_eq!(answer.status, 200, "{path}");
    String::from_utf8(answer.body).unwrap()
}

fn post(server: &Server, source: &str, body: &Value) {
    let answer = server.post(&format!("/webhook/{source}"), &[], body.to_string().as_bytes());
    assert_eq!(answer.status, 200, "{body}");
}

/// A time so many seconds from now.
fn at(secs: i64) -> String {
    jiff::Timestamp::from_second(jiff::Timestamp::now().as_second() + secs).unwrap().to_string()
}

fn entities(server: &Server, query: &str) -> Vec<Value> {
    server.api(&format!("entities?{query}"))["entities"].as_array().unwrap().clone()
}

/// Waits until all deliveries were learnt.
fn learnt(server: &Server, deliveries: u64) {
    until("the learner", || {
        let seen = entities(server, "limit=500").into_iter().map(|one| one["deliveries"].as_u64().unwrap());
        seen.sum::<u64>() == deliveries
    });
}

/// The cells of the first column of a table of rows, in their order.
fn names(page: &str) -> Vec<&str> {
    let links = page.split("class=\"row-link\"").skip(1);
    links.map(|rest| rest.split("<bdi>").nth(1).unwrap().split("</bdi>").next().unwrap()).collect()
}

#[test]
fn devices_in_trouble_come_first_with_what_it_is_and_need_attention() {
    let config = "[[source]]\nname = \"open\"\nsignature = \"none\"\nschema = \"off\"\n\
                  [[source]]\nname = \"watched\"\nsignature = \"none\"\nschema = \"off\"\nsilence_after = \"1s\"\n";
    let server = Setup::new(config).start();
    let event = |id: &str, time: i64| json!({"event": "device.status_changed", "timestamp": at(time), "device": {"id": id, "name": id.to_uppercase()}});
    post(&server, "watched", &event("boiler", 0));
    for n in 0..9 {
        post(&server, "open", &event("pump", 139));
        post(&server, "open", &event("tank", if n % 3 == 2 { -400 } else { 0 }));
        post(&server, "open", &event("fine", 0));
    }
    learnt(&server, 28);
    until("the silence", || entities(&server, "state=silent").len() == 1);
    let list = page(&server, "/entities");
    assert_eq!(names(&list), ["BOILER", "PUMP", "TANK", "FINE"], "{list}");
    for words in [">silent<", ">clock ahead<", ">by 2 min 1", ">late<", "3 of the last 9 events"] {
        assert!(list.contains(words), "{words}: {list}");
    }
    assert_eq!(names(&page(&server, "/entities?state=late")), ["TANK"]);
    assert_eq!(names(&page(&server, "/entities?sort=recent"))[0], "FINE");
    let trouble: Vec<Value> =
        entities(&server, "sort=trouble").into_iter().map(|one| one["state"].clone()).collect();
    assert_eq!(trouble, ["silent", "clock_ahead", "late", "new"]);
    let first = server.api("entities?sort=trouble&limit=2");
    let next = format!("sort=trouble&limit=2&before={}", first["next"].as_str().unwrap());
    assert_eq!(entities(&server, &next)[0]["entity"], "tank", "pages go over the kinds of trouble");
    let told = server.api("overview")["attention"].clone();
    let of = |topic: &str| {
        let all = told.as_array().unwrap().iter();
        all.clone().find(|one| one["topic"] == topic).unwrap_or_else(|| panic!("no {topic}: {told}")).clone()
    };
    assert!(of("silence")["sentence"].as_str().unwrap().starts_with("BOILER has been silent for"), "{told}");
    assert_eq!(of("silence")["url"], "/entities/watched/boiler");
    assert!(of("clock")["sentence"].as_str().unwrap().starts_with("The clock of PUMP is 2 min 1"), "{told}");
    assert_eq!(of("lateness")["sentence"], "Events of TANK arrive late: 3 of the last 9 events.");
    assert_eq!(server.api_raw("entities?state=odd").status, 400);
}

#[test]
fn what_two_sources_say_of_one_id_is_one_device_with_the_name_that_one_knows() {
    let server = Setup::new(SOURCES).start();
    post(
        &server,
        "tagorun",
        &json!({"event": "device.status_changed", "device": {"id": SHARED, "name": "Greenhouse"}, "data": {"level": 3}}),
    );
    post(&server, "tagoio", &json!([{"id": "p1", "variable": "battery", "value": 80, "device": SHARED}]));
    // A short id may be another thing at another source.
    post(
        &server,
        "tagorun",
        &json!({"event": "device.status_changed", "device": {"id": "1", "name": "One"}}),
    );
    post(&server, "tagoio", &json!([{"id": "p2", "variable": "battery", "value": 70, "device": "1"}]));
    learnt(&server, 4);
    for path in ["/entities", "/entities?sort=recent", "/entities?q=greenhouse", "/entities?q=66f168"] {
        let list = page(&server, path);
        let shared = names(&list).into_iter().filter(|name| *name == "Greenhouse").count();
        assert_eq!(shared, 1, "{path}: {list}");
        assert!(!list.contains(&format!(">{SHARED}<")) && list.contains("…1042"), "{path}: {list}");
    }
    assert_eq!(names(&page(&server, "/entities")).len(), 3);
    let device = page(&server, &format!("/entities/tagoio/{SHARED}"));
    for words in ["<bdi>Greenhouse</bdi>", "tagoio, tagorun", "battery", "data.level"] {
        assert!(device.contains(words), "{words}: {device}");
    }
    let one = server.api(&format!("entities/tagoio/{SHARED}"));
    assert_eq!((&one["name"], &one["also_at"]), (&json!("Greenhouse"), &json!(["tagorun"])));
    assert_eq!(one["log"]["deliveries"].as_array().unwrap().len(), 2, "the deliveries of both");
    let first = server.api(&format!("entities/tagoio/{SHARED}?limit=1"));
    let before = first["log"]["next"].as_str().unwrap();
    let second = server.api(&format!("entities/tagoio/{SHARED}?limit=1&before={before}"));
    assert_eq!(second["log"]["deliveries"][0]["source"], "tagorun");
}

#[test]
fn a_device_gets_a_name_by_hand_that_new_deliveries_do_not_change() {
    let server = Setup::new(SOURCES).start();
    let event = json!({"event": "device.status_changed", "device": {"id": SHARED, "name": "AM308"}});
    post(&server, "tagorun", &event);
    post(&server, "tagoio", &json!([{"id": "p1", "variable": "battery", "value": 80, "device": SHARED}]));
    learnt(&server, 2);
    let path = format!("entities/tagorun/{SHARED}");
    let named = server.tell("PATCH", &path, &json!({"name": " Meeting room <4> "}));
    assert_eq!((named.status, named.json()["name"].clone()), (200, json!("Meeting room <4>")));
    post(&server, "tagorun", &event);
    learnt(&server, 3);
    let server = server.kill_and_restart();
    assert_eq!(
        server.api(&format!("entities/tagoio/{SHARED}"))["name"],
        "Meeting room <4>",
        "at every source"
    );
    assert_eq!(names(&page(&server, "/entities?q=meeting")), ["Meeting room &#60;4&#62;"]);
    for bad in [json!({"name": 1}), json!({}), json!({"nick": "x"}), json!({"name": "x".repeat(101)})] {
        assert_eq!(server.tell("PATCH", &path, &bad).status, 400, "{bad}");
    }
    assert_eq!(server.tell("PATCH", "entities/tagorun/nobody", &json!({"name": "x"})).status, 404);
    // By the form of its page; blanks alone take the name away.
    let origin = format!("http://{}", server.inspector);
    let headers = [("Origin", &*origin), ("Content-Type", "application/x-www-form-urlencoded")];
    let answer = exchange(server.inspector, "POST", &format!("/{path}"), &headers, b"name=Caf%C3%A9+1");
    assert_eq!((answer.status, answer.header("location")), (303, Some(&*format!("/{path}"))));
    assert!(page(&server, &format!("/{path}")).contains("<bdi>Café 1</bdi>"));
    let answer = exchange(server.inspector, "POST", &format!("/{path}"), &headers, b"name=+");
    assert_eq!((answer.status, server.api(&path)["name"].clone()), (303, json!("AM308")));
    let evil = [("Origin", "http://evil.example"), headers[1]];
    assert_eq!(exchange(server.inspector, "POST", &format!("/{path}"), &evil, b"name=x").status, 403);
}

#[test]
fn a_device_s_page_draws_every_kind_of_value_with_axes_gaps_limits_and_places() {
    let server = Setup::new(SOURCES).start();
    for n in 0..12_i64 {
        // Half an hour without anything between the fifth and the sixth.
        let time = at(-3_600 + n * 60 + if n > 5 { 1_800 } else { 0 });
        post(
            &server,
            "tagorun",
            &json!({"id": format!("e{n}"), "event": "data.received", "timestamp": time, "device": {"id": "d", "name": "D"},
            "data": {"variables": [{"variable": "co2", "value": 400 + n * 50, "unit": "ppm", "time": time}, {"variable": "door", "value": n % 2 == 0, "time": time},
                {"variable": "mode", "value": "eco", "time": time}, {"variable": "pos", "location": {"lat": 52.5 + n as f64 / 1e3, "lng": 13.4}, "time": time}]}}),
        );
    }
    post(
        &server,
        "tagorun",
        &json!({"id": "t", "event": "data.threshold", "timestamp": at(-60), "device": {"id": "d"},
        "variable": {"name": "co2", "value": 1412, "unit": "ppm"}, "threshold": {"value": 1200, "operator": ">"}}),
    );
    learnt(&server, 13);
    let device = page(&server, "/entities/tagorun/d");
    for part in [
        "class=\"y-axis\"",
        "class=\"gap\"",
        "limit &#62; 1200 ppm",
        "class=\"drawing strip\"",
        "class=\"map\"",
        "class=\"track\"",
        "52.51100° N, 13.40000° E",
    ] {
        assert!(device.contains(part), "{part}: {device}");
    }
    // The table has the variables as columns, and the event type only because there are two.
    let table =
        device.split("class=\"sheet rows readings\"").nth(1).unwrap().split("</table>").next().unwrap();
    let head = table.split("</thead>").next().unwrap();
    for column in ["Event type", "<bdi>co2</bdi>", "<bdi>ppm</bdi>", "<bdi>door</bdi>", "<bdi>mode</bdi>"] {
        assert!(head.contains(column), "{column}: {head}");
    }
    assert!(table.contains("<bdi>950</bdi>") && table.contains("<bdi>true</bdi>"), "{table}");
    let one = server.api("entities/tagorun/d");
    assert_eq!(one["limits"], json!([{"name": "co2", "value": 1200.0, "operator": ">"}]));
    assert_eq!(one["track"].as_array().unwrap().len(), 12);
}

#[test]
fn schema_changes_show_findings_first_and_a_type_that_was_rejected_is_one() {
    let config = "[[source]]\nname = \"open\"\nsignature = \"none\"\n";
    let server = Setup::new(config).start();
    let login = |user: Value| json!({"event": "user.login", "timestamp": at(0), "user": user});
    post(&server, "open", &login(json!({"id": "u", "email": "a@example.com"})));
    let refused = server.post("/webhook/open", &[], login(json!({"id": "u"})).to_string().as_bytes());
    assert_eq!(refused.status, 400);
    for n in 0..3 {
        post(&server, "open", &json!({"event": format!("calm.{n}"), "a": 1}));
    }
    until("the learner", || server.api("drift?limit=100")["drift"].as_array().unwrap().len() == 4);
    let found = page(&server, "/drift");
    let (cards, table) = found.split_once("Other event types").unwrap();
    assert!(
        cards.contains("<bdi>user.login</bdi>") && cards.contains("1 of 2 deliveries failed the schema."),
        "{cards}"
    );
    assert!(!cards.contains("No drift") && !cards.contains("calm."), "{cards}");
    assert_eq!(names(table).len(), 3, "{table}");
    assert_eq!(table.matches("No drift").count(), 3, "{table}");
}

#[test]
fn schema_changes_claim_no_more_than_the_catalogue_says() {
    let server = Setup::new("[[source]]\nname = \"open\"\nsignature = \"none\"\n").start();
    let example = include_str!("../../catalog/examples/user.login.json");
    post(&server, "open", &serde_json::from_str(example).unwrap());
    until("the learner", || server.api("drift?limit=100")["drift"].as_array().unwrap().len() == 1);
    let said = |page: &str| {
        page.split("class=\"all-clear\">").nth(1).unwrap().split("</p>").next().unwrap().to_owned()
    };
    let sure = said(&page(&server, "/drift"));
    assert_eq!(sure, "No drift: payloads are as before, and as the catalogue says.");
    post(&server, "open", &json!({"event": "pump.alarm", "pressure": 3.4}));
    until("the learner", || server.api("drift?limit=100")["drift"].as_array().unwrap().len() == 2);
    assert_eq!(said(&page(&server, "/drift")), format!("{sure} 1 event type is not in the catalogue."));
}
