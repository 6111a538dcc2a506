//! `tagohook import`: what one instance received, looked at in another one.

use std::fs;
use std::io::Write as _;
use std::process::{Output, Stdio};

use serde_json::{Value, json};

use crate::harness::{Connection, Server, Setup, Sink, TOKEN, exchange, login, until};

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// Imports a file with that text.
fn import(server: &Server, text: &[u8], more: &[&str]) -> Output {
    let file = server.data_dir().join("file");
    fs::write(&file, text).unwrap();
    let arguments = [&["import", file.to_str().unwrap()], more].concat();
    server.command(&arguments).output().unwrap()
}

/// An instance with deliveries of every verdict, of odd bodies and odd headers.
fn full() -> Server {
    let server = Server::start();
    for id in ["one", "two"] {
        server.post_signed(login(id).as_bytes());
    }
    server.post_signed(login("one").as_bytes());
    server.post_signed(login("one").replace("a@example.com", "b@example.com").as_bytes());
    server.post_signed(b"{,}");
    server.post("/webhook/tagorun", &[("X-TagoRUN-Signature", "00")], login("three").as_bytes());
    let bearer = format!("Bearer {TOKEN}");
    let points = br#"[{"id":"p1","variable":"t","value":1,"device":"d1"}]"#;
    server.post("/webhook/tagoio?token=hunter2hunter2", &[("Authorization", &bearer)], points);
    let every_byte: Vec<u8> = (0..=255).collect();
    for body in [
        &every_byte[..],
        b"",
        "\u{feff}{\"n\":12345678901234567890123}\r\n".as_bytes(),
        b"{\"a\":\"\\u0000\x7f\"}",
    ] {
        server.post("/webhook-test/a/../b?x=%27&status=503", &[("X-Twice", "1"), ("x-twice", "")], body);
    }
    let mut connection = Connection::open(server.receiver);
    connection.write(
        b"POST /webhook-test HTTP/1.0\r\nX-Odd: \xff: \x80\r\nX-Latin: caf\xe9\r\nX-Name: caf\xc3\xa9\r\nContent-Length: 2\r\n\r\n{}",
    );
    assert_eq!(connection.answer().unwrap().status, 200);
    server
}

/// Every delivery with all that is stored about it, newest first.
fn all(server: &Server) -> Vec<Value> {
    let rows = server.deliveries("");
    rows.iter().map(|row| server.api(&format!("deliveries/{}", row["id"].as_str().unwrap()))).collect()
}

const AS_THEY_WERE: [&str; 28] = [
    "source",
    "received_at",
    "method",
    "path",
    "client_ip",
    "event_type",
    "event_name",
    "event_id",
    "entity",
    "verdict",
    "reason",
    "unverified",
    "status",
    "size_bytes",
    "duration_us",
    "http_version",
    "peer_ip",
    "peer_port",
    "connection_deliveries",
    "client_explanation",
    "headers",
    "header_bytes",
    "body",
    "body_base64",
    "body_end",
    "checks",
    "headline",
    "hung_up_after_us",
];

/// The id of the copy: the version is the first digit of the third group.
fn version_8(id: &str) -> String {
    assert_eq!(&id[13..15], "-7", "{id}");
    format!("{}-8{}", &id[..13], &id[15..])
}

