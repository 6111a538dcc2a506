//! Every cause with the bodies that devices sent.

use super::length::closing;
use super::*;

fn said(content_type: &str, body: &[u8]) -> String {
    let mut headers = Headers::default();
    if !content_type.is_empty() {
        headers.push("Content-Type", content_type.as_bytes());
    }
    cause(&headers, body).map_or(String::new(), |told| told.text())
}

fn each(cases: &[(&str, &str)]) {
    for (body, part) in cases {
        let said = said("application/json", body.as_bytes());
        assert!(said.contains(part), "{body}: {said}");
    }
}

#[test]
fn d2_only_a_name_in_double_braces_is_a_template_and_other_causes_come_first() {
    each(&[
        (r#"{"id":"a","event":"x","d":{"v":nan}}"#, "“nan” at line 1, column 32 (/d/v)"),
        (r#"{"d":{"v":021}}"#, "leading zeros"),
        (r#"{"a": {{value}} }"#, "It contains {{value}}: the sender's template was not filled in."),
        (r#"{"a": {{ payload.temperature }}}"#, "{{payload.temperature}}"),
        (r#"{"a":{"b":{"c":}}}"#, "There is no value at line 1, column 16 (/a/b/c)"),
    ]);
    let latin = said("application/json", b"{\"a\":{\"name\":\"K\xfchl\"}}");
    assert!(latin.contains("0xFC") && !latin.contains("template"), "{latin}");
    assert!(!said("", br#"{"a":{"b":{"c":1}} x}"#).contains("template"));
}

#[test]
fn d8_numbers_that_are_not_json_name_their_place_and_their_cure() {
    each(&[
        (r#"{"v":nan}"#, "send null"),
        (r#"{"v":-inf}"#, "“-inf” at line 1, column 6 (/v)"),
        (r#"{"v":Infinity}"#, "MicroPython"),
        ("{\"t\":1,\n \"v\":NaN}", "line 2, column 6 (/v)"),
        (r#"{"d":[1,inf]}"#, "(/d/1)"),
        (r#"{"v":021.5}"#, "not %05.1f"),
        (r#"{"v":1e400}"#, "is not a JSON value. The number is too large"),
        (r#"{"v":21.}"#, "a digit after its decimal point"),
        (r#"{"v":.5}"#, "a digit before its decimal point"),
        (r#"{"v":+21.5}"#, "no plus sign"),
        (r#"{"v":0x15}"#, "hexadecimal"),
        (r#"{"v":21,5}"#, "“21,5”"),
        (r#"{"v":21,5,"w":1}"#, "decimal comma"),
        (r#"{"v":21.5°C}"#, "leave out the unit"),
        (r#"{"v":$temperature}"#, "did not fill in"),
        (r#"{"v":OK}"#, "text without quotes"),
        (r#"{"v":None}"#, "None"),
        (r#"{"v":,"w":1}"#, "There is no value at line 1, column 6 (/v)"),
        (r#"[1,,2]"#, "There is no value"),
        (r#"{v:1}"#, "The name “v”"),
    ]);
}

#[test]
fn d8_control_characters_and_what_follows_a_document_are_told() {
    each(&[
        ("{\"v\":\"a\tb\"}", "raw tab at line 1, column 8 (/v)"),
        ("{\"v\":\"a\nb\"}", "raw line break"),
        ("{\"v\":\"a\u{1}b\"}", "\\u0001"),
        ("{\"v\":1}\0", "then a zero byte from byte 7 on"),
        ("{\"v\":1}\0\0", "then zero bytes"),
        ("{\"v\":1}\n{\"v\":2}", "The second begins at line 2, column 1"),
        ("{\"v\":1}{\"v\":2}", "several documents"),
        ("{\"v\":1}OK", "“OK” follows"),
        ("{\"v\":1} a | b", "“a|b” follows. Send nothing"),
        ("{\"v\":1,}", "comma before a closing bracket, at line 1, column 8"),
        ("{\n// x\n\"a\": 1}", "comments, which JSON does not know, at line 2, column 1"),
        ("{'a': 1}", "single quotes"),
        ("{\"a\": [1", "cut on its way"),
        ("", "empty"),
        (" \r\n", "empty"),
    ]);
}

#[test]
fn d8_wrong_signs_between_names_and_values_are_named() {
    each(&[
        (r#"{"a":1 "b":2}"#, "A comma is missing before the value at line 1, column 8"),
        (r#"{"a":"x" "b":2}"#, "A comma is missing"),
        (r#"[{"a":1} {"a":2}]"#, "A comma is missing"),
        (r#"{"a":1;"b":2}"#, "“;” at line 1, column 7 (/a) is where a comma belongs"),
        (r#"{"a" "x"}"#, "A colon is missing"),
        (r#"{"a"="x"}"#, "“=” at line 1, column 5"),
        (
            r#"{"a"=>"x"}"#,
            "“=>” at line 1, column 5 is where a colon belongs. Build the JSON with a library: to_json in Ruby",
        ),
        (r#"{"a":"say "hi" now"}"#, "A text ends before “hi” at line 1, column 12 (/a)"),
        ("{“a”:1}", "A typographic quote, “, is at line 1, column 2"),
        (r#"{"a":„x“}"#, "typographic"),
        ("// c\n{\"a\":1}", "comments"),
        ("/* c */ {\"a\":1}", "comments"),
        (r#"{"a":{{ states("x") | round(1) }}}"#, "{{states(\"x\")|round(1)}}"),
        (r#"{"a":{% if x %}1{% endif %}}"#, "{% if x %}"),
        ("%7B%22a%22%3A1%7D", "encoded as for a URL"),
        ("eyJhIjoxfQ==", "JSON in base64"),
        (r#"{"a":1"#, "1 bracket is still open"),
        (r#"{"a":[1"#, "2 brackets are still open"),
    ]);
}

#[test]
fn d8_other_formats_are_named() {
    for (content_type, body, part) in [
        ("application/cbor", &b"\xa1\x61v\xf9\x4d\x60"[..], "CBOR"),
        ("", b"\xa2\x64time\x1a\x6a\x00\x00\x00\x61v\xf9\x4d\x60", "CBOR"),
        ("", b"\x81\xa1v\xcb\x40\x35\x80\x00\x00\x00\x00\x00", "MessagePack"),
        (
            "application/octet-stream",
            b"\x0a\x05dev-7\x12\x03\x01\x02\x03",
            "payload encoding of the HTTP integration to JSON",
        ),
        ("application/octet-stream", b"\x00\x01\x02\xff\x07", "binary data"),
        ("", b"\x1f\x8b\x08\x00\x00", "Content-Encoding: gzip"),
        (
            "multipart/form-data; boundary=x",
            b"--x\r\nContent-Disposition: form-data; name=\"v\"\r\n\r\n1\r\n--x--",
            "multipart",
        ),
        ("text/csv", b"dev-7,21.5,48", "CSV with 3 columns"),
        ("text/csv", b"time;temp\n1;21,5\n2;22,0", "CSV with 2 columns"),
        ("", b"weather,room=a temp=21.5,hum=48i 1795878000000000000", "line protocol"),
        ("", b"weather temp=21.5", "line protocol"),
        ("application/x-www-form-urlencoded", "t=21.5&n=a b&ü".as_bytes(), "byte 10 is a blank"),
        ("application/x-www-form-urlencoded", b"t=21.5&h=48", "Set the sender's body type to JSON"),
        ("", b"a=b&c=d", "form"),
        ("", b"t=21.5&\nh=48", "a line break"),
        ("", b"<html>", "HTML"),
        ("", b"hello world", "plain text"),
        ("", b"21,5", "CSV"),
    ] {
        let said = said(content_type, body);
        assert!(said.contains(part), "{content_type} {}: {said}", String::from_utf8_lossy(body));
    }
}

#[test]
fn what_the_reader_reports_is_told_in_our_words_with_its_place() {
    let deep = format!("{}1{}", "[".repeat(128), "]".repeat(128));
    each(&[
        (r#"{"p":"C:\data"}"#, "The backslash before line 1, column 10 begins no escape"),
        (r#"{"p":"it\'s"}"#, "Write a plain backslash as \\\\"),
        (r#"{"p":"\ud83d"}"#, "half of a character"),
        (r#"{"p":"\udc00 x"}"#, "half of a character"),
        (r#"{"a":1,"b | c":2,"b | c":3}"#, r#"The key "b|c" at line 1, column 24 is there twice"#),
        (&deep, "more than 127 levels deep, at line 1, column 128."),
        (r#"{"a":[1,2}"#, "“}” at line 1, column 10 (/a/1) does not match the bracket that is open there"),
        ("{\u{a0}\"a\":1}", "An invisible character, U+00A0, is at line 1, column 2"),
        ("{\"a\":1\u{200b}}", "U+200B"),
        ("\u{feff}\u{feff}{}", "U+FEFF"),
        (" \u{feff}{}", "at most one may begin the body"),
    ]);
}

#[test]
fn json_that_is_wrapped_or_written_otherwise_is_told_by_what_wraps_it() {
    each(&[
        (r#"'{"a":1}'"#, "cmd.exe on Windows"),
        (r#"b'{"a":1}'"#, "body.decode()"),
        (r#"data: {"a":1}"#, "“data:” precedes the JSON"),
        (r#"callback([{"a":1}]);"#, "“callback(” precedes the JSON"),
        (r#"{\"a\":\"b\"}"#, "Every quote has a backslash before it"),
        ("{&quot;a&quot;:&quot;b&amp;c&quot;}", "Turn off HTML escaping"),
        ("%7B%22a%22%3A1%7D", "encoded as for a URL"),
        ("{%22a%22:1}", "encoded as for a URL"),
        ("eyJhIjoxfQ==", "JSON in base64"),
        ("7b2261223a317d", "JSON in hexadecimal"),
        ("[object Object]", "JSON.stringify"),
        ("@payload.json", "--data-binary @FILE"),
    ]);
    assert!(
        said("", br#"{"path":"C:\"}"#).contains("1 bracket is still open"),
        "one escaped quote is not all"
    );
    assert!(!said("", b"payload={\"a\":1}").contains("precedes"), "that is a form");
}

#[test]
fn a_body_that_does_not_match_its_content_encoding_is_told_so_and_not_taken_for_something_else() {
    let told = |coding: &str, body: &[u8]| {
        let mut headers = Headers::default();
        headers.push("Content-Encoding", coding.as_bytes());
        undecodable(&headers, body).text()
    };
    assert!(told("gzip", b"{\"a\":1}").contains("plain JSON, but its Content-Encoding is gzip"));
    assert!(
        told("deflate", &[0x1f, 0x8b, 8]).contains("looks like gzip, but its Content-Encoding is deflate")
    );
    assert!(told("x-gzip", &[0x1f, 0x8b, 8]).contains("cannot be decoded to its end"));
    assert!(told("br", b"abc").contains("cannot be decoded as br"));
}

#[test]
fn what_is_read_or_unknown_gets_no_cause_and_every_sentence_is_short() {
    assert_eq!(said("", b"{\"a\":1 @}"), "");
    let fallback = said("application/json", b"\x80\x81");
    assert!(fallback.contains("binary"), "{fallback}");
}

#[test]
fn what_closes_a_document_is_known() {
    assert_eq!(closing(b"{\"a\":[1,{\"b\":\"c").as_deref(), Some("\"}]}"));
    assert_eq!(closing(b"{\"a\":1"), Some("}".to_owned()));
    assert_eq!(closing(b"{\"a\":1}"), None);
    assert_eq!(closing(b"{\"a\" 1"), None);
}

proptest::proptest! {
    #[test]
    fn any_body_is_looked_into_without_a_panic(body: Vec<u8>, text in "[\\[\\]{}:,\"a0. \\n'/-]{0,40}") {
        said("", &body);
        said("application/octet-stream", text.as_bytes());
    }
}
