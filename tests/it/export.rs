//! What is exported is run: by three shells, Node and Python, against a server that keeps what comes.

use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::harness::{Answer, SECRET, Server, Setup, TOKEN, exchange, login};

/// Bodies that mean something to a shell, to JavaScript, to Python, or are no text at all.
fn bodies() -> Vec<Vec<u8>> {
    let texts = [
        r#"{"a":"it's \"quoted\" `id` $(id) $HOME ${PATH} !! %s %d \\ \n"}"#,
        "'; touch /tmp/owned; echo '",
        "@/etc/passwd",
        "-X DELETE",
        "line\nbreaks\r\n\ttabs\n\n",
        "ünï 日本 😀 \u{2028}\u{202e}",
        "</script><script>alert(1)</script>",
        "",
        "$CREDENTIAL",
        "{}[]*?~#&|;<>",
    ];
    let mut bodies: Vec<Vec<u8>> = texts.iter().map(|text| text.as_bytes().to_vec()).collect();
    bodies.push(b"nul\0 and \xff\xfe bytes % ' \\".to_vec());
    bodies.push((0..=255).collect());
    bodies.push([b"-leading dash".as_slice(), &[0]].concat());
    // Longer than an argument of a program may be.
    bodies.push("{\"it's\": \"%s\"}, ".repeat(9_000).into_bytes());
    bodies
}

const HEADERS: [(&str, &str); 6] = [
    ("X-Quote", "it's \"q\" `id` $(id) $HOME !! %s \\"),
    ("X-Empty", ""),
    ("X-Twice", "one"),
    ("X-Twice", "two"),
    ("Content-Type", "text/plain; charset=\"x'y\""),
    ("X-Latin", "\u{fffd}"),
];

fn export(server: &Server, id: &str, format: &str) -> Answer {
    server.api_raw(&format!("deliveries/{id}/export?as={format}"))
}

fn run(program: &[&str], input: &[u8]) {
    let mut child = Command::new(program[0])
        .args(&program[1..])
        .env("CREDENTIAL", "the-real-credential")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), input).unwrap();
    let out = child.wait_with_output().unwrap();
    assert!(
        out.status.success(),
        "{program:?}: {}\n{}",
        String::from_utf8_lossy(&out.stderr),
        String::from_utf8_lossy(input)
    );
}

/// The header lines that a sender chose, but for what names the connection or the program.
fn chosen(delivery: &Value) -> Vec<(String, String)> {
    let lines =
        delivery["headers"].as_array().unwrap().iter().map(|line| {
            (line[0].as_str().unwrap().to_ascii_lowercase(), line[1].as_str().unwrap().to_owned())
        });
    lines.filter(|(name, _)| !matches!(name.as_str(), "host" | "content-length" | "connection")).collect()
}

#[test]
fn ui_18_ui_19_what_is_exported_arrives_byte_for_byte_from_every_shell_and_language() {
    let server = Server::start();
    for body in bodies() {
        let target = "/webhook-test/a/../b?x=%27%22$(id)&[1-3]={a,b}";
        server.post(target, &HEADERS, &body);
        let original = server.newest();
        let id = original["id"].as_str().unwrap();
        for (format, program) in [
            ("curl", vec!["sh"]),
            ("curl", vec!["bash"]),
            ("curl", vec!["dash"]),
            ("node", vec!["node", "--input-type=module", "-"]),
            ("python", vec!["python3", "-"]),
        ] {
            let before = server.all_deliveries("").len();
            let text = export(&server, id, format);
            assert_eq!(text.status, 200);
            run(&program, &text.body);
            assert_eq!(server.all_deliveries("").len(), before + 1, "{program:?} sent one");
            let again = server.newest();
            let what = format!("{program:?} {}", String::from_utf8_lossy(&text.body));
            assert_eq!(server.raw(again["id"].as_str().unwrap()), body, "{what}");
            assert_eq!(
                (&again["method"], &again["path"]),
                (&original["method"], &original["path"]),
                "{what}"
            );
            assert_eq!(chosen(&again), chosen(&original), "{what}");
        }
    }
}

#[test]
fn a_head_is_asked_again_without_waiting_for_a_body() {
    let server = Server::start();
    server.ask("HEAD", "/webhook-test/head?n=1", &[]);
    let original = server.newest();
    let text = export(&server, original["id"].as_str().unwrap(), "curl");
    run(&["timeout", "10", "sh"], &text.body);
    let again = server.newest();
    assert_ne!(again["id"], original["id"]);
    assert_eq!((&again["method"], &again["path"]), (&original["method"], &original["path"]));
}

