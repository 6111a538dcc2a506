//! A history as a portal makes it: the catalogue's events of many devices and users, from many addresses, a few of them
//! refused, sent to the receiver as they would come.

#![allow(dead_code, reason = "each bench is a crate of its own, and needs some of it")]

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use rand::{RngExt as _, rngs::StdRng, seq::IndexedRandom as _};
use serde_json::{Value, json};

use crate::load::{Connection, Requests, signature};
use crate::program::{Program, SECRET};

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
const RARE_WORD: (&str, u32) = ("zephyranthes", 100_000);

/// Makes requests, each with a random id (UUIDv4).
pub struct History {
    secret: &'static str,
    examples: Vec<Value>,
    random: StdRng,
}

impl History {
    pub fn new(secret: &'static str) -> Self {
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
        Self { secret, examples, random: rand::make_rng() }
    }
}

impl Requests for History {
    /// One in a hundred is signed with another secret.
    fn request(&mut self) -> Vec<u8> {
        let random = &mut self.random;
        let mut event = self.examples.choose(random).unwrap().clone();
        event["id"] = json!(uuid::Builder::from_random_bytes(random.random()).into_uuid().to_string());
        let device = format!("66f1a2b3c4d5e6f7000{:05x}", random.random_range(0..5_000));
        if event.get("device").is_some() {
            event["device"]["id"] = json!(device);
        }
        let words: Vec<&str> = (0..8).map(|_| *WORDS.choose(random).unwrap()).collect();
        let mut note = format!("{} {}", words.join(" "), random.random_range(0..100_000));
        if random.random_ratio(1, RARE_WORD.1) {
            note = format!("{note} {}", RARE_WORD.0);
        }
        event["note"] = json!(note);
        let body = event.to_string();
        let secret = if random.random_ratio(1, 100) { "another-secret-0123456789" } else { self.secret };
        let address = [203, 0, random.random_range(100..120), random.random_range(1..255)]
            .map(|part: u8| part.to_string());
        format!(
            "POST /webhook/tagorun HTTP/1.1\r\nHost: hooks.nordlicht.example\r\nContent-Type: application/json\r\n\
             User-Agent: {}\r\nX-Request-Id: {:032x}\r\nX-Forwarded-For: {}\r\nAccept: */*\r\n\
             X-TagoRUN-Signature: {}\r\nContent-Length: {}\r\n\r\n{body}",
            AGENTS.choose(random).unwrap(),
            random.random::<u128>(),
            address.join("."),
            signature(secret, &body),
            body.len()
        )
        .into_bytes()
    }
}

/// Starts the program on the history in `folder`, with `more` options of the store.
pub fn open(folder: &Path, more: &str) -> Program {
    std::fs::create_dir_all(folder).unwrap();
    let config = folder.join("bench.toml");
    let text = format!(
        "[receiver]\ntrusted_proxies = [\"127.0.0.1/32\"]\nrefused_rate = \"1000000/s\"\n\
         [store]\nmax_size = \"100 GiB\"\nkeep_rejected = \"30d\"\n{more}\n"
    );
    std::fs::write(&config, text).unwrap();
    Program::start_with(folder, Some(&config))
}

/// Sends what is missing to so many deliveries, waits until the search index has them, and says what they take.
pub fn grow(program: &Program, deliveries: u64) {
    let missing = deliveries.saturating_sub(program.rows());
    let started = Instant::now();
    fill(program.address("receiver"), missing);
    println!("{} deliveries, {missing} sent in {:.0} s", program.rows(), started.elapsed().as_secs_f64());
    let started = Instant::now();
    let segments = program.rows() / 8_192;
    while program.figure("tagohook_search_segments") < segments as f64 {
        std::thread::sleep(Duration::from_millis(200));
    }
    println!("index ready {:.0} s later", started.elapsed().as_secs_f64());
    let size = |name: &str| program.figure(name);
    let (store, index) = (size("tagohook_store_size_bytes"), size("tagohook_search_index_bytes"));
    let rows = program.rows() as f64;
    println!(
        "store {:.0} MB, {:.0} bytes a delivery; index {:.0} MB, {:.0} bytes a delivery; memory {:.0} MB",
        store / 1e6,
        store / rows,
        index / 1e6,
        index / rows,
        program.memory_mb()
    );
}

/// Sends so many deliveries as fast as they are taken.
fn fill(receiver: SocketAddr, deliveries: u64) {
    const CONNECTIONS: u64 = 64;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let tasks: Vec<_> = (0..CONNECTIONS)
            .map(|_| {
                tokio::spawn(async move {
                    let mut history = History::new(SECRET);
                    let mut connection = Connection::open(receiver).await;
                    // Rounded up: at least as many as asked for.
                    for _ in 0..deliveries.div_ceil(CONNECTIONS) {
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
