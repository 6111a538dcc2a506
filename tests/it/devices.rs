//! What devices send: bodies that are nearly JSON, lengths that do not fit, slow lines, numbers as text, odd times.

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Connection, SECRET, Server, Setup, hmac_hex, until};

const OPEN: &str = "[[source]]\nname = \"none\"\nsignature = \"none\"\nschema = \"off\"\n";

fn diagnosis(server: &Server) -> String {
    server.newest()["diagnosis"].as_str().unwrap().to_owned()
}

/// Writes those bytes on a connection of their own; the status of the first answer.
fn raw(server: &Server, bytes: &[u8]) -> u16 {
    let mut connection = Connection::open(server.receiver);
    connection.write(bytes);
    connection.answer().unwrap().status
}

#[test]
fn d2_d8_a_body_that_is_nearly_json_names_the_place_and_the_cure() {
    let server = Setup::new(OPEN).start();
    let headers = [("Content-Type", "application/json")];
    for (body, part) in [
        (&br#"{"id":"a","event":"x","d":{"v":nan}}"#[..], "“nan” at line 1, column 32 (/d/v)"),
        (br#"{"d":{"v":021}}"#, "leading zeros"),
        (b"{\"d\":{\"v\":\"K\xfchl\"}}", "0xFC"),
        (br#"{"v":21,5}"#, "decimal comma"),
        (b"{\"event\":\"x\",\"v\":1}\0", "zero byte"),
        (b"{\"v\":\"a\tb\"}", "raw tab"),
        (b"{\"v\":1}\n{\"v\":2}\n", "JSON Lines"),
        (b"\xa2\x64time\x1a\x6a\x00\x00\x00\x61v\xf9\x4d\x60", "CBOR"),
        (b"weather,room=a temp=21.5 1795878000000000000", "line protocol"),
        (b"t=21.5&n=a b&\xc3\xbc", "byte 10 is a blank"),
    ] {
        assert_eq!(server.post("/webhook/none", &headers, body).status, 400);
        let said = diagnosis(&server);
        assert!(said.contains(part) && !said.contains("template"), "{part}: {said}");
    }
    let senml = br#"[{"bn":"urn:dev:mac:0024befffe804ff1/","n":"temp","v":21.5,"u":"Cel"}]"#;
    assert_eq!(server.post("/webhook/none", &headers, senml).status, 400);
    assert!(diagnosis(&server).contains("SenML"), "{}", diagnosis(&server));
    let twice = json!(json!({"event": "x", "v": 1}).to_string()).to_string();
    assert_eq!(server.post("/webhook/none", &headers, twice.as_bytes()).status, 400);
    assert!(diagnosis(&server).contains("encodes it twice"), "{}", diagnosis(&server));
}

#[test]
fn d4_what_is_not_http_is_listed_by_its_cause_and_answered_with_it() {
    let server = Setup::new(&format!("[receiver]\nhead_timeout = \"1s\"\n{OPEN}")).start();
    let body = "Content-Length: 2\r\n\r\n{}";
    for (request, cause, part) in [
        (format!("POST /webhook/none HTTP/1.1\r\n{body}"), "bad_header", "Host header is missing"),
        (format!("POST /webhook/none?dev=K\u{fc}hl HTTP/1.1\r\nHost: x\r\n{body}"), "bad_target", "%C3%BC"),
        (format!("POST /webhook/none?dev=a b HTTP/1.1\r\nHost: x\r\n{body}"), "bad_target", "%20"),
        (format!("POST /webhook/none?dev=\"a\" HTTP/1.1\r\nHost: x\r\n{body}"), "bad_target", "%22"),
        (format!("POST /webhook/none?dev=<a> HTTP/1.1\r\nHost: x\r\n{body}"), "bad_target", "%3C"),
        (format!("POST /webhook/none http/1.1\r\nHost: x\r\n{body}"), "bad_request_line", "capital letters"),
        (
            format!("POST /webhook/none HTTP/1.1\r\nHost: x\r\nHost: y\r\n{body}"),
            "bad_header",
            "more than one Host",
        ),
        (format!("POST /webhook/none HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n{body}"), "bad_header", "folded"),
        (
            format!("POST /webhook/none HTTP/1.1\r\nHost: x\r\nA : b\r\n{body}"),
            "bad_header",
            "line 2 has a blank",
        ),
        (
            "POST /webhook/none HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
                .to_owned(),
            "bad_header",
            "only be chunked, once, in HTTP/1.1",
        ),
        (
            "POST /webhook/none HTTP/1.0\r\n\r\n{\"event\":\"x\"}".to_owned(),
            "bad_header",
            "A POST in HTTP/1.0 needs Content-Length",
        ),
    ] {
        assert_eq!(raw(&server, request.as_bytes()), 400, "{request}");
        let newest = server.api("refusals?limit=1")["refusals"][0].clone();
        let told = newest["detail"].as_str().unwrap();
        assert!(newest["cause"] == cause && told.contains(part), "{request}: {newest}");
        assert_eq!((&newest["likely"], &newest["client"]), (&json!(true), &json!("127.0.0.1")), "{newest}");
    }
    let mut slow = Connection::open(server.receiver);
    slow.write(b"POST /webhook/none HTTP/1.1\r\nHost: x\r\n");
    let answer = slow.answer().unwrap();
    assert_eq!(answer.status, 408);
    assert!(answer.json().to_string().contains("within 1 s. For a slow line raise [receiver] head_timeout."));
    let newest = server.api("refusals?limit=1")["refusals"][0].clone();
    assert_eq!((&newest["cause"], &newest["status"]), (&json!("slow_head"), &json!(408)), "{newest}");
    let told = server.api("overview")["attention"].to_string();
    assert!(told.contains("Latest: POST /webhook/none."), "{told}");
}

#[test]
fn d9_a_length_that_counts_characters_is_named_unsigned_and_signed() {
    let server =
        Setup::new(&format!("[[source]]\nname = \"tagorun\"\nsecrets = [\"file:signing-secret\"]\n{OPEN}"))
            .start();
    let body = r#"{"event":"x","room":"Küche"}"#;
    let length = body.chars().count();
    let unsigned =
        format!("POST /webhook/none HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n{body}");
    assert_eq!(raw(&server, unsigned.as_bytes()), 400);
    let said = diagnosis(&server);
    assert!(
        said.contains("Content-Length is 1 byte short: more followed. The sender counts characters"),
        "{said}"
    );
    let left_over =
        || server.api("refusals").to_string().contains("Content-Length before them is too small or missing");
    until("the bytes that follow", left_over);
    let signature = hmac_hex(SECRET.as_bytes(), body.as_bytes());
    let signed = format!(
        "POST /webhook/tagorun HTTP/1.1\r\nHost: x\r\nX-TagoRUN-Signature: {signature}\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    assert_eq!(raw(&server, signed.as_bytes()), 401);
    let said = diagnosis(&server);
    assert!(
        said.contains("belongs to this body with “}” behind it") && said.contains("characters"),
        "{said}"
    );
    assert!(!said.contains("variants"), "{said}");
    // The end is not there: cut by a proxy that kept to the length.
    let cut = &body.as_bytes()[..length];
    assert_eq!(server.post("/webhook/none", &[], cut).status, 400);
    assert!(diagnosis(&server).contains("The sender counts characters"), "{}", diagnosis(&server));
    // A good request behind a good one is another request.
    let good = r#"{"event":"x"}"#;
    let one =
        format!("POST /webhook/none HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{good}", good.len());
    let mut connection = Connection::open(server.receiver);
    connection.write(format!("{one}\r\n{one}").as_bytes());
    assert_eq!([connection.answer().unwrap().status, connection.answer().unwrap().status], [200, 200]);
    assert!(!server.newest().to_string().contains("followed"), "{}", server.newest());
}

#[test]
fn d9_a_length_that_is_one_too_large_is_named() {
    let server = Setup::new(&format!("[receiver]\nbody_timeout = \"1s\"\n{OPEN}")).start();
    let body = r#"{"event":"x","v":1}"#;
    let mut connection = Connection::open(server.receiver);
    connection.write(
        format!("POST /webhook/none HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{body}", body.len() + 1)
            .as_bytes(),
    );
    assert_eq!(connection.answer().unwrap().status, 408);
    let said = diagnosis(&server);
    assert!(said.contains("The document is complete: Content-Length is 1 too large: a zero byte"), "{said}");
}

#[test]
fn d10_a_body_without_a_length_is_named_also_where_it_follows_a_little_later() {
    let server = Setup::new(OPEN).start();
    let head = b"POST /webhook/none HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\r\n";
    let body = br#"{"event":"x"}"#;
    assert_eq!(raw(&server, &[&head[..], body].concat()), 400);
    let said = diagnosis(&server);
    assert!(said.contains("neither Content-Length nor Transfer-Encoding, yet 13 bytes followed"), "{said}");
    let mut connection = Connection::open(server.receiver);
    connection.write(head);
    connection.write(body);
    assert_eq!(connection.answer().unwrap().status, 400);
    assert!(diagnosis(&server).contains("yet 13 bytes followed"), "{}", diagnosis(&server));
    // An empty POST is an empty POST.
    assert_eq!(raw(&server, head), 400);
    assert!(diagnosis(&server).contains("The body is empty"), "{}", diagnosis(&server));
}

#[test]
fn d11_a_slow_line_is_told_from_a_silent_one_and_names_the_option() {
    let server = Setup::new(&format!("[receiver]\nbody_timeout = \"3s\"\n{OPEN}")).start();
    let head = "POST /webhook/none HTTP/1.1\r\nHost: x\r\nContent-Length: 72\r\n\r\n";
    let mut slow = Connection::open(server.receiver);
    let mut silent = Connection::open(server.receiver);
    silent.write(format!("{head}{{\"event\":").as_bytes());
    slow.write(head.as_bytes());
    for _ in 0..30 {
        if !slow.write(b" ") {
            break;
        }
        std::thread::sleep(Duration::from_millis(110));
    }
    until("both answers", || server.deliveries("reason=too_slow").len() == 2);
    let said: Vec<String> = server
        .deliveries("reason=too_slow")
        .iter()
        .map(|row| server.delivery(row["id"].as_str().unwrap())["diagnosis"].as_str().unwrap().to_owned())
        .collect();
    assert!(
        said.iter().any(|one| one.contains("of 72 bytes, still coming at the deadline: a slow line")),
        "{said:?}"
    );
    assert!(said.iter().any(|one| one.contains("9 of 72 bytes, then nothing for")), "{said:?}");
    assert!(said.iter().all(|one| one.contains("raise body_timeout")), "{said:?}");
}

#[test]
fn d12_d13_numbers_as_text_are_drawn_and_times_are_found_by_name_or_pointer() {
    let config = "[[source]]\nname = \"particle\"\nsignature = \"none\"\nentity = \"/coreid\"\n\
                  [[source]]\nname = \"thingpark\"\nsignature = \"none\"\nschema = \"off\"\nentity = \"/DevEUI_uplink/DevEUI\"\n\
                  time_pointer = \"/DevEUI_uplink/Time\"\n";
    let server = Setup::new(config).start();
    let at = |ago: i64| {
        jiff::Timestamp::from_second(jiff::Timestamp::now().as_second() - ago).unwrap().to_string()
    };
    let particle =
        json!({"event": "temp", "data": "21.5", "published_at": at(600), "coreid": "0123456789abcdef"});
    assert_eq!(server.post("/webhook/particle", &[], particle.to_string().as_bytes()).status, 200);
    let uplink = json!({"DevEUI_uplink": {"Time": at(300), "DevEUI": "70B3D57ED0001234", "FCntUp": "7", "LrrRSSI": "-57.000000"}});
    assert_eq!(server.post("/webhook/thingpark", &[], uplink.to_string().as_bytes()).status, 200);
    let entities = || server.api("entities")["entities"].as_array().unwrap().clone();
    until("both entities", || entities().len() == 2);
    for (source, lag) in [("particle", 600.0), ("thingpark", 300.0)] {
        let entity: Value = entities().into_iter().find(|entity| entity["source"] == source).unwrap();
        let told = entity.to_string();
        let seen = entity["lag_ms"].as_f64().unwrap_or_default() / 1_000.0;
        assert!((seen - lag).abs() < 60.0, "{source}: {told}");
    }
    let page = |path: &str| {
        let answer = crate::harness::exchange(server.inspector, "GET", path, &[], b"");
        String::from_utf8(answer.body).unwrap()
    };
    let device = page("/entities/thingpark/70B3D57ED0001234");
    assert!(device.contains("DevEUI_uplink.LrrRSSI") && !device.contains("carry no numbers"), "{device}");
}
