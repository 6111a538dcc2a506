//! The inspector's API: rows, the live stream, waiting, and the guard in front of it.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::harness::{Connection, SECRET, Server, Setup, exchange, hmac_hex, login};

/// Opens the live stream.
fn stream(server: &Server, query: &str, headers: &str) -> Connection {
    let mut connection = Connection::open(server.inspector);
    let address = server.inspector;
    connection.write(
        format!("GET /api/v1/deliveries/stream?{query} HTTP/1.1\r\nHost: {address}\r\n{headers}\r\n")
            .as_bytes(),
    );
    loop {
        let line = connection.line().expect("the stream opens");
        if line.is_empty() {
            return connection;
        }
    }
}

/// The next event of a kind: its id and data. Comments and other lines are passed over.
fn next_event(stream: &mut Connection, kind: &str) -> (String, Value) {
    let (mut id, mut is_kind) = (String::new(), false);
    loop {
        let line = stream.line().expect("the stream goes on");
        if let Some(text) = line.strip_prefix("id: ") {
            id = text.to_owned();
        } else if let Some(text) = line.strip_prefix("event: ") {
            is_kind = text == kind;
        } else if let Some(text) = line.strip_prefix("data: ")
            && is_kind
        {
            return (id, serde_json::from_str(text).unwrap_or(Value::Null));
        }
    }
}

#[test]
fn a_row_has_the_members_of_the_contract_and_a_delivery_more() {
    let server = Server::start();
    server.post_signed(login("evt_1").as_bytes());
    let row = server.deliveries("")[0].clone();
    for member in [
        "id",
        "source",
        "received_at",
        "method",
        "path",
        "client_ip",
        "event_type",
        "event_id",
        "verdict",
        "reason",
        "status",
        "size_bytes",
        "duration_us",
        "duplicate_of",
    ] {
        assert!(row.get(member).is_some(), "{member}");
    }
    assert!(row["received_at"].as_str().unwrap().ends_with('Z'));
    let delivery = server.newest();
    assert!(delivery["diagnosis"].is_string());
    let checks: Vec<&str> =
        delivery["checks"].as_array().unwrap().iter().map(|check| check["check"].as_str().unwrap()).collect();
    assert_eq!(checks, ["allowlist", "size", "credentials", "signature", "payload", "schema", "idempotency"]);
    for member in ["outcome", "reason", "seen", "rule", "duration_us"] {
        assert!(delivery["checks"][0].get(member).is_some(), "{member}");
    }
}

#[test]
fn lists_are_paged_newest_first_without_a_gap() {
    let server = Server::start();
    for at in 0..7 {
        server.post_signed(login(&format!("p{at}")).as_bytes());
    }
    let (mut seen, mut query) = (Vec::new(), "deliveries?limit=3".to_owned());
    loop {
        let page = server.api(&query);
        seen.extend(
            page["deliveries"]
                .as_array()
                .unwrap()
                .iter()
                .map(|row| row["event_id"].as_str().unwrap().to_owned()),
        );
        match page["next"].as_str() {
            Some(next) => query = format!("deliveries?limit=3&before={next}"),
            None => break,
        }
    }
    assert_eq!(seen, ["p6", "p5", "p4", "p3", "p2", "p1", "p0"]);
}

#[test]
fn faults_are_problems_that_name_the_parameter() {
    let server = Server::start();
    for query in [
        "verdict=maybe",
        "limit=0",
        "limit=x",
        "status=abc",
        "client_ip=1.2.3",
        "from=yesterday",
        "vrdict=accepted",
        "before=x",
    ] {
        let answer = server.api_raw(&format!("deliveries?{query}"));
        assert_eq!(answer.status, 400, "{query}");
        assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{query}");
        let problem = answer.json();
        assert_eq!(problem["status"], 400);
        assert!(problem["title"].is_string() && problem["errors"][0]["message"].is_string(), "{problem}");
    }
    for path in [
        "deliveries/nonsense",
        "deliveries/01a210b3-7210-764d-8b12-9dc83bef850d",
        "nothing",
        "event-types/nothing",
    ] {
        let answer = server.api_raw(path);
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (404, Some("application/problem+json")),
            "{path}"
        );
    }
}

#[test]
fn the_event_types_are_listed_with_schema_and_example() {
    let server = Server::start();
    let listed = server.api("event-types");
    assert_eq!(listed["event_types"].as_array().unwrap().len(), 35);
    let one = server.api("event-types/user.login");
    assert!(one["schema"]["required"].is_array() && one["example"]["event"] == "user.login", "{one}");
}

