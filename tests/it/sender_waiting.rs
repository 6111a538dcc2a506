//! Messages that wait, sent now or cancelled by a person: one or many, by API and command.

use serde_json::{Value, json};

use crate::harness::{Reply, Server, Sink, exchange, login, until};

/// A subscription whose first attempts fail and whose next ones are due in an hour.
fn slow_to_retry(server: &Server, sink: &Sink, name: &str, more: Value) -> String {
    let mut subscription = json!({
        "name": name, "url": sink.url(&format!("/{name}")), "events": ["made.up"],
        "retry_policy": {"max_attempts": 5, "backoff": "fixed", "base": "1h", "max_delay": "1h", "jitter": false},
    });
    for (key, value) in more.as_object().unwrap() {
        subscription[key] = value.clone();
    }
    server.subscribe(&subscription)
}

/// An endpoint that takes nothing but what comes for the second time.
fn second_time() -> Sink {
    Sink::scripted(|request, _| {
        Reply::Status(if request.header("x-tagorun-attempt") == "1" { 500 } else { 200 })
    })
}

fn publish(server: &Server, ids: &[&str]) {
    for id in ids {
        server.publish(&json!({"event": "made.up", "id": id}));
    }
}

fn of_event(server: &Server, subscription: &str, event: &str) -> Value {
    server.messages(&format!("subscription_id={subscription}&event_id={event}")).remove(0)
}

fn act(server: &Server, path: &str, body: &Value) -> (u16, Value) {
    let answer = server.tell("POST", &format!("messages/{path}"), body);
    (answer.status, answer.json())
}

/// Waits until so many messages of this status are there.
fn wait_for(server: &Server, status: &str, count: usize) {
    until(&format!("{count} {status}"), || server.messages(&format!("status={status}")).len() == count);
}

#[test]
fn a_waiting_message_is_sent_now_and_those_that_do_not_wait_say_why_not() {
    let server = Server::start();
    let sink = second_time();
    let id = slow_to_retry(&server, &sink, "a", json!({}));
    publish(&server, &["e1"]);
    sink.wait_for(1);
    wait_for(&server, "pending", 1);
    let message = of_event(&server, &id, "e1");
    assert!(message["next_attempt_at"].is_string());
    let path = message["id"].as_str().unwrap().to_owned();
    let (status, told) = act(&server, &format!("{path}/send-now"), &json!({}));
    assert_eq!((status, &told["warnings"]), (202, &json!([])));
    sink.wait_for(2);
    wait_for(&server, "delivered", 1);
    for word in ["send-now", "cancel"] {
        let (status, told) = act(&server, &format!("{path}/{word}"), &json!({}));
        assert_eq!(
            (status, told["detail"].as_str().unwrap()),
            (409, &*format!("Message {path} was delivered already."))
        );
        let (status, _) = act(&server, &format!("01a00000-0000-7000-8000-000000000000/{word}"), &json!({}));
        assert_eq!(status, 404);
    }
}

#[test]
fn a_cancelled_message_is_not_sent_until_somebody_sends_it_now() {
    let server = Server::start();
    let sink = second_time();
    let id = slow_to_retry(&server, &sink, "a", json!({}));
    publish(&server, &["e1"]);
    wait_for(&server, "pending", 1);
    until("the first attempt", || of_event(&server, &id, "e1")["attempts"] == 1);
    let path = of_event(&server, &id, "e1")["id"].as_str().unwrap().to_owned();
    assert_eq!(act(&server, &format!("{path}/cancel"), &json!({})).0, 202);
    assert_eq!(of_event(&server, &id, "e1")["status"], "cancelled");
    let (_, told) = act(&server, "send-now", &json!({"all": true}));
    assert_eq!(told["sent_now"], 0, "what was cancelled has to be named");
    let (status, told) = act(&server, "send-now", &json!({"status": "cancelled", "dry_run": true}));
    assert_eq!((status, &told["count"], &told["message_ids"]), (200, &json!(1), &json!([path])));
    assert_eq!(act(&server, "send-now", &json!({"status": "cancelled"})).1["sent_now"], 1);
    wait_for(&server, "delivered", 1);
    assert!(server.api(&format!("messages/{path}"))["replayed_at"].is_string());
}

