//! `tagohook listen`: what the app gets, in which order, and that nothing is lost or forwarded twice.

use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{
    Database, Listening, Reply, Server, Setup, Sink, exchange, hmac_hex, login, standard_webhooks, until,
};

/// The event of a device.
fn reading(id: &str, device: &str) -> String {
    format!(r#"{{"id":"{id}","type":"device.reading","device":{{"id":"{device}"}},"value":1}}"#)
}

/// A source without signatures, whose events are about devices.
const DEVICES: &str =
    "[[source]]\nname = \"open\"\nsignature = \"none\"\nentity = \"/device/id\"\nschema = \"off\"\n";

fn post(server: &Server, id: &str, device: &str) {
    let answer = server.post("/webhook/open", &[], reading(id, device).as_bytes());
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
}

fn listen(server: &Server, url: &str, more: &[&str]) -> Command {
    server.command(&[&["listen", "--forward-to", url][..], more].concat())
}

fn ids(sink: &Sink) -> Vec<String> {
    sink.seen().iter().map(|request| request.json()["id"].as_str().unwrap().to_owned()).collect()
}

fn run(mut command: Command) -> (Option<i32>, String) {
    let output = command.output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn the_app_gets_the_exact_bytes_and_header_lines_of_accepted_deliveries_and_each_is_a_line() {
    let server = Server::start();
    let sink = Sink::start();
    let listening = Listening::start(listen(&server, &sink.url("/hook?own=1"), &[]));
    let body = format!(" {}\n", login("e1"));
    let signature = hmac_hex(crate::harness::SECRET.as_bytes(), body.as_bytes());
    let headers = [
        ("X-TagoRUN-Signature", &*signature),
        ("X-Own", "a"),
        ("x-own", "b"),
        ("Connection", "X-Hop"),
        ("X-Hop", "1"),
        ("Authorization", "Bearer of-the-sender"),
    ];
    assert_eq!(server.post("/webhook/tagorun?event=up", &headers, body.as_bytes()).status, 200);
    server.post_signed(b"not json");
    server.post("/webhook/tagorun", &[("X-TagoRUN-Signature", &signature)], body.as_bytes());
    server.post_signed(login("e2").as_bytes());
    let seen = sink.wait_for(2);
    assert_eq!(listening.wait_for(2).len(), 2);
    assert_eq!(ids(&sink), ["e1", "e2"], "neither the refused nor the repeated one");
    let first = &seen[0];
    assert_eq!((first.method.as_str(), first.path.as_str()), ("POST", "/hook?own=1&event=up"));
    assert_eq!(String::from_utf8_lossy(&first.body), body);
    assert_eq!(first.header("x-tagorun-signature"), signature);
    let own = first.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("x-own"));
    assert_eq!(own.map(|(_, value)| value.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!((first.header("x-hop"), first.header("authorization")), ("", ""));
    assert_eq!(first.header("host"), sink.address.to_string());
    let line = &listening.lines()[0];
    assert!(line.starts_with("POST /hook  200  ") && line.contains(" ms  user.login  e1  "), "{line}");
    assert_eq!(listening.stop(), Some(130));
}

#[test]
fn the_stored_path_and_routes_by_event_decide_where_it_is_sent() {
    let server = Setup::new(DEVICES).start();
    let sink = Sink::start();
    let to = ["--route", "device.*=/devices?x=1", "--route", "user.login=/in"];
    let listening = Listening::start(listen(&server, &sink.url("/*"), &to));
    post(&server, "e1", "d");
    server.post("/webhook/open/deep", &[], login("e2").as_bytes());
    server.post("/webhook/open/deep", &[], br#"{"id":"e3","type":"other"}"#);
    sink.wait_for(3);
    let mut paths: Vec<String> = sink.seen().iter().map(|request| request.path.clone()).collect();
    paths.sort();
    assert_eq!(paths, ["/devices?x=1", "/in", "/webhook/open/deep"]);
    assert_eq!(listening.stop(), Some(130));
}

#[test]
fn deliveries_of_a_device_keep_their_order_while_others_overtake() {
    let server = Setup::new(DEVICES).start();
    // The first request of each device is slow.
    let sink = Sink::scripted(|request, before| {
        let is_slow = request.json()["device"]["id"] == "slow" && before < 4;
        if is_slow { Reply::Slow(Duration::from_millis(700), 200) } else { Reply::Status(200) }
    });
    let listening = Listening::start(listen(&server, &sink.url("/"), &["--json"]));
    for (id, device) in [("s1", "slow"), ("s2", "slow"), ("q1", "quick"), ("q2", "quick"), ("s3", "slow")] {
        post(&server, id, device);
    }
    let rows: Vec<Value> =
        listening.wait_for(5).iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let done: Vec<&str> = rows.iter().map(|row| row["event_id"].as_str().unwrap()).collect();
    assert_eq!(done, ["q1", "q2", "s1", "s2", "s3"]);
    assert!(
        rows.iter().all(|row| row["ok"] == true && row["status"] == 200 && row["path"] == "/"),
        "{rows:?}"
    );
    let order = |prefix: &str| -> Vec<String> {
        ids(&sink).into_iter().filter(|id| id.starts_with(prefix)).collect()
    };
    assert_eq!(order("s"), ["s1", "s2", "s3"]);
}

#[test]
fn a_name_continues_where_it_ended_also_after_kill_and_nothing_is_forwarded_twice() {
    let server = Setup::new(DEVICES).start();
    let sink = Sink::start();
    let named = || listen(&server, &sink.url("/"), &["--name", "app"]);
    post(&server, "before", "d");
    let listening = Listening::start(named());
    for number in 0..20 {
        post(&server, &format!("a{number}"), &format!("d{}", number % 3));
    }
    listening.wait_for(20);
    assert_eq!(listening.stop(), Some(130));
    for number in 0..5 {
        post(&server, &format!("b{number}"), "d");
    }
    let listening = Listening::start(named());
    listening.wait_for(5);
    listening.signal("KILL");
    assert_eq!(listening.wait(), None);
    post(&server, "c", "d");
    let server = server.kill_and_restart();
    let listening = Listening::start(listen(&server, &sink.url("/"), &["--name", "app"]));
    listening.wait_for(1);
    let told = run(listen(&server, &sink.url("/"), &["--name", "app"]));
    assert_eq!(told.0, Some(1));
    assert!(told.1.contains("another `tagohook listen --name app` is running"), "{}", told.1);
    listening.stop();
    let mut seen = ids(&sink);
    assert_eq!(seen.last().unwrap(), "c");
    seen.sort();
    let mut expected: Vec<String> = (0..20).map(|number| format!("a{number}")).collect();
    expected.extend((0..5).map(|number| format!("b{number}")));
    expected.push("c".to_owned());
    expected.sort();
    assert_eq!(seen, expected, "each once, and none from before the first start");
}

#[test]
fn since_begins_with_earlier_deliveries_and_a_search_chooses() {
    let server = Setup::new(DEVICES).start();
    for number in 0..700 {
        post(&server, &format!("e{number}"), "d");
    }
    server.post("/webhook/open", &[], login("other").as_bytes());
    let sink = Sink::start();
    let listening =
        Listening::spawn(listen(&server, &sink.url("/"), &["event:device.reading", "--since", "1h", "-q"]));
    sink.wait_for(700);
    post(&server, "live", "d");
    sink.wait_for(701);
    let expected: Vec<String> =
        (0..700).map(|number| format!("e{number}")).chain(["live".to_owned()]).collect();
    assert_eq!(ids(&sink), expected, "in order, and nothing else");
    assert_eq!(listening.lines().len(), 0, "--quiet prints only failures");
    listening.stop();
}

#[test]
fn what_retention_left_is_forwarded_in_order_after_a_long_absence() {
    let config = format!("[store]\nkeep_captured = 1\n{DEVICES}");
    let server = Setup::new(&config).start();
    let sink = Sink::start();
    let named = || listen(&server, &sink.url("/"), &["--name", "app"]);
    let listening = Listening::start(named());
    post(&server, "a", "d");
    listening.wait_for(1);
    listening.stop();
    // Retention removes newer rows than the position: the stream cannot continue from there.
    for id in ["b", "c"] {
        server.ask("POST", "/webhook-test", &[]);
        post(&server, id, "d");
        server.ask("POST", "/webhook-test", &[]);
    }
    assert!(server.command(&["prune"]).output().unwrap().status.success());
    let listening = Listening::start(named());
    listening.wait_for(2);
    post(&server, "d", "d");
    sink.wait_for(4);
    assert_eq!(ids(&sink), ["a", "b", "c", "d"]);
    listening.stop();
}

#[test]
fn while_the_app_or_the_instance_is_away_nothing_is_lost() {
    let server = Setup::new(DEVICES).start();
    // Without a connection that is kept, dropping it closes everything.
    let sink =
        Sink::scripted(|_, _| Reply::With(200, vec![("Connection", "close".to_owned())], String::new()));
    let address = sink.address;
    let listening = Listening::start(listen(&server, &sink.url("/"), &[]));
    post(&server, "e1", "d");
    sink.wait_for(1);
    drop(sink);
    for id in ["e2", "e3"] {
        post(&server, id, "d");
    }
    until("the notice", || listening.err().contains("does not answer"));
    let sink = Sink::at(address, |_, _| Reply::Status(200));
    sink.wait_for(2);
    assert_eq!(ids(&sink), ["e2", "e3"]);
    until("the end of the outage", || listening.err().contains("answers again"));
    // It comes back on another port.
    let server = server.kill_and_restart();
    post(&server, "e4", "d");
    sink.wait_for(3);
    assert_eq!(ids(&sink), ["e2", "e3", "e4"]);
    listening.stop();
}

#[test]
fn an_app_that_hangs_resets_or_fails_has_a_clear_line_each_and_only_what_got_no_response_is_retried() {
    let server = Setup::new(DEVICES).start();
    let sink = Sink::scripted(|request, _| {
        static SEEN: std::sync::Mutex<Vec<String>> = std::sync::Mutex::new(Vec::new());
        let id = request.json()["id"].as_str().unwrap().to_owned();
        let is_first = {
            let mut seen = SEEN.lock().unwrap();
            let is_first = !seen.contains(&id);
            seen.push(id.clone());
            is_first
        };
        match id.as_str() {
            "hangs" if is_first => Reply::Hang,
            "resets" if is_first => Reply::Reset,
            "fails" => Reply::Status(500),
            "moves" => Reply::With(302, vec![("Location", "/elsewhere".to_owned())], String::new()),
            _ => Reply::Status(200),
        }
    });
    let listening = Listening::start(listen(&server, &sink.url("/"), &["--timeout", "500ms"]));
    for id in ["hangs", "resets", "fails", "moves"] {
        post(&server, id, id);
    }
    let lines = listening.wait_for(6);
    let of = |id: &str| -> Vec<String> { lines.iter().filter(|line| line.contains(id)).cloned().collect() };
    assert!(of("hangs")[0].contains("timeout") && of("hangs")[0].contains("retry in 0.25 s"), "{lines:?}");
    assert!(of("resets")[0].contains("reset: ") && of("resets")[0].contains("retry in"), "{lines:?}");
    for id in ["hangs", "resets"] {
        assert!(of(id)[1].starts_with("POST /  200  ") && of(id).len() == 2, "{lines:?}");
    }
    assert!(of("fails").len() == 1 && of("fails")[0].starts_with("POST /  500  "), "{lines:?}");
    assert!(
        of("moves")[0].contains("302") && of("moves")[0].contains("redirects to /elsewhere"),
        "{lines:?}"
    );
    assert!(sink.seen().iter().all(|request| request.path == "/"), "a redirect is not followed");
    listening.stop();
}

#[test]
fn retries_and_attempts_are_limits_where_the_user_sets_them() {
    let server = Setup::new(DEVICES).start();
    let sink = Sink::scripted(|request, _| match request.json()["id"].as_str().unwrap() {
        "fails" => Reply::Status(503),
        "resets" => Reply::Reset,
        _ => Reply::Status(200),
    });
    let listening = Listening::start(listen(&server, &sink.url("/"), &["--retries", "1", "--attempts", "2"]));
    for id in ["fails", "resets"] {
        post(&server, id, id);
        post(&server, &format!("after-{id}"), id);
    }
    let lines = listening.wait_for(6);
    let count = |word: &str| lines.iter().filter(|line| line.contains(word)).count();
    assert_eq!(
        (count("503"), count("reset: "), count("skipped"), count("after-")),
        (2, 2, 1, 2),
        "{lines:?}"
    );
    listening.stop();
}

#[test]
fn ctrl_c_waits_for_the_response_under_way_and_that_delivery_is_not_forwarded_twice() {
    let server = Setup::new(DEVICES).start();
    let sink = Sink::scripted(|_, before| {
        if before == 0 { Reply::Slow(Duration::from_millis(800), 200) } else { Reply::Status(200) }
    });
    let named = || listen(&server, &sink.url("/"), &["--name", "app"]);
    let listening = Listening::start(named());
    post(&server, "slow", "d");
    post(&server, "next", "d");
    sink.wait_for(1);
    listening.signal("TERM");
    until("the notice", || listening.err().contains("waiting for the response to 1 request"));
    assert_eq!(listening.wait(), Some(143));
    let listening = Listening::start(named());
    sink.wait_for(2);
    assert_eq!(ids(&sink), ["slow", "next"]);
    listening.stop();
}

#[test]
fn a_closed_pipe_ends_it_quietly_and_keeps_what_was_answered() {
    let server = Setup::new(DEVICES).start();
    let sink = Sink::start();
    post(&server, "e1", "d");
    let mut command = listen(&server, &sink.url("/"), &["--name", "app", "--since", "1h"]);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = command.stdout(writer).stderr(std::process::Stdio::piped()).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    post(&server, "e2", "d");
    let listening = Listening::start(listen(&server, &sink.url("/"), &["--name", "app"]));
    listening.wait_for(1);
    assert_eq!(ids(&sink), ["e1", "e2"]);
    listening.stop();
}

#[test]
fn a_command_gets_each_body_and_its_output_is_printed() {
    let server = Setup::new(DEVICES).start();
    let more = ["listen", "--exec", "cat; echo \" $TAGOHOOK_EVENT_ID\"; test $TAGOHOOK_EVENT_ID != bad"];
    let listening = Listening::start(server.command(&more));
    post(&server, "e1", "d");
    post(&server, "bad", "d");
    let lines = listening.wait_for(4);
    assert_eq!(lines[0], format!("{} e1", reading("e1", "d")));
    assert!(lines[1].starts_with("0  ") && lines[1].contains("by the command"), "{lines:?}");
    assert!(lines[3].starts_with("1  "), "{lines:?}");
    listening.stop();
}

#[test]
fn with_sign_each_request_is_signed_again_in_the_scheme_of_its_source() {
    let config = "[[source]]\nname = \"tagorun\"\nsecrets = [\"file:signing-secret\"]\nsignature = \"tagorun\"\n\
                  [[source]]\nname = \"std\"\nsecrets = [\"env:STD\"]\nsignature = \"standard-webhooks\"\nschema = \"off\"\n";
    let secret = "a-key-of-the-sender-0123456789abcd";
    let server =
        Setup::new(config).env("STD", secret).env("APP_KEY", "another-key-of-the-app-0123456789").start();
    let sink = Sink::start();
    let listening = Listening::start(listen(&server, &sink.url("/"), &["--sign", "env:APP_KEY"]));
    let body = login("e1");
    server.post_signed(body.as_bytes());
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let (time, other) = (i64::try_from(now).unwrap(), br#"{"type":"a.b"}"#);
    let signature = standard_webhooks(secret.as_bytes(), "msg_1", time, other);
    let time = time.to_string();
    let headers = [
        ("webhook-id", "msg_1"),
        ("webhook-timestamp", time.as_str()),
        ("webhook-signature", signature.as_str()),
    ];
    assert_eq!(server.post("/webhook/std", &headers, other).status, 200);
    let seen = sink.wait_for(2);
    let key = b"another-key-of-the-app-0123456789";
    let first = seen.iter().find(|request| request.body == body.as_bytes()).unwrap();
    assert_eq!(first.header("x-tagorun-signature"), hmac_hex(key, body.as_bytes()));
    let second = seen.iter().find(|request| request.body == other).unwrap();
    let time = second.header("webhook-timestamp").parse().unwrap();
    assert_eq!(second.header("webhook-id"), "msg_1");
    assert_eq!(second.header("webhook-signature"), standard_webhooks(key, "msg_1", time, other));
    listening.stop();
}

#[test]
fn the_responses_of_the_app_are_kept_and_shown_on_the_page_of_the_delivery() {
    let server = Setup::new(DEVICES).start();
    let sink = Sink::scripted(|request, before| match request.json()["id"].as_str().unwrap() {
        "fails" => Reply::With(500, Vec::new(), "<b>out of order</b>".to_owned()),
        "hangs" if before == 1 => Reply::Reset,
        _ => Reply::Status(200),
    });
    let to = sink.url("/hook?token=of-the-app");
    let listening = Listening::start(listen(&server, &to, &[]));
    for (count, id) in ["fails", "hangs"].into_iter().enumerate() {
        post(&server, id, "d");
        sink.wait_for(count + 1);
    }
    listening.wait_for(3);
    let attempts = |event: &str| attempts(&server, event);
    until("the reports", || attempts("hangs").len() == 2 && attempts("fails").len() == 1);
    let target = format!("listen {}", sink.url("/hook?token=masked"));
    let failed = &attempts("fails")[0];
    assert_eq!((&failed["to"], &failed["status"]), (&Value::from(target), &Value::from(500)));
    assert_eq!(
        (&failed["answer"], &failed["signature"]),
        (&"<b>out of order</b>".into(), &"original".into())
    );
    let hung = attempts("hangs");
    assert!(hung[0]["status"] == 200 && hung[1]["error"].as_str().unwrap().contains("reset"), "{hung:?}");
    let id = server.deliveries("event_id=fails")[0]["id"].as_str().unwrap().to_owned();
    let page = exchange(server.inspector, "GET", &format!("/deliveries/{id}"), &[], b"").body;
    let page = String::from_utf8(page).unwrap();
    assert!(page.contains("listen http://") && page.contains("answered 500"), "{page}");
    assert!(page.contains("out of order") && !page.contains("<b>out of order"), "{page}");
    assert!(!page.contains("of-the-app"), "the secret of the target is masked");
    listening.stop();
    let unknown = server.tell(
        "POST",
        "deliveries/attempts",
        &json!({"to": "x", "attempts": [{"delivery_id": "01a21fcf-796b-755c-806d-310216e04a1e", "status": 200}]}),
    );
    assert_eq!((unknown.status, &unknown.json()["kept"]), (202, &json!(0)));
    let wrong =
        server.tell("POST", "deliveries/attempts", &json!({"to": "x", "attempts": [{"delivery_id": "y"}]}));
    assert_eq!(wrong.status, 400);
}

/// What the page of a delivery says of the app.
fn attempts(server: &Server, event: &str) -> Vec<Value> {
    let row = server.deliveries(&format!("event_id={event}")).remove(0);
    server.delivery(row["id"].as_str().unwrap())["replays"].as_array().unwrap().clone()
}

#[test]
fn responses_that_a_killed_run_could_not_report_are_reported_by_the_next_one() {
    let server = Setup::new(DEVICES).start();
    let pid = server.pid().to_string();
    // The instance dies before the app answers.
    let sink = Sink::scripted(move |_, before| {
        if before == 0 {
            Command::new("kill").args(["-KILL", &pid]).status().unwrap();
        }
        Reply::With(500, Vec::new(), "out of order".to_owned())
    });
    let to = sink.url("/hook?token=of-the-app");
    let listening = Listening::start(listen(&server, &to, &["--name", "app"]));
    post(&server, "a", "d");
    listening.wait_for(1);
    listening.signal("KILL");
    listening.wait();
    let folder = server.data_dir().join("listen");
    let kept = std::fs::read_to_string(folder.join("app.position")).unwrap();
    assert!(kept.lines().any(|line| line.starts_with("report 1 ")), "{kept}");
    assert!(!kept.contains("of-the-app"), "the secret of the target is masked: {kept}");

    let server = server.kill_and_restart();
    assert!(attempts(&server, "a").is_empty());
    // With another target: the report says where the delivery was sent.
    let listening = Listening::start(listen(&server, &sink.url("/other"), &["--name", "app"]));
    until("the report", || attempts(&server, "a").len() == 1);
    let reported = attempts(&server, "a").remove(0);
    assert_eq!((&reported["status"], &reported["answer"]), (&json!(500), &json!("out of order")));
    assert!(reported["to"].as_str().unwrap().ends_with("/hook?token=masked"), "{reported}");
    post(&server, "b", "d");
    until("the next report", || attempts(&server, "b").len() == 1);
    listening.stop();
    let listening = Listening::start(listen(&server, &to, &["--name", "app"]));
    listening.stop();
    assert_eq!(ids(&sink), ["a", "b"], "nothing is forwarded twice");
    assert_eq!((attempts(&server, "a").len(), attempts(&server, "b").len()), (1, 1), "or reported twice");
    let kept = std::fs::read_to_string(folder.join("app.position")).unwrap();
    assert!(!kept.contains("report"), "{kept}");
}

#[test]
fn on_postgresql_responses_are_reported_in_order_and_after_a_restart_of_the_database() {
    let mut database = Database::start();
    let url = Database::url(&[&database]);
    let server = Setup::new(&format!("{DEVICES}[store]\nurl = \"{url}\"\n")).start();
    let sink = Sink::scripted(|request, _| match request.json()["id"].as_str().unwrap() {
        "fails" => Reply::With(503, Vec::new(), "later".to_owned()),
        _ => Reply::Status(200),
    });
    let listening = Listening::start(listen(&server, &sink.url("/"), &["--name", "app", "--retries", "1"]));
    post(&server, "fails", "d");
    for number in 0..20 {
        post(&server, &format!("a{number}"), &format!("d{}", number % 3));
    }
    listening.wait_for(22);
    until("the reports", || {
        attempts(&server, "fails").len() == 2
            && (0..20).all(|at| attempts(&server, &format!("a{at}")).len() == 1)
    });
    let failed = attempts(&server, "fails");
    assert!(failed.iter().all(|one| one["status"] == 503 && one["answer"] == "later"), "{failed:?}");
    database.restart();
    until("the store", || server.post("/webhook/open", &[], reading("after", "d0").as_bytes()).status == 200);
    listening.wait_for(23);
    until("the report after the restart", || attempts(&server, "after").len() == 1);
    listening.stop();
    let seen = ids(&sink);
    assert_eq!(seen.len(), 23, "{seen:?}");
    for device in 0..3 {
        let of: Vec<String> = (0..20).filter(|at| at % 3 == device).map(|at| format!("a{at}")).collect();
        let got: Vec<String> = seen.iter().filter(|id| of.contains(id)).cloned().collect();
        assert_eq!(got, of, "in order");
    }
}

#[test]
fn a_target_or_name_that_cannot_be_used_is_exit_2_with_one_line() {
    let server = Server::start();
    let own = format!("http://localhost:{}/webhook/tagorun", server.receiver.port());
    let fine = "http://127.0.0.1:9/";
    for (url, more, why) in [
        ("http://169.254.169.254/latest/meta-data", &[][..], "is never reached"),
        ("localhost:3000", &[], "is not an http or https URL"),
        (&own, &[], "is the receiver of this instance"),
        (fine, &["--route", "data.*"], "expected EVENT=/PATH"),
        (fine, &["--since", "yesterday"], "expected a duration"),
        (fine, &["--timeout", "never"], "--timeout"),
        (fine, &["--name", "../x"], "expected 1 to 64 letters"),
        (fine, &["--sign", "literal"], "file:NAME"),
        (fine, &["--concurrency", "0"], "1..=64"),
        (fine, &["verdcit:accepted"], "verdict"),
    ] {
        let (code, told) = run(listen(&server, url, more));
        assert_eq!(code, Some(2), "{url} {more:?}: {told}");
        assert!(told.contains(why), "{url} {more:?}: {told}");
    }
    let (code, told) = run(server.command(&["listen", "--exec", " "]));
    assert!(code == Some(2) && told.contains("--exec names no command"), "{told}");
    let (code, told) = run(server.command(&["listen"]));
    assert!(code == Some(2) && told.contains("--forward-to"), "{told}");
    let folder = tempfile::tempdir().unwrap();
    let nobody = Command::new(env!("CARGO_BIN_EXE_tagohook"))
        .args(["listen", "--forward-to", fine])
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert_eq!(nobody.status.code(), Some(3));
}
