//! What repeats itself, what differs, what people wrote: timeline, comparison, marks, times.

use serde_json::{Value, json};

use crate::harness::{Answer, SECRET, Server, Setup, exchange, hmac_hex, login};

fn patch(server: &Server, id: &str, body: &Value) -> Answer {
    server.tell("PATCH", &format!("deliveries/{id}"), body)
}

fn newest_id(server: &Server) -> String {
    server.newest()["id"].as_str().unwrap().to_owned()
}

fn page(server: &Server, path: &str) -> String {
    String::from_utf8(exchange(server.inspector, "GET", path, &[], b"").body).unwrap()
}

#[test]
fn a_timeline_has_every_delivery_of_an_event_with_gaps_and_differences() {
    let server = Server::start();
    let body = login("evt_1");
    server.post_signed(body.as_bytes());
    server.post_signed(body.as_bytes());
    let changed = body.replace("u1", "u2");
    assert_eq!(server.post_signed(changed.as_bytes()).status, 409);
    server.post_signed(login("evt_2").as_bytes());
    let told = server.api("events/evt_1/timeline");
    let attempts = told["attempts"].as_array().unwrap();
    let verdicts: Vec<&str> = attempts.iter().map(|one| one["verdict"].as_str().unwrap()).collect();
    assert_eq!(verdicts, ["accepted", "duplicate", "rejected"]);
    assert_eq!(attempts[0]["gap_s"], Value::Null);
    assert!(attempts[1]["gap_s"].as_f64().unwrap() > 0.0);
    assert_eq!(
        (&attempts[1]["body"], &attempts[2]["body"]),
        (&json!("the same bytes"), &json!("one value differs"))
    );
    assert!(told["schedule"].as_str().unwrap().starts_with("3 attempts, gaps "), "{told}");
    for _ in 0..2 {
        let bare = r#"{"id":"evt_3","event":"user.login","timestamp":"2026-03-09T07:14:58Z"}"#;
        assert_eq!(server.post_signed(bare.as_bytes()).status, 400);
    }
    assert_eq!(
        server.post_signed(login("evt_3").as_bytes()).json()["status"],
        "processed",
        "a refusal claims no id"
    );
    let told = server.api("events/evt_3/timeline");
    assert_eq!(told["attempts"].as_array().unwrap().len(), 3, "{told}");
    assert_eq!(server.api("events/evt_2/timeline")["attempts"].as_array().unwrap().len(), 1);
    assert_eq!(server.api("events/nothing/timeline?source=tagoio")["attempts"], json!([]));
    assert_eq!(server.api_raw("events/evt_1/timeline?colour=red").status, 400);
    let shown = page(&server, &format!("/deliveries/{}", attempts[1]["id"].as_str().unwrap()));
    assert!(shown.contains("Attempts of this event") && shown.contains("one value differs"), "{shown}");
}