#[test]
fn the_raw_export_is_the_wire_and_the_archive_is_one() {
    let server = Server::start();
    server.post("/webhook-test/x?a=1", &HEADERS, b"\xff\0body");
    let id = server.newest()["id"].as_str().unwrap().to_owned();
    let raw = export(&server, &id, "raw").body;
    let text = String::from_utf8_lossy(&raw);
    assert!(text.starts_with("POST /webhook-test/x?a=1 HTTP/1.1\r\nHost: "), "{text}");
    assert!(
        raw.ends_with(b"\r\n\r\n\xff\0body") && text.contains("X-Twice: one\r\nX-Twice: two\r\n"),
        "{text}"
    );
    let har = export(&server, &id, "har").json();
    let entry = &har["log"]["entries"][0];
    assert_eq!((&har["log"]["version"], &entry["response"]["status"]), (&"1.2".into(), &200.into()));
    assert_eq!(entry["request"]["postData"]["text"], "/wBib2R5");
    assert_eq!(entry["request"]["queryString"][0]["name"], "a");
    assert_eq!(server.api_raw(&format!("deliveries/{id}/export?as=perl")).status, 400);
    let head = exchange(server.inspector, "GET", &format!("/api/v1/deliveries/{id}/export"), &[], b"");
    assert!(head.header("content-security-policy").unwrap().starts_with("sandbox"));
}