#[test]
fn the_stream_shows_a_delivery_within_a_moment_and_resumes_without_a_gap() {
    let server = Server::start();
    server.post_signed(login("before").as_bytes());
    let mut live = stream(&server, "", "");
    let sent = Instant::now();
    server.post_signed(login("one").as_bytes());
    let (cursor, row) = next_event(&mut live, "delivery");
    assert_eq!(row["event_id"], "one");
    assert!(sent.elapsed() < Duration::from_secs(5));
    drop(live);
    for id in ["two", "three"] {
        server.post_signed(login(id).as_bytes());
    }
    let mut again = stream(&server, "", &format!("Last-Event-ID: {cursor}\r\n"));
    let resumed: Vec<Value> =
        (0..2).map(|_| next_event(&mut again, "delivery").1["event_id"].clone()).collect();
    assert_eq!(resumed, ["two", "three"]);
    let server = server.stop_and_restart(None);
    let mut after = stream(&server, "event_id=three", &format!("Last-Event-ID: {cursor}\r\n"));
    assert_eq!(next_event(&mut after, "delivery").1["event_id"], "three");
}

#[test]
fn ui_11_a_cursor_that_is_no_longer_held_is_one_reset() {
    let server = Setup::new("[store]\nkeep_captured = 2\n[receiver]\ncapture_rate = \"100000/s\"\n").start();
    for _ in 0..6 {
        server.post("/webhook-test", &[], b"x");
    }
    assert!(server.command(&["prune"]).output().unwrap().status.success());
    let until = Instant::now() + Duration::from_secs(10);
    for cursor in ["garbage", "999999", "-1"] {
        let mut live = stream(&server, "", &format!("Last-Event-ID: {cursor}\r\n"));
        next_event(&mut live, "reset");
    }
    loop {
        let mut live = stream(&server, "", "Last-Event-ID: 1\r\n");
        server.post_signed(login("wake").as_bytes());
        let event = loop {
            let line = live.line().unwrap();
            if let Some(event) = line.strip_prefix("event: ") {
                break event.to_owned();
            }
        };
        let is_reset = event == "reset";
        if is_reset {
            break;
        }
        assert!(Instant::now() < until, "no reset");
    }
}

#[test]
fn ui_13_a_reader_that_does_not_read_delays_nobody() {
    let server = Server::start();
    let mut slow: Vec<Connection> = (0..50).map(|_| stream(&server, "", "")).collect();
    let started = Instant::now();
    for at in 0..300 {
        assert_eq!(server.post_signed(login(&format!("s{at}")).as_bytes()).status, 200);
    }
    assert!(started.elapsed() < Duration::from_secs(20));
    for live in &mut slow {
        for at in 0..300 {
            assert_eq!(next_event(live, "delivery").1["event_id"], format!("s{at}"));
        }
    }
}