#[test]
fn a_json_lines_export_is_imported_as_it_was_and_a_second_time_adds_nothing() {
    let from = full();
    let originals = all(&from);
    assert_eq!(originals.len(), 12);
    assert!(originals.iter().any(|original| original["header_bytes"][0][1] == "/zoggA=="), "{originals:#?}");
    let export = from.command(&["export"]).output().unwrap().stdout;
    let to = Server::start();
    let done = import(&to, &export, &[]);
    assert_eq!((done.status.code(), out(&done).trim()), (Some(0), "12 imported"), "{}", err(&done));
    let copies = all(&to);
    for (original, copy) in originals.iter().zip(&copies) {
        let id = original["id"].as_str().unwrap();
        let own = copy["id"].as_str().unwrap();
        assert_eq!((version_8(id).as_str(), &copy["imported"]), (own, &json!(true)));
        for member in AS_THEY_WERE {
            assert_eq!(copy[member], original[member], "{member} of {id}");
        }
        let first = original["duplicate_of"].as_str().map(version_8);
        assert_eq!((copy["duplicate_of"].as_str(), &copy["tags"]), (first.as_deref(), &json!(["imported"])));
        let raw = |server: &Server, id: &str| server.api_raw(&format!("deliveries/{id}/raw")).body;
        assert_eq!(raw(&to, own), raw(&from, id));
    }
    assert_eq!(to.deliveries("q=tag:imported").len(), 12);
    let page = format!("/deliveries/{}", copies[0]["id"].as_str().unwrap());
    let page = exchange(to.inspector, "GET", &page, &[], b"");
    assert!(String::from_utf8(page.body).unwrap().contains(">imported</span>"));
    let again = import(&to, &export, &["--json"]);
    let told: Value = serde_json::from_str(&out(&again)).unwrap();
    assert_eq!(told, json!({"imported": 0, "known": 12, "refused": 0, "skipped": 0}));
    // An export of the copies is one of the originals, too; and both are at home in the first instance.
    let second = to.command(&["export"]).output().unwrap().stdout;
    assert!(out(&import(&to, &second, &[])).starts_with("0 imported, 12 already there"));
    assert!(out(&import(&from, &export, &[])).starts_with("0 imported, 12 already there"));
    assert_eq!((to.deliveries("").len(), from.deliveries("").len()), (12, 12));
}

#[test]
fn our_own_archive_keeps_bytes_times_client_verdict_and_reason() {
    let from = full();
    let originals = all(&from);
    let export = from.command(&["export", "--as", "har"]).output().unwrap().stdout;
    let to = Server::start();
    let done = import(&to, &export, &[]);
    assert_eq!((done.status.code(), out(&done).trim()), (Some(0), "12 imported"), "{}", err(&done));
    for (original, copy) in originals.iter().zip(&all(&to)) {
        for member in AS_THEY_WERE {
            // Credentials are variables in an archive; the rest is not in it.
            let is_left_out =
                ["unverified", "peer_port", "connection_deliveries", "headline", "hung_up_after_us"];
            let has_credential = original.to_string().contains("masked-");
            let is_masked = has_credential && ["headers", "path"].contains(&member);
            if !is_masked && !is_left_out.contains(&member) {
                assert_eq!(copy[member], original[member], "{member} of {}", original["id"]);
            }
        }
    }
    let text = all(&to).iter().map(Value::to_string).collect::<String>();
    assert!(text.contains("$CREDENTIAL") && !text.contains("hunter2") && !text.contains(TOKEN));
    assert!(out(&import(&to, &export, &[])).starts_with("0 imported, 12 already there"));
}

#[test]
fn what_is_imported_claims_no_id_and_goes_nowhere() {
    let from = Server::start();
    from.post_signed(login("one").as_bytes());
    let export = from.command(&["export"]).output().unwrap().stdout;
    let to = Server::start();
    let sink = Sink::start();
    to.subscribe(&json!({"name": "all", "url": sink.url("/"), "events": ["*"]}));
    assert!(import(&to, &export, &[]).status.success());
    let real = to.post_signed(login("one").as_bytes()).json();
    assert_eq!(real["status"], "processed", "{real}");
    let seen = sink.wait_for(1);
    // The log is read in its order: what was imported before has been passed over.
    assert_eq!(to.messages("").len(), 1);
    assert_eq!(to.messages("")[0]["event_id"], "one");
    assert_eq!((seen.len(), sink.count()), (1, 1));
    let waited =
        to.command(&["wait", "tag:imported", "--since", "1h", "--timeout", "500ms"]).output().unwrap();
    assert_eq!(waited.status.code(), Some(1), "{}", out(&waited));
    let devices = to.api("entities");
    assert!(!devices.to_string().contains("imported"), "{devices}");
}