#[test]
fn two_deliveries_are_compared_by_value_by_line_and_by_byte() {
    let server = Server::start();
    let capture = |body: &[u8], header: &str| {
        server.post("/webhook-test/x", &[("X-Say", header)], body);
        newest_id(&server)
    };
    let one = capture(br#"{"a":1,"b":[1,2],"big":1152921504606846977}"#, "one");
    let other = capture(br#"{"a":1.0,"b":[1],"big":1152921504606846976}"#, "two");
    let told = server.api(&format!("deliveries/{one}/diff/{other}"));
    assert_eq!((&told["same_bytes"], &told["first_difference"]), (&json!(false), &json!(6)));
    assert_eq!(
        told["json"]["changes"],
        json!([
            {"pointer": "/a", "before": "1", "after": "1.0", "equal_number": true},
            {"pointer": "/b/1", "before": "2", "after": null, "equal_number": false},
            {"pointer": "/big", "before": "1152921504606846977", "after": "1152921504606846976", "equal_number": false},
        ])
    );
    let head = told["head"].as_array().unwrap();
    assert!(head.contains(&json!({"change": "removed", "text": "X-Say: one"})), "{head:?}");
    assert!(head.contains(&json!({"change": "added", "text": "X-Say: two"})));
    assert_eq!(server.api(&format!("deliveries/{one}/diff/{one}"))["same_bytes"], json!(true));
    let (text, more) = (capture(b"a\nb\n", "x"), capture(b"a\nc\n", "x"));
    let told = server.api(&format!("deliveries/{text}/diff/{more}"));
    assert_eq!(told["json"], Value::Null);
    assert_eq!(told["lines"][1], json!({"change": "removed", "text": "b"}));
    assert_eq!(server.api_raw(&format!("deliveries/{one}/diff/nothing")).status, 404);
    let shown = page(&server, &format!("/diff?a={one}&b=http://127.0.0.1/deliveries/{other}?view=text"));
    assert!(shown.contains("/big") && shown.contains("the same number, written differently"), "{shown}");
    assert!(page(&server, &format!("/diff?a={one}&b={one}")).contains("The same bytes"));
    assert!(page(&server, "/diff").contains("Nothing to compare"));
}

#[test]
fn a_pin_a_note_and_tags_are_kept_shown_searched_and_taken_away() {
    let server = Server::start();
    server.post_signed(login("evt_1").as_bytes());
    let id = newest_id(&server);
    server.post_signed(login("evt_2").as_bytes());
    let marks = json!({"pinned": true, "note": "ask <b>Ana</b>\nabout 50%", "tags": ["to-fix", " customer 7 ", "to-fix"]});
    let told = patch(&server, &id, &marks);
    assert_eq!(told.status, 200, "{}", told.word());
    assert_eq!(told.json()["tags"], json!(["to-fix", "customer 7"]));
    let delivery = server.delivery(&id);
    assert_eq!((&delivery["pinned"], &delivery["note"]), (&json!(true), &marks["note"]));
    for query in [
        "pinned=true",
        "tag=to-fix",
        "q=pinned:true",
        "q=tag:customer*",
        "q=note:%22ask%20%3Cb%3E%22",
        "q=note:ana+tag:to-fix",
    ] {
        let found = server.deliveries(query);
        assert_eq!((found.len(), &found[0]["id"]), (1, &json!(id)), "{query}");
    }
    for query in ["pinned=false", "q=pinned:false", "q=NOT+tag:to-fix"] {
        assert_eq!(server.deliveries(query)[0]["event_id"], "evt_2", "{query}");
        assert_eq!(server.deliveries(query).len(), 1, "{query}");
    }
    assert!(server.deliveries("tag=to").is_empty());
    let shown = page(&server, "/");
    assert!(shown.contains("tag pin") && shown.contains("customer 7"), "{shown}");
    let shown = page(&server, &format!("/deliveries/{id}"));
    assert!(shown.contains("ask &#60;b&#62;Ana&#60;/b&#62;") && !shown.contains("<b>Ana"), "{shown}");

    assert_eq!(patch(&server, &id, &json!({"note": null})).json()["pinned"], json!(true));
    assert_eq!(server.delivery(&id)["note"], Value::Null);
    patch(&server, &id, &json!({"pinned": false, "tags": []}));
    assert!(server.deliveries("pinned=true").is_empty());
    for (bad, place) in [
        (json!({"pinned": "yes"}), "/pinned"),
        (json!({"note": 7}), "/note"),
        (json!({"note": "x".repeat(10_001)}), "/note"),
        (json!({"note": "a\u{0}b"}), "/note"),
        (json!({"tags": "a"}), "/tags"),
        (json!({"tags": [""]}), "/tags"),
        (json!({"tags": ["x".repeat(51)]}), "/tags"),
        (json!({"tags": (0..21).map(|n| n.to_string()).collect::<Vec<_>>()}), "/tags"),
        (json!({"colour": 1}), "/colour"),
    ] {
        let told = patch(&server, &id, &bad);
        assert_eq!((told.status, &told.json()["errors"][0]["pointer"]), (400, &json!(place)), "{bad}");
    }
    assert_eq!(patch(&server, "0195799f-0000-7000-8000-000000000000", &json!({})).status, 404);
    let origin = format!("http://{}", server.inspector);
    let form = exchange(
        server.inspector,
        "POST",
        &format!("/deliveries/{id}/marks"),
        &[("Origin", &origin), ("Content-Type", "application/x-www-form-urlencoded")],
        b"note=a%0D%0Ab&tags=x,+y+,&pinned=yes",
    );
    assert_eq!(form.status, 303);
    let delivery = server.delivery(&id);
    assert_eq!(
        (&delivery["note"], &delivery["tags"], &delivery["pinned"]),
        (&json!("a\nb"), &json!(["x", "y"]), &json!(true))
    );
}

#[test]
fn sources_tell_how_long_their_senders_wait() {
    let server = Setup::new(
        "[[source]]\nname = \"quick\"\nsecrets = [\"file:signing-secret\"]\nsender_timeout = \"1s\"",
    )
    .start();
    for id in ["evt_1", "evt_2", "evt_3"] {
        let body = login(id);
        let signature = hmac_hex(SECRET.as_bytes(), body.as_bytes());
        assert_eq!(
            server.post("/webhook/quick", &[("X-TagoRUN-Signature", &signature)], body.as_bytes()).status,
            200
        );
    }
    server.post("/webhook-test", &[], b"x");
    let told = server.api("sources");
    let quick =
        told["sources"].as_array().unwrap().iter().find(|one| one["source"] == "quick").unwrap().clone();
    assert_eq!(
        (&quick["deliveries"], &quick["timeout_ms"], &quick["gave_up"]),
        (&json!(3), &json!(1000.0), &json!(0))
    );
    assert!(quick["p50_ms"].as_f64().unwrap() > 0.0 && quick["p99_ms"].as_f64() >= quick["p50_ms"].as_f64());
}