#[test]
fn many_are_sent_now_or_cancelled_by_a_filter_after_a_dry_run() {
    let server = Server::start();
    let sink = second_time();
    let (a, b) =
        (slow_to_retry(&server, &sink, "a", json!({})), slow_to_retry(&server, &sink, "b", json!({})));
    publish(&server, &["e1", "e2", "e3"]);
    sink.wait_for(6);
    until("all wait", || {
        server.messages("status=pending").iter().filter(|row| row["attempts"] == 1).count() == 6
    });
    for body in [json!({}), json!({"dry_run": true})] {
        let (status, told) = act(&server, "cancel", &body);
        assert_eq!(status, 400);
        assert!(told["errors"][0]["message"].as_str().unwrap().starts_with("choose messages:"), "{told}");
    }
    for (body, pointer) in [
        (json!({"status": "delivered"}), "/status"),
        (json!({"status": 7}), "/status"),
        (json!({"ids": []}), "/ids"),
        (json!({"all": 1}), "/all"),
        (json!({"subscription": a}), "/subscription"),
    ] {
        let (status, told) = act(&server, "cancel", &body);
        assert_eq!((status, told["errors"][0]["pointer"].as_str()), (400, Some(pointer)), "{body}: {told}");
    }
    let filter = json!({"subscription_id": a, "event_id": "e1"});
    let mut plan = filter.clone();
    plan["dry_run"] = true.into();
    assert_eq!(act(&server, "send-now", &plan).1["count"], 1);
    assert_eq!(sink.count(), 6, "a plan sends nothing");
    assert_eq!(act(&server, "send-now", &filter).1["sent_now"], 1);
    sink.wait_for(7);
    assert_eq!(act(&server, "cancel", &json!({"subscription_id": a})).1["cancelled"], 2);
    let one = of_event(&server, &b, "e3")["id"].clone();
    let lost = "01a00000-0000-7000-8000-000000000000";
    let delivered = of_event(&server, &a, "e1")["id"].clone();
    wait_for(&server, "delivered", 1);
    let (status, told) = act(&server, "send-now", &json!({"ids": [one, lost, delivered]}));
    assert_eq!((status, &told["sent_now"], &told["message_ids"]), (202, &json!(1), &json!([one])));
    assert_eq!(told["skipped"][0]["id"], lost);
    assert!(told["skipped"][1]["why"].as_str().unwrap().ends_with("was delivered already."), "{told}");
    assert_eq!(act(&server, "send-now", &json!({"all": true})).1["sent_now"], 2);
    wait_for(&server, "delivered", 4);
    wait_for(&server, "cancelled", 2);
    let metrics = exchange(server.inspector, "GET", "/metrics", &[], b"").body;
    let metrics = String::from_utf8(metrics).unwrap();
    assert!(metrics.contains("tagohook_messages_finished_total{status=\"cancelled\"} 2"), "{metrics}");
}

#[test]
fn an_ordered_message_that_is_sent_now_brings_those_before_it_and_keeps_their_order() {
    let server = Server::start();
    let sink = second_time();
    let id = slow_to_retry(&server, &sink, "a", json!({"ordered": true}));
    for at in 1..=3 {
        server.publish(&json!({"event": "made.up", "id": format!("e{at}"), "device": {"id": "d"}}));
    }
    sink.wait_for(1);
    until("the first one waits", || of_event(&server, &id, "e1")["attempts"] == 1);
    let third = of_event(&server, &id, "e3")["id"].as_str().unwrap().to_owned();
    assert_eq!(act(&server, &format!("{third}/send-now"), &json!({})).0, 202);
    let ids = |count: usize| -> Vec<String> {
        sink.wait_for(count).iter().map(|request| request.header("x-tagorun-event-id").to_owned()).collect()
    };
    assert_eq!(
        ids(3),
        ["e1", "e1", "e2"],
        "the second one fails for the first time, and the third waits for it"
    );
    until("the second one waits", || of_event(&server, &id, "e2")["attempts"] == 1);
    let second = of_event(&server, &id, "e2")["id"].as_str().unwrap().to_owned();
    assert_eq!(act(&server, &format!("{second}/cancel"), &json!({})).0, 202);
    assert_eq!(ids(4)[3], "e3", "the one behind a cancelled one goes at once");
}

