//! Parked messages that a person moves to another subscription.

use serde_json::{Value, json};

use crate::harness::{Reply, Server, Setup, Sink, until};

/// An entry; its messages are retried each second.
fn entry(keys: &str, sink: &Sink) -> String {
    format!(
        "[[subscription]]\n{keys}\nurl = \"{}\"\nevents = [\"*\"]\n\
         retry_policy = {{ max_attempts = 60, backoff = \"fixed\", base = \"1s\" }}\n",
        sink.url("/")
    )
}

fn statuses(server: &Server) -> Vec<String> {
    server.messages("").iter().map(|row| row["status"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn what_is_parked_is_moved_to_another_subscription_which_sends_it_once() {
    let ill = Sink::scripted(|_, _| Reply::Status(500));
    let mut server = Setup::new(&entry("name = \"Alarm\"", &ill)).start();
    for id in ["e1", "e2"] {
        server.publish(&json!({"event": "made.up", "id": id, "timestamp": "2026-03-09T07:14:58Z"}));
    }
    ill.wait_for(2);
    let other = Sink::start();
    server.reconfigure(&entry("name = \"Other\"\nsources = [\"nobody\"]", &other));
    until("both are parked", || statuses(&server) == ["parked", "parked"]);
    let move_to = |body: Value| server.tell("POST", "messages/move", &body);
    for (body, pointer) in [
        (json!({"subscription_id": "alarm", "to": "nowhere"}), "/to"),
        (json!({"subscription_id": "alarm", "to": "alarm"}), "/to"),
        (json!({"subscription_id": "alarm"}), "/to"),
        (json!({"to": "other"}), ""),
        (json!({"status": "pending", "to": "other"}), "/status"),
    ] {
        let refused = move_to(body.clone());
        assert_eq!(
            (refused.status, &refused.json()["errors"][0]["pointer"]),
            (400, &json!(pointer)),
            "{body}"
        );
    }
    assert_eq!(server.tell("POST", "messages/cancel", &json!({"all": true, "to": "other"})).status, 400);
    let planned = move_to(json!({"subscription_id": "alarm", "to": "other", "dry_run": true}));
    assert_eq!((planned.status, &planned.json()["count"]), (200, &json!(2)));
    let one = server.messages("event_id=e1")[0]["id"].as_str().unwrap().to_owned();
    let moved = move_to(json!({"ids": [one], "to": "other"}));
    assert_eq!((moved.status, &moved.json()["moved"]), (202, &json!(1)), "{}", moved.json());
    assert_eq!(other.wait_for(1)[0].json()["id"], "e1");
    let again = move_to(json!({"ids": [one], "to": "other"})).json();
    assert_eq!(again["moved"], 0);
    let why = again["skipped"][0]["why"].as_str().unwrap();
    assert!(why.contains("only parked messages") || why.contains("was delivered already"), "{again}");
    let output =
        server.command(&["messages", "move", "--subscription", "alarm", "--to", "other"]).output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "1 message moved\n");
    assert_eq!(other.wait_for(2)[1].json()["id"], "e2");
    until("both", || statuses(&server) == ["delivered", "delivered"]);
    assert!(server.messages("").iter().all(|row| row["subscription_id"] == "other"));
    assert_eq!(server.api("subscriptions")["parked"], json!([]));
}