#[test]
fn ui_17_a_credential_is_a_variable_and_never_the_value() {
    let setup = Setup::new(
        "[[source]]\nname = \"keyed\"\nsignature = \"none\"\ncredentials = [{ api_key = { key = \"file:k\", header = \"X-Odd\" } }]\n",
    );
    setup.file("k", "a-key-of-the-tests-0123456789");
    let server = setup.start();
    let secret = "a-key-of-the-tests-0123456789";
    let headers =
        [("X-Odd", secret), ("Authorization", "Bearer a-bearer-of-somebody"), ("Cookie", "sid=a-cookie")];
    server.post(&format!("/webhook/keyed?token={secret}&a=1"), &headers, b"{\"event\":\"made.up\"}");
    let id = server.newest()["id"].as_str().unwrap().to_owned();
    for format in ["curl", "node", "python", "raw", "har", "test"] {
        let text = String::from_utf8(export(&server, &id, format).body).unwrap();
        assert!(text.contains("CREDENTIAL"), "{text}");
        for tail in [secret, "a-bearer-of-somebody", "a-cookie", "6789"] {
            assert!(!text.contains(tail), "{format}: {text}");
        }
    }
    let curl = String::from_utf8(export(&server, &id, "curl").body).unwrap();
    assert!(
        curl.contains(r#"'Authorization: Bearer '"$CREDENTIAL_AUTHORIZATION""#)
            && curl.contains(r#"?token='"$CREDENTIAL_TOKEN"'&a=1'"#)
            && curl.contains(r#"'X-Odd: '"$CREDENTIAL_TOKEN""#),
        "equal ones are one variable: {curl}"
    );
}

#[test]
fn what_is_exported_names_every_credential_it_needs_and_ends_without_it() {
    let setup = Setup::new(
        "[[source]]\nname = \"keyed\"\nsignature = \"none\"\ncredentials = [{ api_key = { key = \"file:k\", secret = \"file:s\" } }]\n\
         [[source]]\nname = \"tagoio\"\nsignature = \"none\"\ncredentials = [{ bearer = \"file:tagoio-token\" }]\n",
    );
    setup.file("k", "a-key-of-the-tests-0123456789");
    setup.file("s", "a-second-half-of-it-0123456789");
    let server = setup.start();
    let keyed =
        [("X-API-Key", "a-key-of-the-tests-0123456789"), ("X-API-Secret", "a-second-half-of-it-0123456789")];
    let bearer = [("Authorization", &*format!("Bearer {TOKEN}"))];
    for (path, headers, env) in [
        (
            "/webhook/keyed",
            &keyed[..],
            &[("CREDENTIAL_X_API_KEY", keyed[0].1), ("CREDENTIAL_X_API_SECRET", keyed[1].1)][..],
        ),
        ("/webhook/tagoio", &bearer, &[("CREDENTIAL", TOKEN)]),
    ] {
        assert_eq!(server.post(path, headers, b"{\"event\":\"made.up\"}").status, 200, "{path}");
        let id = server.newest()["id"].as_str().unwrap().to_owned();
        let test = export(&server, &id, "test").body;
        let head = String::from_utf8_lossy(&test).into_owned();
        for (name, _) in env {
            for format in ["curl", "node", "python", "raw", "har", "test"] {
                let text = String::from_utf8(export(&server, &id, format).body).unwrap();
                assert!(text.contains(name), "{format}: {text}");
            }
            assert!(head.contains(&format!("\n// {name}: ")), "{head}");
        }
        assert!(!head.contains("WEBHOOK_SECRET:"), "nothing is signed there: {head}");
        let (passed, said) = node_test(&test, &[]);
        assert!(!passed && said.contains(&format!("{} is not set", env[0].0)), "{said}");
        for (format, program) in [("curl", "sh"), ("node", "node"), ("python", "python3")] {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("program.mjs");
            std::fs::write(&file, export(&server, &id, format).body).unwrap();
            let run = |env: &[(&str, &str)]| {
                Command::new(program)
                    .arg(&file)
                    .env_remove("CREDENTIAL")
                    .envs(env.iter().copied())
                    .output()
                    .unwrap()
            };
            let before = server.deliveries("").len();
            let output = run(&[]);
            assert!(!output.status.success(), "{format}");
            assert!(String::from_utf8_lossy(&output.stderr).contains(env[0].0), "{output:?}");
            assert_eq!(server.deliveries("").len(), before, "{format} sends nothing without its credential");
            assert!(run(env).status.success(), "{format}");
            assert_eq!(server.newest()["status"], 200, "{format}");
            assert_eq!(server.deliveries("").len(), before + 1);
        }
        assert!(node_test(&test, env).0, "with its credentials it is answered as it was");
    }
}

fn node_test(text: &[u8], env: &[(&str, &str)]) -> (bool, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("delivery.test.mjs");
    std::fs::write(&file, text).unwrap();
    let mut node = std::process::Command::new("node");
    let done = node.arg("--test").arg(&file).envs(env.iter().copied()).output().unwrap();
    (done.status.success(), String::from_utf8_lossy(&done.stdout).into_owned())
}

#[test]
fn a_delivery_is_saved_as_a_test_that_signs_it_anew() {
    let config = r#"
[[source]]
name = "tagorun"
secrets = ["file:signing-secret"]
[[source]]
name = "sw"
signature = "standard-webhooks"
secrets = ["file:sw"]
[[source]]
name = "gh"
signature = "github"
secrets = ["file:gh"]
[[source]]
name = "st"
signature = "stripe"
secrets = ["file:gh"]
"#;
    let setup = Setup::new(config);
    let sw = "whsec_c3RhbmRhcmQtd2ViaG9va3MtdGVzdC1rZXkh";
    setup.file("sw", sw);
    setup.file("gh", "a-secret-of-the-tests-01234");
    let server = setup.start();
    let hostile = r#"{"id":"evt_1","event":"user.login","timestamp":"2026-03-09T07:14:58Z","user":{"id":"</script>'`${process.exit(0)}","email":"a@example.com"}}"#;
    for (source, secret) in [
        ("tagorun", SECRET),
        ("sw", sw),
        ("gh", "a-secret-of-the-tests-01234"),
        ("st", "a-secret-of-the-tests-01234"),
    ] {
        server.post(
            &format!("/webhook/{source}"),
            &[("Content-Type", "application/json")],
            hostile.as_bytes(),
        );
        let refused = server.newest();
        assert_eq!(refused["status"], 401, "{source}");
        let answer = export(&server, refused["id"].as_str().unwrap(), "test");
        assert!(answer.header("content-disposition").unwrap().ends_with(".test.mjs\""));
        let (passed, said) = node_test(&answer.body, &[]);
        assert!(passed, "as it came it is refused as it was: {said}");
        let (passed, said) = node_test(&answer.body, &[("WEBHOOK_SECRET", secret)]);
        assert!(!passed && said.contains("401"), "signed anew it is not answered 401: {said}");
        let newest = server.newest();
        assert_eq!((&newest["source"], &newest["reason"]), (&source.into(), &Value::Null), "{said}");
        assert_eq!(server.raw(newest["id"].as_str().unwrap()), hostile.as_bytes());
        let again = export(&server, newest["id"].as_str().unwrap(), "test");
        assert!(node_test(&again.body, &[("WEBHOOK_SECRET", secret)]).0);
    }
}

fn export_many(server: &Server, query: &str) -> (String, String) {
    let answer = server.api_raw(&format!("deliveries/export?{query}"));
    assert_eq!(answer.status, 200, "{query}");
    let kind = answer.header("content-type").unwrap().to_owned();
    assert!(answer.header("content-disposition").unwrap().starts_with("attachment; filename=\"deliveries."));
    (kind, String::from_utf8(answer.body).unwrap())
}

#[test]
fn a_search_is_exported_whole_as_json_lines_csv_and_har() {
    let server = Server::start();
    let ids: Vec<String> = (0..450)
        .map(|n| {
            let body = login(&format!("evt_{n}"));
            server.post_signed(body.as_bytes()).json()["delivery_id"].as_str().unwrap().to_owned()
        })
        .collect();
    server.post(
        "/webhook/tagorun?a=1,2",
        &[("X-TagoRUN-Signature", "zz")],
        br#"{"event":"=cmd|' /C calc'!A0"}"#,
    );
    server.post_signed(br#"{"id":"=1+1","event":"say \"a\", b\r\nc","timestamp":"2026-03-09T07:14:58Z"}"#);

    let (kind, lines) = export_many(&server, "as=jsonl&event_type=user.login");
    assert_eq!(kind, "application/jsonl");
    let objects: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let seen: Vec<&str> = objects.iter().rev().map(|object| object["id"].as_str().unwrap()).collect();
    assert_eq!(seen, ids, "every one of the search, once, the newest first");
    assert_eq!(
        objects[7],
        server.delivery(seen[ids.len() - 8]),
        "an object is what the API says of the delivery"
    );

    let marks = json!({"pinned": true, "note": "=seen\nby me", "tags": ["field", "urgent"]});
    assert_eq!(server.tell("PATCH", &format!("deliveries/{}", ids[449]), &marks).status, 200);
    let (kind, text) = export_many(&server, "as=csv");
    assert!(kind.starts_with("text/csv"));
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let column = reader.headers().unwrap().iter().position(|name| name == "event_id").unwrap();
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 452);
    assert_eq!(&rows[0][column], "'=1+1", "no spreadsheet takes an id for a formula");
    let last: Vec<&str> = rows[2].iter().skip(21).collect();
    assert_eq!(last, ["true", "field, urgent", "'=seen\nby me"], "its marks, as harmless as everything else");
    assert!(text.contains("\"say \"\"a\"\", b\r\nc\""), "{}", text.lines().nth(1).unwrap());

    let (kind, archive) = export_many(&server, &format!("as=har&ids={},{}", ids[3], ids[1]));
    assert_eq!(kind, "application/json");
    let archive: Value = serde_json::from_str(&archive).unwrap();
    let entries = archive["log"]["entries"].as_array().unwrap();
    assert_eq!((archive["log"]["version"].clone(), entries.len()), (json!("1.2"), 2));
    assert_eq!(entries[0]["request"]["postData"]["text"], login("evt_3"));
    let (_, one) = export_many(&server, &format!("ids={},{}&event_id=evt_1", ids[3], ids[1]));
    assert_eq!(one.lines().count(), 1, "a filter narrows a choice");
    let (_, none) = export_many(&server, "as=har&event_id=nobody");
    assert_eq!(serde_json::from_str::<Value>(&none).unwrap()["log"]["entries"], json!([]));
    assert_eq!(export_many(&server, "as=csv&event_id=nobody").1.lines().count(), 1);
    assert_eq!(export_many(&server, "q=event:user.login%20body:evt_449").1.lines().count(), 1);
    let (_, many) = export_many(&server, &format!("as=csv&ids={}", ids[..200].join(",")));
    assert_eq!(many.lines().count(), 201, "two hundred are chosen at most");
    assert_eq!(server.api_raw(&format!("deliveries/export?ids={}", ids[..201].join(","))).status, 400);
    for wrong in ["as=xml", "ids=1", "q=verdict:maybe", "limit=3"] {
        assert_eq!(server.api_raw(&format!("deliveries/export?{wrong}")).status, 400, "{wrong}");
    }
}
