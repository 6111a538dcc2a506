//! Two senders on one store. Only with `TAGOHOOK_TEST_POSTGRES`.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use parking_lot::Mutex;
use serde_json::json;

use crate::catalog::Catalog;
use crate::config::{Sealer, SecretResolver};
use crate::payload::Sources;
use crate::send::{Client, RunningSender, Sender, SenderParts, TargetGuard};
use crate::store::{Place, Retention, Store, StoreOptions, place_in};
use crate::telemetry::SystemClock;

const SECOND: Duration = Duration::from_secs(1);

/// An endpoint that counts what arrives, by event id; looks count as "HEAD".
struct Sink {
    url: String,
    seen: Arc<Mutex<HashMap<String, u32>>>,
}

impl Sink {
    fn start(status: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let seen: Arc<Mutex<HashMap<String, u32>>> = Arc::default();
        let counts = Arc::clone(&seen);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let counts = Arc::clone(&counts);
                std::thread::spawn(move || answer(stream.unwrap(), &counts, status));
            }
        });
        Self { url, seen }
    }

    fn count(&self, id: &str) -> u32 {
        self.seen.lock().get(id).copied().unwrap_or_default()
    }

    fn ids(&self) -> usize {
        self.seen.lock().keys().filter(|id| *id != "HEAD").count()
    }
}

/// Answers the requests of a connection.
fn answer(stream: TcpStream, counts: &Mutex<HashMap<String, u32>>, status: &str) -> Option<()> {
    let mut reader = BufReader::new(stream);
    loop {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).ok()? == 0 {
                return None;
            }
            if line.trim().is_empty() {
                break;
            }
            lines.push(line);
        }
        let length = lines.iter().find_map(|line| {
            line.to_ascii_lowercase().strip_prefix("content-length:").map(|length| length.trim().to_owned())
        });
        let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
        reader.read_exact(&mut body).ok()?;
        let id = match serde_json::from_slice::<serde_json::Value>(&body) {
            Ok(event) => event["id"].as_str().unwrap_or_default().to_owned(),
            Err(_) => "HEAD".to_owned(),
        };
        *counts.lock().entry(id).or_default() += 1;
        let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n");
        reader.get_mut().write_all(answer.as_bytes()).ok()?;
    }
}

/// A node that sends.
struct Node {
    store: Store,
    sender: Sender,
    running: Option<RunningSender>,
}

impl Node {
    async fn start(options: &StoreOptions, name: &str) -> Self {
        let mut options = options.clone();
        if let Place::Postgres(place) = &mut options.place {
            place.node = name.to_owned();
        }
        let store = Store::open(options).await.unwrap();
        let guard = TargetGuard::new(false);
        let sender = Sender::new(SenderParts {
            store: store.clone(),
            catalog: Arc::new(Catalog::builtin()),
            clock: Arc::new(SystemClock),
            metrics: Arc::default(),
            guard,
            client: Client::new(guard).unwrap(),
            sources: Sources::new(Vec::new(), 1 << 20),
            secrets: SecretResolver::new("/".into(), &[]),
            sealer: Sealer::new(&[7; 32]),
            lease: 2 * SECOND,
            health_interval: SECOND,
            connections: 100,
        });
        sender.load(&[]).await.unwrap();
        let running = Some(RunningSender::start(sender.clone()).unwrap());
        Self { store, sender, running }
    }

    async fn stop(mut self) {
        self.running.take().unwrap().stop().await;
        self.store.close().await;
    }

    async fn publish(&self, id: &str) -> u32 {
        let body = json!({"id": id, "event": "user.login", "timestamp": "2026-01-01T00:00:00Z"});
        self.sender.publish(&Bytes::from(body.to_string())).await.unwrap().messages
    }
}

