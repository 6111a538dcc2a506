//! Nodes behind a pgbouncer, which may give each transaction another connection to the server.

use std::collections::HashSet;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::harness::{Answers, Bouncer, Database, Nodes, Request, Server, Sink, exchange, login, until};

fn subscribe(node: &Server, sink: &Sink) {
    node.subscribe(&json!({
        "name": "all", "url": sink.url("/"), "events": ["*"],
        "timeout": 2, "retry_policy": {"max_attempts": 100, "backoff": "fixed", "base": "200ms"},
    }));
}

/// What was acknowledged is there once, and was sent on.
fn settled(nodes: &Nodes, sink: &Sink, answers: &Answers) {
    println!("{} acknowledged, {} answers were not 200", answers.acknowledged.len(), answers.repeats);
    assert!(answers.acknowledged.len() > 100, "{} is no load", answers.acknowledged.len());
    for (id, count) in &answers.processed {
        assert_eq!(*count, 1, "{id} was processed more than once");
    }
    for node in &nodes.servers {
        until("every node shows all of them", || {
            let rows = node.all_deliveries("verdict=accepted");
            let ids: HashSet<&str> = rows.iter().map(|row| row["event_id"].as_str().unwrap()).collect();
            assert_eq!(ids.len(), rows.len(), "an event is there twice");
            answers.acknowledged.iter().all(|id| ids.contains(id.as_str()))
        });
    }
    until("all of them are sent", || {
        let seen = sink.seen();
        let sent: HashSet<&str> = seen.iter().map(|request| request.header("x-tagorun-event-id")).collect();
        answers.acknowledged.iter().all(|id| sent.contains(id.as_str()))
    });
}

#[test]
fn in_session_mode_three_nodes_share_a_database() {
    let database = Database::start();
    let Some(bouncer) = Bouncer::start(&database, "session", 40) else { return };
    let nodes = Nodes::start(3, &bouncer.url(), "");
    let sink = Sink::start();
    subscribe(&nodes.servers[0], &sink);
    let load = nodes.load(12, "b");
    std::thread::sleep(Duration::from_secs(3));
    settled(&nodes, &sink, &load.end());
}

#[test]
fn in_transaction_mode_three_nodes_share_six_connections_with_others() {
    let database = Database::start();
    let Some(bouncer) = Bouncer::start(&database, "transaction", 6) else { return };
    let nodes = Nodes::start(3, &bouncer.url(), "");
    let sink = Sink::start();
    subscribe(&nodes.servers[0], &sink);
    let load = nodes.load(12, "b");
    // Another client leaves its statements and settings on the connections.
    for _ in 0..20 {
        let left: String = (0..20).map(|at| format!("PREPARE s{at} AS SELECT {at};")).collect();
        let left =
            format!("{left} SET synchronous_commit = off; SET statement_timeout = '1h'; LISTEN nothing");
        let mut psql = Command::new("psql");
        psql.args(["-Xq", "-c", &left, &bouncer.url()]).stderr(Stdio::null());
        psql.status().unwrap();
        std::thread::sleep(Duration::from_millis(100));
    }
    let answers = load.end();
    assert_eq!(answers.repeats, 0, "every answer was 200");
    settled(&nodes, &sink, &answers);
    let connections = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'";
    assert!(database.sql(connections).parse::<usize>().unwrap() <= 7);
}

#[test]
fn the_server_behind_a_pgbouncer_is_replaced_by_its_standby() {
    let mut primary = Database::start();
    let standby = primary.standby();
    let Some(bouncer) = Bouncer::start(&primary, "transaction", 12) else { return };
    let nodes = Nodes::start(3, &bouncer.url(), "");
    let sink = Sink::start();
    subscribe(&nodes.servers[0], &sink);
    let load = nodes.load(12, "f");
    std::thread::sleep(Duration::from_secs(2));
    primary.kill();
    standby.promote();
    bouncer.switch_to(&standby, 12);
    let node = &nodes.servers[1];
    until("a node goes on", || node.post_signed(login("after").as_bytes()).status == 200);
    std::thread::sleep(Duration::from_secs(1));
    settled(&nodes, &sink, &load.end());
}

#[test]
fn what_an_asynchronous_standby_behind_a_pgbouncer_lacks_hides_nothing_that_comes_later() {
    let mut primary = Database::start();
    let mut standby = primary.asynchronous_standby();
    let Some(bouncer) = Bouncer::start(&primary, "transaction", 12) else { return };
    let nodes = Nodes::start(2, &bouncer.url(), "");
    let (first, second) = (&nodes.servers[0], &nodes.servers[1]);
    let sink = Sink::start();
    subscribe(first, &sink);
    let send = |node: &Server, id: String| {
        until("it is stored", || node.post_signed(login(&id).as_bytes()).status == 200);
    };
    nodes.leave_behind(&primary, &mut standby, &sink, 100);

    // Searches take every connection that the pools may have.
    let searches: Vec<_> = (0..80)
        .map(|at| {
            let inspector = nodes.servers[at % 2].inspector;
            std::thread::spawn(move || {
                for _ in 0..5 {
                    exchange(inspector, "GET", "/api/v1/deliveries?limit=500&q=nothing", &[], b"");
                }
            })
        })
        .collect();
    searches.into_iter().for_each(|search| search.join().unwrap());
    // As `PAUSE` and `RESUME` do: no connection of a node ends.
    bouncer.signal("USR1");
    let clients = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'";
    until("pgbouncer pauses", || primary.sql(clients) == "1");
    primary.kill();
    standby.start_again();
    standby.promote();
    bouncer.switch_to(&standby, 12);
    std::thread::sleep(Duration::from_millis(300));
    bouncer.signal("USR2");
    // Its position would be one of those that are lost, which the nodes remember.
    send(first, "next".to_owned());
    let stored = Instant::now();
    let is_next = |request: &Request| request.header("x-tagorun-event-id") == "next";
    until("it is sent", || sink.seen().iter().any(is_next));
    let took = stored.elapsed();
    assert!(took < Duration::from_secs(4), "sent after {took:?}");
    let timeline = "SELECT value FROM facts WHERE name = 'timeline'";
    until("positions are raised", || standby.sql(timeline) == "2");
    let load = nodes.load(8, "after");
    std::thread::sleep(Duration::from_secs(2));
    settled(&nodes, &sink, &load.end());
    assert_eq!(second.all_deliveries("verdict=accepted").len(), {
        let rows = standby.sql("SELECT count(*) FROM deliveries WHERE verdict = 0");
        rows.parse::<usize>().unwrap()
    });
}
