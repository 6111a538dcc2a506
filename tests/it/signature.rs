//! Signatures: over the bytes of the wire, whatever the request looks like around them.

use std::io::Write as _;

use serde_json::Value;

use crate::harness::{Answer, Connection, SECRET, Server, Setup, hmac_hex, login, standard_webhooks};

fn reason(server: &Server) -> String {
    server.deliveries("")[0]["reason"].as_str().unwrap_or("none").to_owned()
}

fn signed_as(server: &Server, value: &str, body: &str) -> Answer {
    server.post("/webhook/tagorun", &[("X-TagoRUN-Signature", value)], body.as_bytes())
}

#[test]
fn sig_02_a_signature_of_any_length_is_a_plain_401() {
    let server = Server::start();
    let long = "a".repeat(65);
    for value in ["abc", &long, "", "ünïcode", &"f".repeat(64)] {
        let answer = signed_as(&server, value, &login("evt_1"));
        assert_eq!(answer.status, 401, "{value}");
        assert_eq!(answer.json(), serde_json::json!({"error": "Unauthorized"}));
    }
    assert_eq!(server.post("/webhook/tagorun", &[], login("evt_1").as_bytes()).status, 401);
    assert!(!server.log().contains("panicked"));
}

#[test]
fn sig_04_sig_05_sig_06_the_bytes_as_sent_are_what_is_verified_and_kept() {
    let server = Server::start();
    let bodies = [
        "{\"id\":\"a\",  \"event\":\"x\",\"v\":  1.0 }",
        r#"{"id":"b","event":"x","v":"\u001B \u001b é \\u00e9"}"#,
        "{\"id\":\"c\",\"event\":\"x\",\"v\":\"🌡😀\"}",
        "\u{feff}{\"id\":\"d\",\"event\":\"x\"}",
        "{\"id\":\"e\",\"event\":\"x\"}\r\n\n",
    ];
    for body in bodies {
        let answer = server.post_signed(body.as_bytes());
        assert_eq!(answer.status, 200, "{body}");
        let id = answer.json()["delivery_id"].as_str().unwrap().to_owned();
        assert_eq!(server.raw(&id), body.as_bytes());
        assert_eq!(server.delivery(&id)["body"].as_str().unwrap(), body);
    }
}

#[test]
fn sig_08_a_signed_form_is_verified_and_then_no_json() {
    let server = Setup::new(
        "[[source]]\nname = \"tagorun\"\nsecrets = [\"file:signing-secret\"]\n\
         [[source]]\nname = \"github\"\nsecrets = [\"file:signing-secret\"]\nsignature = \"github\"\n",
    )
    .start();
    let body = b"payload=%7B%22zen%22%3A%22Keep+it+simple%22%7D";
    let form = ("Content-Type", "application/x-www-form-urlencoded");
    let hex = hmac_hex(SECRET.as_bytes(), body);
    let answer = server.post("/webhook/tagorun", &[form, ("X-TagoRUN-Signature", &hex)], body);
    assert_eq!((answer.status, reason(&server).as_str()), (400, "not_json"));
    let signature = format!("sha256={hex}");
    let lines = [
        form,
        ("X-Hub-Signature-256", signature.as_str()),
        ("X-GitHub-Event", "ping"),
        ("X-GitHub-Delivery", "g1"),
    ];
    let answer = server.post("/webhook/github", &lines, body);
    assert_eq!(answer.word(), "processed");
    let row = &server.deliveries("")[0];
    assert_eq!((row["event_type"].as_str(), row["event_id"].as_str()), (Some("ping"), Some("g1")));
}

#[test]
fn sig_10_one_prefix_and_outer_blanks_are_taken_base64_and_two_prefixes_are_malformed() {
    let server = Server::start();
    let body = login("evt_1");
    let hex = hmac_hex(SECRET.as_bytes(), body.as_bytes());
    for value in [format!("sha256= {hex}"), format!("sha256={hex}  "), hex.to_uppercase()] {
        assert_eq!(signed_as(&server, &value, &body).status, 200, "{value}");
    }
    let base64 = standard_webhooks(SECRET.as_bytes(), "x", 1, body.as_bytes());
    for value in [format!("sha256=sha256={hex}"), base64] {
        assert_eq!(signed_as(&server, &value, &body).status, 401);
        assert_eq!(reason(&server), "signature_malformed");
    }
}

