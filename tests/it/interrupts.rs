//! Commands that are ended in the middle: what they began is ended, what they made is removed.

use std::process::{Child, Command, Output, Stdio};

use serde_json::{Value, json};

use crate::harness::{Server, Sink, until};

fn spawn(mut command: Command) -> Child {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn signal(child: &Child, name: &str) {
    assert!(
        Command::new("kill").arg(format!("-{name}")).arg(child.id().to_string()).status().unwrap().success()
    );
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn newest_run(server: &Server) -> Value {
    server.api("replay-runs")["runs"][0].clone()
}

/// A server with twenty captures, and where they are replayed to.
fn twenty() -> (Server, Sink) {
    let server = Server::start();
    for _ in 0..20 {
        server.ask("POST", "/webhook-test", &[]);
    }
    (server, Sink::start())
}

#[test]
fn ctrl_c_and_sigterm_of_a_replay_stop_its_run_and_say_how_far_it_came() {
    for (name, code) in [("INT", 130), ("TERM", 143)] {
        let (server, sink) = twenty();
        let child = spawn(server.command(&["replay", "--all", "--to", &sink.url("/"), "--rate", "5/s"]));
        sink.wait_for(2);
        signal(&child, name);
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{}", err(&output));
        let told = err(&output);
        assert!(
            told.starts_with("stopped: ") && told.contains(" of 20 deliveries replayed, 0 failed"),
            "{told}"
        );
        let run = newest_run(&server);
        assert_eq!(run["state"], "stopped", "{run}");
        let resume = format!("`tagohook replay --resume {}` continues", run["id"].as_str().unwrap());
        assert!(told.contains(&resume), "{told}");
        until("what was under way", || newest_run(&server)["done"] == json!(sink.count()));
        assert!(sink.count() < 20);
    }
}

#[test]
fn a_replay_whose_reader_has_gone_is_stopped_too() {
    let (server, sink) = twenty();
    let mut command = server.command(&["replay", "--all", "--to", &sink.url("/"), "--rate", "1/s"]);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = command.stdout(writer).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    assert_eq!(newest_run(&server)["state"], "stopped");
}

#[test]
fn a_detached_replay_says_that_it_continues_and_how_to_stop_it() {
    let (server, sink) = twenty();
    let arguments = ["replay", "--all", "--to", &sink.url("/"), "--rate", "1/s", "--detach"];
    let output = server.command(&arguments).output().unwrap();
    assert!(output.status.success(), "{}", err(&output));
    let run = newest_run(&server);
    assert_eq!(run["state"], "running", "{run}");
    let id = run["id"].as_str().unwrap();
    assert!(
        out(&output).contains(&format!("continues in the background; `tagohook replay --stop {id}`")),
        "{}",
        out(&output)
    );
    let stopped = server.command(&["replay", "--stop", id]).output().unwrap();
    assert!(out(&stopped).starts_with("stopped: "), "{}{}", out(&stopped), err(&stopped));
}

#[test]
fn a_replay_that_loses_its_server_says_how_to_stop_the_run() {
    let (server, sink) = twenty();
    let child = spawn(server.command(&["replay", "--all", "--to", &sink.url("/"), "--rate", "1/s"]));
    sink.wait_for(1);
    let id = newest_run(&server)["id"].as_str().unwrap().to_owned();
    drop(server);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert!(
        err(&output).contains(&format!("run {id} may continue; `tagohook replay --stop {id}`")),
        "{}",
        err(&output)
    );
}

/// The subscriptions that bear the mark of a loop.
fn marked(server: &Server) -> Vec<Value> {
    let all = server.api("subscriptions")["subscriptions"].as_array().unwrap().clone();
    all.into_iter().filter(|one| one["headers"]["X-Tagohook-Loop"].is_string()).collect()
}

/// A loop that has made its subscription, with the process of the server halted.
fn halted_loop(server: &Server) -> Child {
    for _ in 0..10 {
        let mut child = spawn(server.command(&["loop"]));
        until("the subscription", || !marked(server).is_empty() || child.try_wait().unwrap().is_some());
        server.signal("STOP");
        if child.try_wait().unwrap().is_none() {
            return child;
        }
        server.signal("CONT");
    }
    panic!("each loop was over before it was seen");
}

#[test]
fn a_loop_that_is_ended_removes_its_subscription() {
    let server = Server::start();
    for (name, code) in [("INT", 130), ("TERM", 143)] {
        let child = halted_loop(&server);
        signal(&child, name);
        server.signal("CONT");
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{}", err(&output));
        assert!(marked(&server).is_empty());
    }
    let round = server.command(&["loop"]).output().unwrap();
    assert!(out(&round).contains("35 published, 0 did not arrive"), "{}{}", out(&round), err(&round));
}

#[test]
fn what_a_killed_loop_left_takes_no_event_of_others_and_the_next_loop_removes_it() {
    let server = Server::start();
    let other = json!({"name": "tagohook loop (temporary)", "url": "http://127.0.0.1:9/", "events": ["a.b"]});
    let other = server.subscribe(&other);
    let mut child = halted_loop(&server);
    child.kill().unwrap();
    child.wait().unwrap();
    server.signal("CONT");
    assert_eq!(marked(&server).len(), 1);
    let event =
        json!({"event": "user.login", "id": "of a person", "user": {"id": "u", "email": "a@b.example"}});
    assert_eq!(server.publish(&event), 0);
    let round = server.command(&["loop"]).output().unwrap();
    assert!(round.status.success(), "{}{}", out(&round), err(&round));
    assert!(out(&round).contains("35 published, 0 did not arrive"), "{}", out(&round));
    assert!(err(&round).contains("which an earlier `tagohook loop` left behind"), "{}", err(&round));
    let left = server.api("subscriptions")["subscriptions"].as_array().unwrap().clone();
    let left: Vec<&str> = left.iter().map(|one| one["id"].as_str().unwrap()).collect();
    assert_eq!(left, [other], "a person's subscription of the same name stays");
}

#[test]
fn a_second_loop_at_the_same_time_is_refused_by_name() {
    let server = Server::start();
    let child = halted_loop(&server);
    let second = server.command(&["loop"]).output().unwrap();
    server.signal("CONT");
    assert_eq!(second.status.code(), Some(1));
    assert!(err(&second).contains("another `tagohook loop` is running on"), "{}", err(&second));
    assert!(child.wait_with_output().unwrap().status.success());
}

#[test]
fn a_loop_that_fails_for_another_subscription_names_it() {
    let server = Server::start();
    let url = format!("http://{}/webhook/tagorun", server.receiver);
    let other = server.subscribe(&json!({"name": "The whole loop", "url": url, "events": ["*"]}));
    let round = server.command(&["loop"]).output().unwrap();
    assert_eq!(round.status.code(), Some(1), "{}", err(&round));
    let cure = format!("`tagohook subscriptions remove {other}` removes it");
    assert!(out(&round).contains(&cure), "{}", out(&round));
    let removed = server.command(&["subscriptions", "remove", "The whole loop"]).output().unwrap();
    assert_eq!(out(&removed).trim(), format!("removed {other}"));
    assert!(server.command(&["loop"]).output().unwrap().status.success());
}
