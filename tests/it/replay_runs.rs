//! Many deliveries sent again: the plan, the order, the rate, stop, resume, and a crash in the middle.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::{Reply, Server, Setup, Sink, login, until};

/// Many captures from one address.
const QUICK: &str = "[receiver]\ncapture_rate = \"10000/s\"";

fn ask(server: &Server, asked: &Value) -> (u16, Value) {
    let answer = server.tell("POST", "deliveries/replay", asked);
    (answer.status, answer.json())
}

fn start(server: &Server, asked: &Value) -> String {
    let (status, told) = ask(server, asked);
    assert_eq!(status, 202, "{told}");
    told["run_id"].as_str().unwrap().to_owned()
}

fn run(server: &Server, id: &str) -> Value {
    server.api(&format!("replay-runs/{id}"))
}

fn ended(server: &Server, id: &str) -> Value {
    until("the run to end", || run(server, id)["state"] != "running");
    run(server, id)
}

/// `count` captured deliveries, numbered in their bodies.
fn capture(server: &Server, count: usize) {
    for number in 0..count {
        let answer =
            server.post("/webhook-test/bulk", &[("X-Number", "1")], format!("number {number}").as_bytes());
        assert_eq!(answer.status, 200);
    }
}

fn numbers(sink: &Sink) -> Vec<String> {
    sink.seen().iter().map(|request| String::from_utf8(request.body.clone()).unwrap()).collect()
}

#[test]
fn a_plan_says_what_would_go_and_sends_nothing() {
    let server = Server::start();
    let sink = Sink::start();
    capture(&server, 5);
    server.post("/webhook/tagorun", &[], login("evt_1").as_bytes());
    let all = server.deliveries("verdict=captured");
    let asked = json!({"filter": {"verdict": "captured"}, "to": sink.url("/"), "rate": 2, "dry_run": true});
    let (status, plan) = ask(&server, &asked);
    assert_eq!(status, 200, "{plan}");
    assert_eq!(
        (&plan["count"], &plan["seconds"], &plan["order"]),
        (&json!(5), &json!(2.0), &json!("oldest"))
    );
    assert_eq!((&plan["first"], &plan["last"]), (&all[4]["id"], &all[0]["id"]));
    assert_eq!(plan["delivery_ids"].as_array().unwrap().len(), 5);
    let (_, newest) = ask(
        &server,
        &json!({"q": "verdict:captured", "order": "newest", "limit": 2, "rate": "60/min", "dry_run": true}),
    );
    assert_eq!((&newest["first"], &newest["last"]), (&all[0]["id"], &all[1]["id"]));
    assert_eq!(
        (&newest["has_more"], &newest["rate"], &newest["to"]),
        (&json!(true), &json!(1.0), &json!("receiver"))
    );
    assert_eq!(ask(&server, &json!({"dry_run": true})).1["count"], 6);
    assert_eq!(sink.count(), 0);
    assert_eq!(server.api("replay-runs")["runs"], json!([]));
}

#[test]
fn only_the_selected_deliveries_are_sent_again() {
    let server = Server::start();
    let sink = Sink::start();
    capture(&server, 6);
    let all = server.deliveries("verdict=captured");
    let ids = json!([all[1]["id"], all[4]["id"], all[1]["id"]]);
    let (status, plan) = ask(&server, &json!({"ids": ids, "to": sink.url("/"), "dry_run": true}));
    assert_eq!((status, &plan["count"]), (200, &json!(2)), "{plan}");
    assert_eq!(plan["delivery_ids"], json!([all[4]["id"], all[1]["id"]]));
    let run = ended(&server, &start(&server, &json!({"ids": ids, "to": sink.url("/")})));
    assert_eq!((&run["total"], &run["done"]), (&json!(2), &json!(2)), "{run}");
    assert_eq!(numbers(&sink), ["number 1", "number 4"]);

    let count = |asked: Value| {
        let (status, told) = ask(&server, &asked);
        if status == 200 { told["count"].as_u64().unwrap() } else { u64::from(status) }
    };
    let both = json!({"ids": ids, "q": "body:\"number 4\"", "dry_run": true});
    assert_eq!(count(both), 1, "a search narrows the selection");
    let text = format!("{},{}", all[0]["id"].as_str().unwrap(), uuid_of_nobody());
    assert_eq!(count(json!({"filter": {"ids": text}, "dry_run": true})), 1, "what is gone is not counted");
    assert_eq!(count(json!({"ids": [uuid_of_nobody()], "dry_run": true})), 0);
    for wrong in [json!([]), json!(["x"]), json!([1]), json!("")] {
        assert_eq!(count(json!({"ids": wrong, "dry_run": true})), 400, "{wrong} never means every delivery");
    }
}