#[test]
fn sig_11_secrets_are_rolled_without_a_gap() {
    let both = "[[source]]\nname = \"tagorun\"\nsecrets = [\"file:signing-secret\", \"file:next\"]\n";
    let setup = Setup::new(both);
    let next = "the-next-secret-of-the-tests";
    setup.file("next", next);
    let mut server = setup.start();
    let signed = |server: &Server, secret: &str, id: &str| {
        let body = login(id);
        let good = hmac_hex(secret.as_bytes(), body.as_bytes());
        signed_as(server, &format!("sha256={},sha256={good}", "0".repeat(64)), &body).status
    };
    assert_eq!((signed(&server, SECRET, "a"), signed(&server, next, "b")), (200, 200));
    let check = &server.newest()["checks"][3];
    assert!(check["seen"].as_str().unwrap().contains("file:next"), "{check}");
    server.reconfigure("[[source]]\nname = \"tagorun\"\nsecrets = [\"file:next\"]\n");
    let until = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while signed(&server, SECRET, "c") != 401 {
        assert!(std::time::Instant::now() < until, "SIGHUP does not reload");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    assert_eq!(signed(&server, next, "d"), 200);
}

#[test]
fn sig_13_an_absent_or_empty_signature_is_401() {
    let server = Server::start();
    for headers in [&[][..], &[("X-TagoRUN-Signature", "")]] {
        assert_eq!(server.post("/webhook/tagorun", headers, login("e").as_bytes()).status, 401);
        assert_eq!(reason(&server), "signature_missing");
    }
    let body = login("e");
    let hex = hmac_hex(SECRET.as_bytes(), body.as_bytes());
    let twice = [("X-TagoRUN-Signature", "junk"), ("x-tagorun-signature", hex.as_str())];
    assert_eq!(server.post("/webhook/tagorun", &twice, body.as_bytes()).status, 401);
    assert_eq!(reason(&server), "signature_malformed");
}

#[test]
fn sig_15_a_newline_at_the_end_of_a_secret_file_is_no_part_of_the_secret() {
    let setup = Setup::new("");
    setup.file("signing-secret", &format!("{SECRET}\n"));
    let server = setup.start();
    assert_eq!(server.post_signed(login("e").as_bytes()).status, 200);
    assert!(server.log().contains("one newline at the end is left out"));
}

#[test]
fn sig_16_an_empty_body_passes_its_signature_and_is_an_empty_payload() {
    let server = Server::start();
    let answer = server.post_signed(b"");
    assert_eq!(answer.status, 400);
    let message = answer.json()["details"][0]["message"].as_str().unwrap().to_owned();
    assert!(message.contains("empty payload"), "{message}");
    assert_eq!(server.newest()["checks"][3]["outcome"], "pass");
}

#[test]
fn sig_17_however_a_body_is_framed_it_is_the_same_body() {
    let server = Server::start();
    let framed = |id: &str, framing: &dyn Fn(&[u8]) -> Vec<u8>, header: &str| {
        let body = login(id);
        let hex = hmac_hex(SECRET.as_bytes(), body.as_bytes());
        let head = format!(
            "POST /webhook/tagorun HTTP/1.1\r\nHost: x\r\nX-TagoRUN-Signature: {hex}\r\n{header}\r\n\r\n"
        );
        let mut connection = Connection::open(server.receiver);
        connection.write(head.as_bytes());
        connection.write(&framing(body.as_bytes()));
        let answer = connection.answer().unwrap();
        assert_eq!((answer.status, answer.word().as_str()), (200, "processed"), "{id}");
        assert_eq!(server.raw(answer.json()["delivery_id"].as_str().unwrap()), body.as_bytes());
    };
    let chunked = "Transfer-Encoding: chunked";
    let length = format!("Content-Length: {}", login("l").len());
    framed("l", &<[u8]>::to_vec, &length);
    let one = |body: &[u8]| [format!("{:x}\r\n", body.len()).as_bytes(), body, b"\r\n0\r\n\r\n"].concat();
    framed("o", &one, chunked);
    let bytes = |body: &[u8]| {
        let mut framed: Vec<u8> =
            body.iter().flat_map(|byte| [b'1', b'\r', b'\n', *byte, b'\r', b'\n']).collect();
        framed.extend(b"0\r\n\r\n");
        framed
    };
    framed("b", &bytes, chunked);
    let extended =
        |body: &[u8]| [format!("{:x};a=b\r\n", body.len()).as_bytes(), body, b"\r\n0\r\n\r\n"].concat();
    framed("x", &extended, chunked);
    let trailer =
        |body: &[u8]| [format!("{:x}\r\n", body.len()).as_bytes(), body, b"\r\n0\r\nX-T: 1\r\n\r\n"].concat();
    framed("t", &trailer, chunked);
}

#[test]
fn sig_18_a_compressed_body_is_verified_as_it_came_and_read_under_the_cap() {
    let server = Setup::new("[receiver]\nmax_body = \"64 KiB\"\n").start();
    let gzip = |body: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(body).unwrap();
        encoder.finish().unwrap()
    };
    let send = |coding: &str, wire: &[u8]| {
        let hex = hmac_hex(SECRET.as_bytes(), wire);
        server.post("/webhook/tagorun", &[("Content-Encoding", coding), ("X-TagoRUN-Signature", &hex)], wire)
    };
    let wire = gzip(login("z").as_bytes());
    let answer = send("gzip", &wire);
    assert_eq!(answer.word(), "processed");
    assert_eq!(server.raw(answer.json()["delivery_id"].as_str().unwrap()), wire);
    assert_eq!(send("gzip", &gzip(&vec![b' '; 10_000_000])).status, 413);
    assert_eq!(reason(&server), "too_large");
    assert_eq!(send("zstd", &wire).status, 415);
    assert_eq!(reason(&server), "unsupported_encoding");
    assert_eq!(send("gzip", b"{}").status, 400);
    let plain = hmac_hex(SECRET.as_bytes(), login("z").as_bytes());
    let headers = [("Content-Encoding", "gzip"), ("X-TagoRUN-Signature", plain.as_str())];
    assert_eq!(server.post("/webhook/tagorun", &headers, &wire).status, 401);
}

