//! JSON: what two readers could read differently is refused, and no byte of it is lost.

use crate::harness::{SECRET, Server, Setup, hmac_hex};

fn reason(server: &Server, body: &[u8]) -> String {
    let answer = server.post_signed(body);
    let row = server.deliveries("")[0].clone();
    assert_eq!(server.raw(row["id"].as_str().unwrap()), body, "the bytes are kept");
    assert_eq!(answer.status, if row["reason"].is_null() { 200 } else { 400 });
    row["reason"].as_str().unwrap_or("accepted").to_owned()
}

#[test]
fn js_01_a_duplicate_key_is_not_json() {
    let server = Server::start();
    for body in [
        r#"{"id":"a","id":"b","event":"x"}"#,
        r#"{"event":"x","a":{"b":1,"b":2}}"#,
        r#"{"event":"x","id":"a","\u0069d":"b"}"#,
    ] {
        assert_eq!(reason(&server, body.as_bytes()), "not_json", "{body}");
        assert_eq!(server.newest()["checks"][3]["outcome"], "pass");
    }
}

#[test]
fn js_02_nesting_up_to_127_is_read_and_deeper_is_refused_alive() {
    let server = Server::start();
    for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
        // The value lies one level inside its object.
        let nested = |depth: usize| {
            format!(r#"{{"event":"x","v":{}1{}}}"#, open.repeat(depth - 1), close.repeat(depth - 1))
        };
        assert_eq!(reason(&server, nested(127).as_bytes()), "accepted");
        for depth in [128, 129, 10_000, 500_000] {
            assert_eq!(reason(&server, nested(depth).as_bytes()), "not_json", "{depth}");
        }
    }
    assert_eq!(server.ask("GET", "/healthz", &[]).status, 200);
}

#[test]
fn js_05_a_lone_surrogate_is_not_json_and_is_kept() {
    let server = Server::start();
    for value in [r#""v":"\ud800""#, r#""\ud800":1"#, r#""v":"\ud83c\ud83c""#] {
        assert_eq!(reason(&server, format!(r#"{{"event":"x",{value}}}"#).as_bytes()), "not_json", "{value}");
    }
}

#[test]
fn js_07_other_top_levels_are_no_event() {
    let server = Server::start();
    for body in ["[]", "[1]", r#"[{"a":1},{"b":2}]"#, "\"x\"", "42", "null", "true"] {
        assert_eq!(reason(&server, body.as_bytes()), "invalid_payload", "{body}");
    }
    let answer = server.post_signed(b"42");
    assert_eq!(answer.json()["details"][0]["message"], "object expected, a number seen");
}

#[test]
fn js_08_one_limit_for_every_kind_of_body() {
    let server = Setup::new("[receiver]\nmax_body = \"1 MiB\"\n").start();
    let sized = |size: usize| {
        let head = r#"{"event":"x","v":""#;
        format!("{head}{}\"}}", "a".repeat(size - head.len() - 2))
    };
    for kind in
        ["application/json", "text/plain", "application/octet-stream", "application/x-www-form-urlencoded"]
    {
        for (size, status) in
            [(99_000, 200), (300_000, 200), (1 << 20, 200), ((1 << 20) + 1, 413), (3_000_000, 413)]
        {
            let body = sized(size);
            let hex = hmac_hex(SECRET.as_bytes(), body.as_bytes());
            let headers = [("Content-Type", kind), ("X-TagoRUN-Signature", hex.as_str())];
            let answer = server.post("/webhook/tagorun", &headers, body.as_bytes());
            assert_eq!(answer.status, status, "{kind} {size}");
            if status == 413 {
                assert_eq!(answer.json()["error"], "Payload too large");
                let delivery = server.newest();
                assert_eq!(
                    (delivery["reason"].as_str(), delivery["body_end"].as_str()),
                    (Some("too_large"), Some("cut_at_cap"))
                );
                assert_eq!(delivery["size_bytes"], 1 << 20);
            }
        }
    }
}

#[test]
fn js_10_invisible_characters_are_kept_as_they_are() {
    let server = Server::start();
    let body = "{\"event\":\"x\",\"v\":\"\u{200b}\u{2028}\u{202e}\u{feff}\"}";
    assert_eq!(reason(&server, body.as_bytes()), "accepted");
}

#[test]
fn js_11_a_nul_is_taken_in_values_and_refused_in_names_and_ids() {
    let server = Server::start();
    assert_eq!(reason(&server, br#"{"event":"x","v":"\u000027"}"#), "accepted");
    assert_eq!(reason(&server, br#"{"event":"x\u0000"}"#), "invalid_payload");
    assert_eq!(reason(&server, br#"{"event":"x","id":"a\u0000b"}"#), "invalid_id");
}

#[test]
fn numbers_beyond_a_double_are_not_json_and_big_integers_keep_every_digit() {
    let server = Server::start();
    assert_eq!(reason(&server, br#"{"event":"x","v":1e400}"#), "not_json");
    let body = br#"{"event":"x","v":123456789012345678901234567890,"w":1152921506151679042,"x":1.0,"y":1e2}"#;
    assert_eq!(reason(&server, body), "accepted");
    assert_eq!(reason(&server, b"{\"event\":\"x\",\"v\":\"\xff\"}"), "not_json");
    assert!(server.newest()["body_base64"].is_string());
}

#[test]
fn s_02_event_and_type_must_name_the_same_event() {
    let server = Server::start();
    assert_eq!(reason(&server, br#"{"type":"made.up"}"#), "accepted");
    assert_eq!(reason(&server, br#"{"event":"a","type":"b"}"#), "invalid_payload");
    assert_eq!(reason(&server, br#"{"hello":"world"}"#), "invalid_payload");
    assert_eq!(reason(&server, br#"{"event":{"type":"a"}}"#), "invalid_payload");
}

#[test]
fn every_fault_of_a_payload_is_told_with_its_pointer() {
    let server = Server::start();
    let answer = server.post_signed(br#"{"event":"data.received","data":[],"device":{"id":null}}"#);
    assert_eq!(answer.status, 400);
    let details = answer.json()["details"].clone();
    let mut places: Vec<&str> =
        details.as_array().unwrap().iter().map(|fault| fault["path"].as_str().unwrap()).collect();
    places.sort_unstable();
    assert_eq!(places, ["/data", "/device/id", "/device/name", "/timestamp"]);
}

#[test]
fn the_modes_of_a_schema_and_of_unknown_events() {
    let config = |mode: &str| {
        format!(
            "[[source]]\nname = \"s\"\nsignature = \"none\"\nschema = \"{mode}\"\nunknown_events = \"reject\"\n"
        )
    };
    let lacking = br#"{"event":"user.login","timestamp":"t"}"#;
    let odd = br#"{"event":"user.login","timestamp":"yesterday","user":{"id":"u","email":"not an address"}}"#;
    for (mode, lacking_status, odd_status) in
        [("enforce", 400, 200), ("strict", 400, 400), ("warn", 200, 200), ("off", 200, 200)]
    {
        let server = Setup::new(&config(mode)).start();
        let post = |body: &[u8]| server.post("/webhook/s", &[], body).status;
        assert_eq!((post(lacking), post(odd)), (lacking_status, odd_status), "{mode}");
        let faults = server.newest()["checks"][5]["faults"].as_array().map_or(0, Vec::len);
        assert_eq!(faults > 0, mode != "off", "{mode} notes what departs");
        assert_eq!(post(br#"{"event":"made.up"}"#), 400);
        assert_eq!(server.newest()["reason"], "unknown_event");
    }
}