#[test]
fn what_is_sent_into_a_disabled_subscription_waits_and_says_so() {
    let server = Server::start();
    let sink = Sink::scripted(|_, before| Reply::Status(if before < 2 { 500 } else { 200 }));
    let id = slow_to_retry(&server, &sink, "a", json!({"retry_policy": {"max_attempts": 1}}));
    publish(&server, &["e1", "e2"]);
    until("both are dead", || server.dead_letters("").len() == 2);
    let path = format!("subscriptions/{id}");
    assert_eq!(server.tell("PATCH", &path, &json!({"enabled": false})).status, 200);
    let letter = server.dead_letters("")[0]["id"].as_str().unwrap().to_owned();
    let replayed = server.tell("POST", &format!("dead-letters/{letter}/replay"), &json!({}));
    let waits = format!("Subscription {id} is disabled: the message waits until it is enabled.");
    assert_eq!((replayed.status, &replayed.json()["warnings"]), (202, &json!([waits])));
    let rest = server.tell("POST", "dead-letters/replay", &json!({}));
    assert_eq!((&rest.json()["replayed"], &rest.json()["warnings"]), (&json!(1), &json!([waits])));
    assert_eq!(act(&server, &format!("{letter}/send-now"), &json!({})).1["warnings"], json!([waits]));
    server.post_signed(login("e3").as_bytes());
    let delivery = server.newest()["id"].as_str().unwrap().to_owned();
    for (path, more) in
        [(format!("deliveries/{delivery}/replay"), ""), ("deliveries/replay".to_owned(), "verdict")]
    {
        let mut asked = json!({"to": id});
        if !more.is_empty() {
            asked[more] = json!("accepted");
        }
        let refused = server.tell("POST", &path, &asked);
        let detail = "The subscription is disabled; enable it first.";
        assert_eq!((refused.status, &refused.json()["detail"]), (409, &json!(detail)), "{path}");
    }
    let shown = exchange(server.inspector, "GET", &format!("/messages/{letter}"), &[], b"").body;
    assert!(String::from_utf8(shown).unwrap().contains("The message waits until it is enabled."));
    assert_eq!(server.tell("PATCH", &path, &json!({"enabled": true})).status, 200);
    wait_for(&server, "delivered", 2);
}

#[test]
fn of_many_replays_of_one_dead_letter_one_is_sent_and_the_others_are_told_that_it_was() {
    let server = Server::start();
    let sink = Sink::scripted(|_, before| Reply::Status(if before == 0 { 500 } else { 200 }));
    slow_to_retry(&server, &sink, "a", json!({"retry_policy": {"max_attempts": 1}}));
    publish(&server, &["e1"]);
    until("the dead letter", || server.dead_letters("").len() == 1);
    let letter = server.dead_letters("")[0]["id"].as_str().unwrap().to_owned();
    let path = format!("dead-letters/{letter}/replay");
    let answers: Vec<_> = std::thread::scope(|scope| {
        let asked: Vec<_> = (0..6).map(|_| scope.spawn(|| server.tell("POST", &path, &json!({})))).collect();
        asked.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert_eq!(answers.iter().filter(|answer| answer.status == 202).count(), 1);
    for answer in answers.iter().filter(|answer| answer.status != 202) {
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        assert_eq!(answer.status, 409, "{detail}");
        assert!(detail.starts_with("This dead letter was replayed already, at 20"), "{detail}");
        assert!(detail.contains(&format!(": message {letter} is ")), "{detail}");
    }
    wait_for(&server, "delivered", 1);
    assert_eq!(sink.count(), 2);
}

#[test]
fn the_command_lists_shows_sends_now_and_cancels() {
    let server = Server::start();
    let sink = second_time();
    let id = slow_to_retry(&server, &sink, "a", json!({}));
    publish(&server, &["e1", "e2"]);
    sink.wait_for(2);
    until("both wait", || {
        server.messages("status=pending").iter().filter(|row| row["attempts"] == 1).count() == 2
    });
    let run = |arguments: &[&str]| {
        let output = server.command(&[&["messages"], arguments].concat()).output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
        (output.status.code().unwrap(), said)
    };
    let (code, said) = run(&["list", "--status", "pending", "--subscription", &id]);
    assert_eq!((code, said.lines().count()), (0, 3), "{said}");
    let first = of_event(&server, &id, "e1")["id"].as_str().unwrap().to_owned();
    let (code, said) = run(&["show", &first]);
    assert_eq!(
        (code, &serde_json::from_str::<Value>(&said).unwrap()["attempts"][0]["status"]),
        (0, &json!(500))
    );
    let (code, said) = run(&["cancel"]);
    assert!(code != 0 && said.contains("choose messages: ids, --subscription"), "{said}");
    assert_eq!(run(&["cancel", "--event", "e2", "--dry-run"]), (0, "1 message would be cancelled\n".into()));
    assert_eq!(run(&["cancel", "--event", "e2"]), (0, "1 message cancelled\n".into()));
    assert_eq!(run(&["send-now", &first]), (0, "1 message queued to be sent now\n".into()));
    wait_for(&server, "delivered", 1);
    let (code, said) = run(&["send-now", &first]);
    assert!(code == 1 && said.contains("was delivered already."), "{said}");
    assert_eq!(run(&["send-now", "--status", "cancelled"]), (0, "1 message queued to be sent now\n".into()));
    wait_for(&server, "delivered", 2);
}