#[test]
fn a_broken_line_is_named_and_the_others_are_stored() {
    let server = Server::start();
    let now = server.post("/webhook-test", &[], b"").json()["timestamp"].as_str().unwrap().to_owned();
    let good = |id: u8| {
        json!({"source": "s", "received_at": now, "path": "/webhook/s", "status": 200, "body": id.to_string()}).to_string()
    };
    let with = |change: Value| {
        let mut delivery: Value = serde_json::from_str(&good(9)).unwrap();
        delivery.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        delivery.to_string()
    };
    let lines = [
        good(1),
        "{\"cut".to_owned(),
        with(json!({"received_at": "yesterday", "status": "x"})),
        String::new(),
        with(json!({"verdict": "accepted", "received_at": "2020-01-01T00:00:00Z"})),
        with(json!({"verdict": "rejected"})),
        with(json!({"headers": [["a:b", "c"]], "body_base64": "AA=="})),
        with(json!({"received_at": "2999-01-01T00:00:00Z"})),
        "[1]".to_owned(),
        with(json!({"path": null})),
        good(2),
        good(1),
    ];
    let text = lines.join("\n");
    let done = import(&server, text.as_bytes(), &["-q"]);
    assert_eq!((done.status.code(), out(&done).trim()), (Some(1), "2 imported, 1 already there, 8 refused"));
    let told = err(&done);
    for line in [
        "line 2: invalid JSON at column 5; the line may be cut off",
        "line 3: ",
        "line 5: received_at: 2020-01-01T00:00:00.000Z is longer ago than store.keep_deliveries; raise that to import it",
        "line 6: reason: belongs to the verdict rejected, and to no other",
        "line 7: ",
        "line 8: received_at: is in the future",
        "line 9: not a JSON object",
        "line 10: path: is missing",
    ] {
        assert!(told.lines().any(|told| told.starts_with(line)), "{line}: {told}");
    }
    let three = "line 3: received_at: an RFC 3339 time such as 2026-03-09T07:14:58Z; status: a whole number, 0 or more";
    assert!(told.contains(three) && told.contains("names without colons"), "{told}");
    let json = import(&server, text.as_bytes(), &["--json"]);
    let told: Vec<Value> = out(&json).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((told.len(), err(&json).contains("line 2")), (9, false), "{told:#?}");
    assert!(told.iter().any(|told| told["line"] == 10 && told["error"] == "path: is missing"), "{told:?}");
    let bodies: Vec<Value> = all(&server).iter().map(|one| one["body"].clone()).collect();
    assert_eq!(bodies, [json!("2"), json!("1"), json!("")]);
}

#[test]
fn a_browser_s_archive_is_stored_as_captures_with_its_credentials_masked() {
    let server = Server::start();
    let request = |method: &str, path: &str, post: Value| {
        json!({"startedDateTime": "2026-03-09T07:14:58.402Z", "time": 3.2, "response": {"status": 201}, "request": {
            "method": method, "url": format!("https://hooks.example.com{path}"), "httpVersion": "http/2.0", "bodySize": -1,
            "headers": [{"name": ":path", "value": path}, {"name": "authorization", "value": "Bearer hunter2hunter2"},
                {"name": "cookie", "value": "session=hunter2hunter2"}, {"name": "content-type", "value": "application/json"}],
            "postData": post}})
    };
    let archive = json!({"log": {"version": "1.2", "creator": {"name": "WebInspector", "version": "537.36"}, "pages": [],
    "entries": [
        request("GET", "/page", Value::Null),
        request("POST", "/webhook/shop?token=hunter2hunter2&a=1", json!({"mimeType": "application/json", "text": "{\"ü\": 1}\n"})),
        request("POST", "/api/orders", json!({"mimeType": "application/x-www-form-urlencoded", "params": [{"name": "a", "value": "ü"}]})),
    ]}});
    let text = serde_json::to_string_pretty(&archive).unwrap();
    let done = import(&server, format!("\u{feff}{text}").as_bytes(), &[]);
    assert_eq!(out(&done).trim(), "2 imported, 1 without a body skipped", "{}", err(&done));
    let stored = all(&server);
    let of = |at: usize, member: &str| stored[at][member].clone();
    assert_eq!((of(1, "source"), of(0, "source")), (json!("shop"), json!("imported")));
    assert_eq!((of(1, "body"), of(0, "body")), (json!("{\"ü\": 1}\n"), json!("a=%C3%BC")));
    assert_eq!(
        (of(1, "verdict"), of(1, "status"), of(1, "duration_us")),
        (json!("captured"), json!(201), json!(3200))
    );
    assert_eq!(
        (of(1, "received_at"), of(1, "http_version")),
        (json!("2026-03-09T07:14:58.402Z"), json!("HTTP/2.0"))
    );
    let text = format!("{stored:?}");
    assert!(!text.contains("hunter2h") && !text.contains(":path"), "{text}");
    assert!(of(1, "path").as_str().unwrap().starts_with("/webhook/shop?token=masked-"));
    assert!(out(&import(&server, archive.to_string().as_bytes(), &[])).contains("2 already there"));
    assert!(
        out(&import(&server, archive.to_string().as_bytes(), &["--source", "mine"])).contains("2 imported")
    );
    assert_eq!(server.deliveries("source=mine").len(), 2);
}

