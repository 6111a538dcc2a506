//! A history as a portal makes it: the catalogue's events of many devices and users, from many addresses, a few of them
//! refused, sent to the receiver as they would come.

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use hmac::{Hmac, KeyInit as _, Mac as _};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng, seq::IndexedRandom as _};
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const WORDS: &[&str] = &[
    "boiler",
    "chiller",
    "valve",
    "co2",
    "humidity",
    "filter",
    "alarm",
    "north",
    "wing",
    "basement",
    "roof",
    "pump",
    "calibrated",
    "offline",
    "threshold",
    "exceeded",
    "restored",
    "Größe",
    "température",
    "überprüft",
];
const AGENTS: &[&str] = &["TagoRUN-Webhooks/2.4", "TagoRUN-Webhooks/2.3", "curl/8.5.0", "okhttp/4.12.0"];
/// A word that one delivery in so many has.
const RARE_WORD: (&str, u64) = ("zephyranthes", 100_000);

/// Makes requests, each another one.
pub struct History {
    secret: &'static str,
    examples: Vec<Value>,
    random: StdRng,
    next: u64,
}

impl History {
    pub fn new(secret: &'static str, seed: u64) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("catalog/examples");
        let mut examples: Vec<(String, Value)> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|ending| ending == "json"))
            .map(|path| {
                let example = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
                (path.display().to_string(), example)
            })
            .collect();
        examples.sort_by(|one, other| one.0.cmp(&other.0));
        let examples = examples.into_iter().map(|(_, example)| example).collect();
        Self { secret, examples, random: StdRng::seed_from_u64(seed), next: seed << 40 }
    }

    /// A request; one in a hundred is signed with another secret.
    pub fn request(&mut self) -> Vec<u8> {
        self.next += 1;
        let random = &mut self.random;
        let mut event = self.examples.choose(random).unwrap().clone();
        event["id"] = json!(format!("evt_{:08x}{:016x}", random.random::<u32>(), self.next));
        let device = format!("66f1a2b3c4d5e6f7000{:05x}", random.random_range(0..5_000));
        if event.get("device").is_some() {
            event["device"]["id"] = json!(device);
        }
        let words: Vec<&str> = (0..8).map(|_| *WORDS.choose(random).unwrap()).collect();
        let mut note = format!("{} {}", words.join(" "), random.random_range(0..100_000));
        if self.next % RARE_WORD.1 == RARE_WORD.1 / 2 {
            note = format!("{note} {}", RARE_WORD.0);
        }
        event["note"] = json!(note);
        let body = event.to_string();
        let secret = if random.random_ratio(1, 100) { "another-secret-0123456789" } else { self.secret };
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(body.as_bytes());
        let address = [203, 0, random.random_range(100..120), random.random_range(1..255)]
            .map(|part: u8| part.to_string());
        format!(
            "POST /webhook/tagorun HTTP/1.1\r\nHost: hooks.nordlicht.example\r\nContent-Type: application/json\r\n\
             User-Agent: {}\r\nX-Request-Id: {:032x}\r\nX-Forwarded-For: {}\r\nAccept: */*\r\n\
             X-TagoRUN-Signature: {}\r\nContent-Length: {}\r\n\r\n{body}",
            AGENTS.choose(random).unwrap(),
            random.random::<u128>(),
            address.join("."),
            hex::encode(mac.finalize().into_bytes()),
            body.len()
        )
        .into_bytes()
    }
}

/// Sends so many deliveries as fast as they are taken.
pub fn fill(receiver: SocketAddr, secret: &'static str, deliveries: u64) {
    const CONNECTIONS: u64 = 64;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let tasks: Vec<_> = (1..=CONNECTIONS)
            .map(|number| {
                tokio::spawn(async move {
                    let mut history = History::new(secret, number);
                    let mut connection = Connection::open(receiver).await;
                    for _ in 0..deliveries / CONNECTIONS {
                        connection.exchange(&history.request()).await;
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
    });
}

/// Requests at an even rate, made before the clock runs: making them costs as much as taking them.
pub struct Load {
    /// Of each connection.
    requests: Vec<Vec<Vec<u8>>>,
    /// Between two requests of a connection.
    every: Duration,
}

impl Load {
    const CONNECTIONS: u32 = 64;

    /// So many requests a second for so long. `seed` tells them from those of other loads on the same log, which would
    /// only repeat their events.
    pub fn new(secret: &'static str, seed: u64, rate: u32, time: Duration) -> Self {
        let every = Duration::from_secs(1) * Self::CONNECTIONS / rate;
        let each = time.as_micros() / every.as_micros();
        let requests = (0..Self::CONNECTIONS)
            .map(|number| {
                let mut history = History::new(secret, 1_000 + seed + u64::from(number));
                (0..each).map(|_| history.request()).collect()
            })
            .collect();
        Self { requests, every }
    }

    /// Sends them; the times until the answers, counted from when each was due.
    pub fn drive(self, receiver: SocketAddr) -> Vec<Duration> {
        let every = self.every;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let started = Instant::now() + Duration::from_millis(100);
            let tasks: Vec<_> = (0..Self::CONNECTIONS)
                .zip(self.requests)
                .map(|(number, requests)| {
                    tokio::spawn(async move {
                        let mut connection = Connection::open(receiver).await;
                        let mut times = Vec::new();
                        let mut due = started + every * number / Self::CONNECTIONS;
                        for request in requests {
                            tokio::time::sleep_until(due.into()).await;
                            connection.exchange(&request).await;
                            times.push(due.elapsed());
                            due += every;
                        }
                        times
                    })
                })
                .collect();
            let mut times = Vec::new();
            for task in tasks {
                times.extend(task.await.unwrap());
            }
            times
        })
    }
}

struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    async fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, buffer: vec![0; 4_096] }
    }

    /// Sends a request and reads its answer, which must be 200 or 401.
    async fn exchange(&mut self, request: &[u8]) {
        self.stream.write_all(request).await.unwrap();
        let mut length = 0;
        loop {
            let read = self.stream.read(&mut self.buffer[length..]).await.unwrap();
            assert!(read > 0, "the connection ended");
            length += read;
            let Some(head) = memchr::memmem::find(&self.buffer[..length], b"\r\n\r\n") else { continue };
            let text = std::str::from_utf8(&self.buffer[..head]).unwrap();
            let body = text.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
            if length >= head + 4 + body.parse::<usize>().unwrap() {
                assert!(text.starts_with("HTTP/1.1 200") || text.starts_with("HTTP/1.1 401"), "{text}");
                return;
            }
        }
    }
}