#[test]
fn every_fault_of_a_wish_is_told_with_its_place() {
    let server = Server::start();
    let (status, told) = ask(
        &server,
        &json!({"filter": {"verdict": "bad", "from": "yesterday"}, "to": "ftp://x", "order": "sideways", "rate": 0,
            "concurrency": 33, "limit": 100_001, "stop_on_error": "yes", "signature": "new"}),
    );
    assert_eq!(status, 400);
    let places: Vec<&str> =
        told["errors"].as_array().unwrap().iter().map(|fault| fault["pointer"].as_str().unwrap()).collect();
    assert_eq!(
        places,
        [
            "/verdict",
            "/from",
            "/to",
            "/signature",
            "/order",
            "/rate",
            "/concurrency",
            "/limit",
            "/stop_on_error"
        ]
    );
    assert_eq!(ask(&server, &json!({"colour": "red"})).0, 400);
    assert_eq!(ask(&server, &json!({"q": "colour:red"})).0, 400);
    assert_eq!(ask(&server, &json!({"to": "http://169.254.169.254/latest"})).0, 400);
    assert_eq!(ask(&server, &json!({"dry_run": 1})).0, 400);
    assert_eq!(server.api_raw("deliveries/replay").status, 405);
    assert_eq!(server.api_raw("replay-runs/nothing").status, 404);
    let nobody = uuid_of_nobody();
    assert_eq!(server.tell("POST", &format!("replay-runs/{nobody}/stop"), &json!({})).status, 404);
}

fn uuid_of_nobody() -> &'static str {
    "0195799f-0000-7000-8000-000000000000"
}

#[test]
fn a_run_sends_each_once_in_its_order_and_links_them() {
    let server = Setup::new(QUICK).start();
    let sink = Sink::start();
    capture(&server, 250);
    let id = start(&server, &json!({"filter": "verdict:captured", "to": sink.url("/hook")}));
    let run = ended(&server, &id);
    assert_eq!(
        (&run["state"], &run["done"], &run["failed"]),
        (&json!("done"), &json!(250), &json!(0)),
        "{run}"
    );
    let expected: Vec<String> = (0..250).map(|number| format!("number {number}")).collect();
    assert_eq!(numbers(&sink), expected);
    let replays = server.api(&format!("replays?run={id}&limit=500"));
    assert_eq!(replays["replays"].as_array().unwrap().len(), 250);
    assert!(replays["replays"].as_array().unwrap().iter().all(|replay| replay["run"] == json!(id)));
    assert_eq!(sink.seen()[0].header("x-tagohook-replay").len(), 36);

    let newest = start(
        &server,
        &json!({"filter": {"verdict": "captured"}, "limit": 3, "order": "newest", "to": sink.url("/hook")}),
    );
    ended(&server, &newest);
    assert_eq!(numbers(&sink)[250..], ["number 249", "number 248", "number 247"]);
    assert_eq!(server.api("replay-runs")["runs"][0]["id"], json!(newest));
}

#[test]
fn a_run_to_our_own_receiver_ends_though_it_matches_what_it_makes() {
    let server = Server::start();
    capture(&server, 4);
    server.post("/webhook/tagorun", &[("X-TagoRUN-Signature", &"ab".repeat(32))], login("evt_1").as_bytes());
    let id = start(&server, &json!({"to": "receiver", "concurrency": 4}));
    let run = ended(&server, &id);
    assert_eq!(
        (&run["done"], &run["failed"]),
        (&json!(5), &json!(0)),
        "a fresh signature puts it right: {run}"
    );
    assert_eq!(server.all_deliveries("").len(), 10);
    let accepted = &server.deliveries("verdict=accepted")[0];
    assert_eq!(server.delivery(accepted["id"].as_str().unwrap())["event_id"], "evt_1");
}

#[test]
fn a_rate_holds_and_many_go_at_once_where_that_is_asked() {
    let server = Server::start();
    let slow = Sink::scripted(|_, _| {
        std::thread::sleep(Duration::from_millis(400));
        Reply::Status(200)
    });
    capture(&server, 8);
    let begun = Instant::now();
    let asked = json!({"filter": "verdict:captured", "to": slow.url("/"), "concurrency": 8});
    ended(&server, &start(&server, &asked));
    // One after the other, they would take 3.2 s.
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    let sink = Sink::start();
    let begun = Instant::now();
    let asked = json!({"filter": "verdict:captured", "to": sink.url("/"), "rate": "20/s", "concurrency": 8});
    ended(&server, &start(&server, &asked));
    assert!(begun.elapsed() >= Duration::from_millis(350), "seven gaps of 50 ms: {:?}", begun.elapsed());
}