#[test]
fn standard_input_and_what_cannot_be_read() {
    let server = Server::start();
    let now = server.post("/webhook-test", &[], b"").json()["timestamp"].as_str().unwrap().to_owned();
    let lines: String = (0..250)
        .map(|number| {
            let body = if number == 7 { "x".repeat(3_000_000) } else { number.to_string() };
            format!(
                "{}\n",
                json!({"source": "s", "received_at": now, "path": "/", "status": 200, "body": body})
            )
        })
        .collect();
    for (file, imported, known) in [("-", 250, 0), ("/dev/stdin", 0, 250)] {
        let mut child = server
            .command(&["import", file, "--json"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
        let done = child.wait_with_output().unwrap();
        let told: Value = serde_json::from_str(&out(&done)).unwrap();
        let expected = json!({"imported": imported, "known": known, "refused": 0, "skipped": 0});
        assert_eq!(told, expected, "{}", err(&done));
    }
    assert_eq!(server.deliveries("source=s").len(), 250);
    let csv = server.command(&["export", "--as", "csv"]).output().unwrap().stdout;
    for (text, code, why) in [
        (&csv[..], 2, "CSV has no headers and no bodies"),
        (b"\x1f\x8b\x08\0", 2, "compressed with gzip"),
        (b"\xff\xfe{\0", 2, "UTF-16, as PowerShell writes it"),
        (b"{\"log\": {\"entries\": [", 1, "not an HTTP archive: invalid JSON at line 1"),
        (b"{\"log\": {}}", 1, "log.entries is missing"),
        (b"", 0, ""),
    ] {
        let done = import(&server, text, &[]);
        assert!(done.status.code() == Some(code) && err(&done).contains(why), "{}", err(&done));
    }
    let missing = server.command(&["import", "/no/such/file"]).output().unwrap();
    assert!(missing.status.code() == Some(1) && err(&missing).contains("/no/such/file cannot be read"));
    let nobody = Setup::new("");
    let nobody = nobody.command(&["import", "-"]).stdin(Stdio::null()).output().unwrap();
    assert_eq!(nobody.status.code(), Some(3), "{}", err(&nobody));
    for body in [json!({}), json!({"deliveries": 1}), json!({"deliveries": vec![json!({}); 101]})] {
        let answer = server.tell("POST", "deliveries/import", &body);
        assert_eq!((answer.status, &answer.json()["errors"][0]["pointer"]), (400, &json!("/deliveries")));
    }
}

/// Captures with an id each, as an export has them.
fn many(count: usize) -> String {
    let line = |at: usize| {
        let id = format!("01930000-0000-7000-8000-{at:012}");
        json!({"id": id, "source": "s", "received_at": jiff::Timestamp::now().to_string(), "path": "/", "status": 200})
    };
    (0..count).map(|at| format!("{}\n", line(at))).collect()
}

#[test]
fn what_a_killed_program_left_without_its_tag_is_finished_by_the_next_import() {
    const COUNT: usize = 2_000;
    let server = Server::start();
    let file = server.data_dir().join("many");
    fs::write(&file, many(COUNT)).unwrap();
    let mut cut = server.command(&["import", "many"]);
    cut.current_dir(server.data_dir()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut cut = cut.spawn().unwrap();
    until("some of them", || !server.deliveries("").is_empty());
    let server = server.kill_and_restart();
    cut.wait().unwrap();
    let stored = server.all_deliveries("");
    assert!(stored.len() < COUNT, "it was killed too late");
    // What a kill between the two writes leaves.
    let bare = &stored[0]["id"].as_str().unwrap();
    let change = br#"{"tags": []}"#;
    let json = [("Content-Type", "application/json")];
    let path = format!("/api/v1/deliveries/{bare}");
    assert_eq!(exchange(server.inspector, "PATCH", &path, &json, change).status, 200);
    assert!(server.all_deliveries("q=tag:imported").len() < stored.len());

    let again = import(&server, &fs::read(&file).unwrap(), &[]);
    assert_eq!(again.status.code(), Some(0), "{}", err(&again));
    assert_eq!(server.all_deliveries("").len(), COUNT);
    assert_eq!(server.all_deliveries("q=tag:imported").len(), COUNT);
}
