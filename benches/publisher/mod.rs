//! Publishes through the API of a running program, and asks it what became of the messages.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::program::{SECRET, wait_for};

/// The size of a body, in bytes.
const BODY: usize = 400;
/// Requests to publish under way at once.
const AT_ONCE: usize = 32;

/// The body of the event of this id.
pub fn body(id: &str) -> String {
    let head = format!(
        r#"{{"id":"{id}","event":"user.login","timestamp":"2026-03-09T07:14:58.402Z","user":{{"id":"65a0f3c2d4b1e7000a3f9b21","email":"marta@nordlicht.example"}},"data":{{"session_id":""#
    );
    format!("{head}{}\"}}}}", "s".repeat(BODY - head.len() - 3))
}

/// An event that was published.
pub struct Published {
    pub id: String,
    pub asked: Instant,
    pub answered: Instant,
}

/// The way to the program's API.
pub struct Publisher {
    runtime: tokio::runtime::Runtime,
    client: reqwest::Client,
    api: String,
    next: AtomicUsize,
}

impl Publisher {
    pub fn new(inspector: SocketAddr) -> Self {
        Self {
            runtime: tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap(),
            client: reqwest::Client::builder().no_proxy().build().unwrap(),
            api: format!("http://{inspector}/api/v1"),
            next: AtomicUsize::new(0),
        }
    }

    /// A subscription to everything that is published, sent to `sink` and signed.
    pub fn subscribe(&self, sink: SocketAddr) {
        let subscription = json!({
            "name": format!("bench {}", self.next.fetch_add(1, Ordering::Relaxed)),
            "url": format!("http://{sink}/"),
            "events": ["*"],
            "signature": {"scheme": "tagorun", "secrets": [SECRET]},
        });
        self.runtime.block_on(async {
            let request = self.client.post(format!("{}/subscriptions", self.api));
            let request = request.header("Content-Type", "application/json").body(subscription.to_string());
            let answer = request.send().await.unwrap();
            let status = answer.status();
            assert_eq!(status, 201, "{}", answer.text().await.unwrap());
        });
    }

    /// Publishes so many events as fast as several connections do.
    pub fn fill(&self, events: usize) -> Vec<Published> {
        self.runtime.block_on(async {
            let mut published = Vec::with_capacity(events);
            let mut asking = JoinSet::new();
            for _ in 0..events {
                if asking.len() >= AT_ONCE {
                    published.push(asking.join_next().await.unwrap().unwrap());
                }
                asking.spawn(self.publish());
            }
            published.extend(asking.join_all().await);
            published
        })
    }

    /// Publishes at an even rate, however long the answers take.
    pub fn trickle(&self, rate: usize, time: Duration) -> Vec<Published> {
        self.runtime.block_on(async {
            let mut asking = JoinSet::new();
            let started = Instant::now();
            for number in 0..rate * time.as_secs() as usize {
                let due = started + Duration::from_secs(1) * number as u32 / rate as u32;
                tokio::time::sleep_until(due.into()).await;
                asking.spawn(self.publish());
            }
            asking.join_all().await
        })
    }

    /// Waits until no message is under way, and sees that each was delivered at its first attempt.
    pub fn check_delivered(&self) {
        for status in ["pending", "sending"] {
            wait_for(|| {
                self.get(&format!("messages?limit=1&status={status}"))["messages"]
                    .as_array()?
                    .is_empty()
                    .then_some(())
            });
        }
        let mut before = String::new();
        loop {
            let page = self.get(&format!("messages?limit=500{before}"));
            for message in page["messages"].as_array().unwrap() {
                assert_eq!(
                    (&message["status"], &message["attempts"]),
                    (&json!("delivered"), &json!(1)),
                    "{message}"
                );
            }
            let Some(next) = page["next"].as_str() else { return };
            before = format!("&before={next}");
        }
    }

    fn publish(&self) -> impl Future<Output = Published> + Send + 'static {
        let id = format!("evt_{:032x}", self.next.fetch_add(1, Ordering::Relaxed));
        let request = self.client.post(format!("{}/events", self.api));
        let request = request.header("Content-Type", "application/json").body(body(&id));
        async move {
            let asked = Instant::now();
            let answer = request.send().await.unwrap();
            assert_eq!(answer.status(), 202);
            answer.bytes().await.unwrap();
            Published { id, asked, answered: Instant::now() }
        }
    }

    fn get(&self, path: &str) -> Value {
        self.runtime.block_on(async {
            let answer = self.client.get(format!("{}/{path}", self.api)).send().await.unwrap();
            serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap()
        })
    }
}