#[test]
fn the_first_failure_stops_a_run_that_says_so_and_it_goes_on_where_it_was() {
    let server = Server::start();
    let sink = Sink::scripted(|_, count| Reply::Status(if count == 2 { 503 } else { 200 }));
    capture(&server, 6);
    let id = start(&server, &json!({"q": "verdict:captured", "to": sink.url("/"), "stop_on_error": true}));
    let stopped = ended(&server, &id);
    assert_eq!(stopped["state"], "stopped");
    assert_eq!((&stopped["done"], &stopped["failed"]), (&json!(3), &json!(1)), "{stopped}");
    assert!(stopped["why"].as_str().unwrap().ends_with("it was answered 503"), "{stopped}");
    assert_eq!(server.tell("POST", &format!("replay-runs/{id}/stop"), &json!({})).status, 409);
    assert_eq!(server.tell("POST", &format!("replay-runs/{id}/resume"), &json!({})).status, 200);
    let done = ended(&server, &id);
    assert_eq!(
        (&done["state"], &done["done"], &done["failed"], &done["why"]),
        (&json!("done"), &json!(6), &json!(1), &json!(null))
    );
    assert_eq!(numbers(&sink), (0..6).map(|number| format!("number {number}")).collect::<Vec<_>>());
    assert_eq!(server.tell("POST", &format!("replay-runs/{id}/resume"), &json!({})).status, 409);
}

#[test]
fn a_person_stops_a_slow_run_at_once() {
    let server = Server::start();
    let sink = Sink::start();
    capture(&server, 3);
    let id = start(&server, &json!({"q": "verdict:captured", "to": sink.url("/"), "rate": "1/h"}));
    until("the first one", || run(&server, &id)["done"] == 1);
    assert_eq!(server.tell("POST", &format!("replay-runs/{id}/stop"), &json!({})).json()["state"], "stopped");
    assert_eq!(
        server.tell("POST", &format!("replay-runs/{id}/resume"), &json!({})).json()["state"],
        "running"
    );
    until("the second one", || run(&server, &id)["done"] == 2);
    server.tell("POST", &format!("replay-runs/{id}/stop"), &json!({}));
    assert_eq!(run(&server, &id)["sent"], 2);
    assert_eq!(sink.count(), 2);
}

#[test]
fn a_run_goes_on_after_a_crash_and_loses_none() {
    let server = Setup::new(QUICK).start();
    let sink = Sink::start();
    capture(&server, 60);
    let id = start(&server, &json!({"q": "verdict:captured", "to": sink.url("/"), "rate": 50}));
    sink.wait_for(15);
    let server = server.kill_and_restart();
    let run = ended(&server, &id);
    assert_eq!(
        (&run["state"], &run["done"], &run["failed"]),
        (&json!("done"), &json!(60), &json!(0)),
        "{run}"
    );
    let mut seen = numbers(&sink);
    let sent = seen.len();
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 60);
    assert!(sent <= 61, "only what was under way may be sent twice: {sent}");
}

#[test]
fn a_run_to_a_subscription_makes_messages_and_says_what_cannot_be_one() {
    let server = Server::start();
    let sink = Sink::start();
    let subscription =
        server.subscribe(&json!({"url": sink.url("/"), "events": ["device.offline"], "name": "by hand"}));
    server.post_signed(login("evt_1").as_bytes());
    capture(&server, 1);
    let id = start(&server, &json!({"to": subscription}));
    let run = ended(&server, &id);
    assert_eq!((&run["done"], &run["sent"]), (&json!(2), &json!(1)), "{run}");
    sink.wait_for(1);
    let replays = server.api(&format!("replays?run={id}"));
    let replays = replays["replays"].as_array().unwrap();
    assert!(replays.iter().any(|replay| replay["message_id"].is_string()));
    assert!(replays.iter().any(|replay| replay["error"].is_string()), "{replays:?}");
}

#[test]
fn the_command_shows_a_plan_sends_and_says_what_came_of_it() {
    let server = Server::start();
    let sink = Sink::scripted(|_, count| Reply::Status(if count == 1 { 500 } else { 200 }));
    capture(&server, 3);
    let said = |arguments: &[&str]| {
        let done = server.command(arguments).output().unwrap();
        let text =
            format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
        (done.status.code(), text)
    };
    let (code, text) = said(&["replay"]);
    assert_eq!(code, Some(2));
    assert!(text.contains("--dry-run only prints what would be replayed"), "{text}");
    let url = sink.url("/");
    let (code, text) = said(&["replay", "verdict:captured", "--to", &url, "--rate", "1/s", "--dry-run"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.starts_with("3 deliveries would be replayed to http://127.0.0.1:"), "{text}");
    assert_eq!(sink.count(), 0);
    let (code, text) = said(&["replay", "verdict:captured", "--to", &url, "--stop-on-error"]);
    assert_eq!(code, Some(1), "{text}");
    assert!(
        text.contains("stopped at delivery ") && text.contains("2 of 3 deliveries replayed, 1 failed"),
        "{text}"
    );
    let id = text.lines().find_map(|line| line.strip_prefix("run ")).unwrap().to_owned();
    let (code, text) = said(&["replay", "--resume", &id]);
    assert_eq!(code, Some(1), "one had failed: {text}");
    assert!(text.contains("done: 3 of 3 deliveries replayed, 1 failed"), "{text}");
    let (code, text) = said(&["replay", "--all", "--to", &url]);
    assert_eq!(code, Some(0), "{text}");
    let (code, text) = said(&["replay", "colour:red"]);
    assert_eq!(code, Some(2), "wrong usage: {text}");
    assert!(text.contains("Unknown field “colour”"), "{text}");
}