#[test]
fn sig_21_a_json_body_is_read_whatever_its_content_type_says() {
    let server = Server::start();
    let types = [
        "application/hal+json",
        "application/cloudevents+json",
        "application/json; charset=UTF-8",
        "text/plain",
        "",
    ];
    for (at, kind) in types.iter().enumerate() {
        let body = login(&format!("ct{at}"));
        let hex = hmac_hex(SECRET.as_bytes(), body.as_bytes());
        let headers = [("Content-Type", *kind), ("X-TagoRUN-Signature", hex.as_str())];
        assert_eq!(server.post("/webhook/tagorun", &headers, body.as_bytes()).word(), "processed", "{kind}");
    }
}

#[test]
fn sig_23_a_signed_time_is_held_against_the_tolerance_on_both_sides() {
    let setup = Setup::new(
        "[[source]]\nname = \"sw\"\nsecrets = [\"file:signing-secret\"]\nsignature = \"standard-webhooks\"\n",
    );
    let server = setup.start();
    let now =
        i64::try_from(std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs())
            .unwrap();
    let body = br#"{"type":"user.created","data":{}}"#;
    let send = |id: &str, time: i64| {
        let signature = standard_webhooks(SECRET.as_bytes(), id, time, body);
        let time = time.to_string();
        let headers = [("webhook-id", id), ("webhook-timestamp", &time), ("webhook-signature", &signature)];
        server.post("/webhook/sw", &headers, body)
    };
    for (id, offset, status) in
        [("a", 0, 200), ("b", -290, 200), ("c", 290, 200), ("d", 3600, 401), ("e", -310, 401)]
    {
        assert_eq!(send(id, now + offset).status, status, "{offset}");
    }
    assert_eq!(reason(&server), "stale");
    assert_eq!(send("a", now + 1).word(), "already_processed");
    let row = server.deliveries("event_id=b")[0].clone();
    assert_eq!(row["event_type"], Value::from("user.created"));
}

#[test]
fn sig_25_a_header_that_nobody_signed_does_not_make_a_replay_new() {
    let server = Server::start();
    let body = login("evt_replayed");
    let hex = hmac_hex(SECRET.as_bytes(), body.as_bytes());
    let send = |id: &str| {
        let headers = [("X-TagoRUN-Signature", hex.as_str()), ("webhook-id", id), ("X-TagoRUN-Event-Id", id)];
        server.post("/webhook/tagorun", &headers, body.as_bytes()).word()
    };
    assert_eq!((send("1").as_str(), send("2").as_str()), ("processed", "already_processed"));
}

#[test]
fn no_secret_and_no_expected_signature_reaches_a_caller_a_log_or_the_api() {
    let server = Server::start();
    let body = login("evt_1");
    let answer = signed_as(&server, &"0".repeat(64), &body);
    let expected = hmac_hex(SECRET.as_bytes(), body.as_bytes());
    let seen = server.newest().to_string();
    for text in [String::from_utf8(answer.body).unwrap(), server.log(), seen] {
        assert!(!text.contains(&expected) && !text.contains(SECRET), "{text}");
    }
}