#[test]
fn wait_answers_with_the_first_match_or_408() {
    let server = Server::start();
    server.post_signed(login("earlier").as_bytes());
    let address = server.inspector;
    let waiting = std::thread::spawn(move || {
        exchange(address, "GET", "/api/v1/wait?event_type=user.login&timeout=20s", &[], b"")
    });
    std::thread::sleep(Duration::from_millis(300));
    server.post_signed(br#"{"event":"made.up","id":"other"}"#);
    server.post_signed(login("awaited").as_bytes());
    let answer = waiting.join().unwrap();
    assert_eq!(
        (answer.status, answer.json()["event_id"].as_str().map(str::to_owned)),
        (200, Some("awaited".to_owned()))
    );
    let past = server.api("wait?event_id=earlier&from=2020-01-01T00:00:00Z&timeout=5s");
    assert_eq!(past["event_id"], "earlier");
    let nothing = server.api_raw("wait?event_id=never&timeout=200ms");
    assert_eq!((nothing.status, nothing.header("content-type")), (408, Some("application/problem+json")));
    assert_eq!(server.api_raw("wait?timeout=soon").status, 400);
}

#[test]
fn ui_02_a_raw_body_is_a_download_that_runs_nothing() {
    let server = Server::start();
    let body = b"<html><script>alert(1)</script></html>";
    let answer = server.post("/webhook-test", &[("Content-Type", "text/html")], body);
    let id = answer.json()["delivery_id"].as_str().unwrap().to_owned();
    let raw = server.api_raw(&format!("deliveries/{id}/raw"));
    assert_eq!(raw.body, body);
    assert_eq!(raw.header("content-type"), Some("application/octet-stream"));
    assert!(raw.header("content-disposition").unwrap().starts_with("attachment"));
    assert_eq!(raw.header("x-content-type-options"), Some("nosniff"));
    assert!(raw.header("content-security-policy").unwrap().contains("sandbox"));
}

#[test]
fn ui_05_a_foreign_host_or_origin_is_403_on_pages_api_and_stream() {
    let server = Server::start();
    let own = server.inspector.to_string();
    let ask = |path: &str, lines: &[(&str, &str)]| {
        let mut request = format!("GET {path} HTTP/1.1\r\nConnection: close\r\n");
        for (name, value) in lines {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        let mut connection = Connection::open(server.inspector);
        connection.write(format!("{request}\r\n").as_bytes());
        connection.answer().unwrap().status
    };
    for path in ["/", "/api/v1/deliveries", "/api/v1/deliveries/stream", "/metrics"] {
        assert_eq!(ask(path, &[("Host", "evil.example")]), 403, "{path}");
        assert_eq!(ask(path, &[("Host", "evil.example"), ("X-Forwarded-Host", "localhost")]), 403, "{path}");
        assert_eq!(ask(path, &[("Host", &own), ("Origin", "http://evil.example")]), 403, "{path}");
    }
    assert_eq!(ask("/", &[("Host", &own)]), 200);
    assert_eq!(ask("/", &[("Host", &format!("localhost:{}", server.inspector.port()))]), 200);
    let mut old = Connection::open(server.inspector);
    old.write(b"GET / HTTP/1.0\r\n\r\n");
    assert_eq!(old.answer().unwrap().status, 403);
}

#[test]
fn ui_06_nothing_changes_by_a_get_or_from_another_site() {
    let server = Server::start();
    let own = format!("http://{}", server.inspector);
    assert_eq!(exchange(server.inspector, "GET", "/send-test", &[], b"").status, 405);
    let cross = [("Sec-Fetch-Site", "cross-site"), ("Content-Type", "text/plain")];
    assert_eq!(exchange(server.inspector, "POST", "/send-test", &cross, b"").status, 403);
    assert_eq!(
        exchange(server.inspector, "POST", "/send-test", &[("Origin", "http://evil.example")], b"").status,
        403
    );
    assert!(server.deliveries("").is_empty());
    let same = [("Origin", own.as_str()), ("Sec-Fetch-Site", "same-origin")];
    assert_eq!(exchange(server.inspector, "POST", "/send-test", &same, b"").status, 303);
    assert_eq!(server.newest()["event_type"], "webhook.test");
    assert_eq!(server.newest()["verdict"], "accepted");
}

#[test]
fn st_05_times_filter_by_instant_whatever_their_zone() {
    let server = Setup::new("").env("TZ", "America/New_York").start();
    server.post_signed(login("now").as_bytes());
    assert_eq!(server.deliveries("from=2020-01-01T00:00:00%2B02:00&to=2099-01-01T00:00:00-05:00").len(), 1);
    assert!(server.deliveries("to=2020-01-01T00:00:00Z").is_empty());
    assert!(server.newest()["received_at"].as_str().unwrap().ends_with('Z'));
}

#[test]
fn st_03_a_full_disk_is_503_and_told_and_recovered_from_and_pruned() {
    let setup = Setup::new("[store]\nkeep_rejected = \"1s\"\n");
    let data = setup.data_dir();
    let mounted = std::process::Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=9m", "tmpfs"])
        .arg(&data)
        .status();
    assert!(mounted.unwrap().success(), "this test mounts a small file system and needs root");
    let mount = Mount(data.clone());
    setup.file("signing-secret", SECRET);
    setup.file("tagoio-token", "a-token-of-some-length");
    let server = setup.start();
    let filler = "x".repeat(100_000);
    let post = |id: &str| {
        let body = format!(r#"{{"id":"{id}","event":"made.up","v":"{filler}"}}"#);
        let hex = hmac_hex(SECRET.as_bytes(), body.as_bytes());
        server.post("/webhook/tagorun", &[("X-TagoRUN-Signature", &hex)], body.as_bytes())
    };
    let mut kept = 0;
    let refused = loop {
        server.post("/webhook/tagorun", &[], filler.as_bytes());
        let answer = post(&format!("full{kept}"));
        if answer.status != 200 {
            break answer;
        }
        kept += 1;
        assert!(kept < 200, "the disk never fills");
    };
    assert_eq!((refused.status, refused.json()["error"].as_str()), (503, Some("Processing failed")));
    assert!(refused.header("retry-after").is_some());
    assert_eq!(
        server.deliveries("verdict=accepted").len(),
        kept,
        "what was acknowledged is there, and nothing else"
    );
    std::thread::sleep(Duration::from_millis(1100));
    let pruned = server.command(&["prune"]).output().unwrap();
    assert!(pruned.status.success(), "{}", String::from_utf8_lossy(&pruned.stderr));
    let until = Instant::now() + Duration::from_secs(10);
    while post("after").status != 200 {
        assert!(Instant::now() < until, "no recovery: {}", server.log());
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(server.ask("GET", "/readyz", &[]).status, 200);
    assert_eq!(server.deliveries("verdict=accepted").len(), kept + 1);
    drop(server);
    drop(mount);
}

/// A mounted file system, taken down again whatever happens.
struct Mount(std::path::PathBuf);

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg("-l").arg(&self.0).status();
    }
}