/// Two nodes on one store, and a subscription that the first one made; `None` on SQLite.
async fn two(sink: &Sink, events: &str) -> Option<([Node; 2], String, tempfile::TempDir)> {
    let folder = tempfile::tempdir().unwrap();
    let place = place_in(folder.path()).await;
    if !matches!(place, Place::Postgres(_)) {
        return None;
    }
    let retention = Retention {
        keep_deliveries: 3_600 * SECOND,
        keep_rejected: 3_600 * SECOND,
        keep_captured: 100,
        keep_event_ids: 3_600 * SECOND,
        keep_messages: 3_600 * SECOND,
        keep_dead_letters: 3_600 * SECOND,
        max_size: 1 << 30,
        max_refused: 1 << 28,
    };
    let options = StoreOptions {
        place,
        clock: Arc::new(SystemClock),
        retention,
        queue: 4096,
        queue_bytes: 1 << 26,
        workers: crate::telemetry::Workers::default(),
        metrics: crate::telemetry::StoreMetrics::default(),
    };
    let nodes = [Node::start(&options, "one").await, Node::start(&options, "two").await];
    let document = json!({
        "name": "n", "url": sink.url, "events": [events], "timeout": "2s", "retry_policy": {"max_attempts": 1},
        "signature": {"scheme": "none"},
    });
    let made = nodes[0].sender.create(&document.to_string()).await.unwrap();
    let id = made.active.compiled.id().to_owned();
    Some((nodes, id, folder))
}

async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < 15 * SECOND, "{what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_either_node_publishes_arrives_once_also_when_one_of_them_ends() {
    let sink = Sink::start("200 OK");
    let Some(([first, second], _, _folder)) = two(&sink, "user.login").await else { return };
    for at in 0..60 {
        let node = if at % 2 == 0 { &first } else { &second };
        assert_eq!(node.publish(&format!("e{at}")).await, 1, "{at}");
    }
    until("all of them", || sink.ids() == 60).await;
    first.stop().await;
    for at in 60..90 {
        second.publish(&format!("e{at}")).await;
    }
    until("those of the other node", || sink.ids() == 90).await;
    let seen = sink.seen.lock().clone();
    assert!(seen.iter().all(|(id, count)| *count == 1 || id == "HEAD"), "{seen:?}");
    second.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subscription_that_one_node_changes_or_deletes_is_so_on_the_other_within_two_seconds() {
    let sink = Sink::start("200 OK");
    let Some(([first, second], id, _folder)) = two(&sink, "user.login").await else { return };
    let known = |node: &Node| node.sender.subscriptions().get(&id);
    let start = Instant::now();
    until("it is known", || known(&second).is_some()).await;
    let patch = json!({"enabled": false}).to_string();
    second.sender.patch(&id, &patch).await.unwrap();
    until("it is disabled", || known(&first).is_some_and(|active| !active.is_enabled())).await;
    first.sender.patch(&id, &json!({"enabled": true}).to_string()).await.unwrap();
    until("it is enabled", || known(&second).is_some_and(|active| active.is_enabled())).await;
    assert_eq!(second.publish("e1").await, 1);
    first.sender.remove(&id).await.unwrap();
    assert_eq!(second.publish("e2").await, 0, "at once where it matters");
    until("it is gone", || known(&second).is_none()).await;
    assert!(start.elapsed() < 8 * SECOND, "{:?}", start.elapsed());
    assert_eq!(sink.count("e2"), 0);
    first.stop().await;
    second.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn endpoints_are_looked_at_once_and_letters_are_told_of_once() {
    let (sink, dead) = (Sink::start("200 OK"), Sink::start("500 No"));
    let Some(([first, second], _, _folder)) = two(&sink, "message.dead").await else { return };
    let failing = json!({
        "name": "f", "url": dead.url, "events": ["user.login"], "timeout": "2s", "retry_policy": {"max_attempts": 1},
        "signature": {"scheme": "none"},
    });
    second.sender.create(&failing.to_string()).await.unwrap();
    let (start, before) = (Instant::now(), sink.count("HEAD"));
    for at in 0..6 {
        let node = if at % 2 == 0 { &first } else { &second };
        assert_eq!(node.publish(&format!("e{at}")).await, 1);
    }
    until("the notice", || sink.ids() >= 1).await;
    tokio::time::sleep(5 * SECOND).await;
    assert_eq!(dead.ids(), 6);
    assert!(sink.ids() <= 1, "one notice a minute over both nodes, not {}", sink.ids());
    let (looks, most) = (sink.count("HEAD") - before, start.elapsed().as_secs() + 2);
    assert!(u64::from(looks) <= most && looks >= 2, "{looks} looks in {most} s");
    first.stop().await;
    second.stop().await;
}
