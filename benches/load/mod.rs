//! The load: requests over keep-alive connections, made and signed before the clock runs.
//!
//! In a closed loop each connection sends its next request when the last was answered. At a steady rate each has its time, and
//! its latency is counted from then, however late the server lets us send it.

#![allow(dead_code, reason = "each bench is a crate of its own, and needs some of it")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use hmac::{Hmac, KeyInit as _, Mac as _};
use rand::{RngExt as _, rngs::StdRng};
use sha2::Sha256;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// The size of a body, in bytes.
const BODY: usize = 400;
/// So many requests a second are made ready for a closed loop; a server that is faster ends its round early.
const MOST_PER_SECOND: u64 = 60_000;
/// The connections of a steady rate.
const STEADY_CONNECTIONS: u32 = 64;

/// How requests are sent.
#[derive(Clone, Copy, Debug)]
pub enum Load {
    /// By so many connections, each as soon as its last request was answered.
    Closed(usize),
    /// So many a second.
    Steady(u32),
}

impl std::fmt::Display for Load {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Closed(connections) => write!(f, "{connections} connections"),
            Self::Steady(rate) => write!(f, "{rate} requests a second"),
        }
    }
}

/// Makes requests that never come twice.
pub trait Requests {
    /// The next one, as bytes for the wire.
    fn request(&mut self) -> Vec<u8>;
}

/// Signed events of 400 bytes, as the document describes them.
pub struct Plan {
    secret: &'static str,
    next_id: Box<dyn FnMut() -> String>,
}

impl Plan {
    /// With ids that rise with time.
    pub fn rising(secret: &'static str) -> Self {
        let mut last: u64 = 0;
        let next_id = move || {
            last += 1;
            format!("evt_{last:032x}")
        };
        Self { secret, next_id: Box::new(next_id) }
    }

    /// With random ids (UUIDv4).
    pub fn random(secret: &'static str) -> Self {
        let mut random: StdRng = rand::make_rng();
        let next_id = move || uuid::Builder::from_random_bytes(random.random()).into_uuid().to_string();
        Self { secret, next_id: Box::new(next_id) }
    }
}

impl Requests for Plan {
    fn request(&mut self) -> Vec<u8> {
        let id = (self.next_id)();
        let head = format!(
            r#"{{"id":"{id}","event":"user.login","timestamp":"2026-03-09T07:14:58.402Z","user":{{"id":"65a0f3c2d4b1e7000a3f9b21","email":"marta@nordlicht.example"}},"data":{{"session_id":""#
        );
        let body = format!("{head}{}\"}}}}", "s".repeat(BODY - head.len() - 3));
        let hex = signature(self.secret, &body);
        format!(
            "POST /webhook/tagorun HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nUser-Agent: bench\r\n\
             X-TagoRUN-Signature: {hex}\r\nContent-Length: {BODY}\r\n\r\n{body}"
        )
        .into_bytes()
    }
}

/// The HMAC of a body, in hex.
pub fn signature(secret: &str, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body.as_bytes());
    hex::encode(mac.finalize().into_bytes())
}

/// What a round saw.
#[derive(Default)]
pub struct Round {
    /// Requests that were answered, also those that were refused.
    pub answered: u64,
    /// Answers 401.
    pub refused: u64,
    pub elapsed: Duration,
    /// The latencies. At a steady rate also those of requests that were due but could not be sent: the time that they waited.
    pub micros: Vec<u32>,
}

/// Drives servers for so long, connections shared out among them.
pub fn drive(servers: &[SocketAddr], requests: &mut impl Requests, load: Load, time: Duration) -> Round {
    Prepared::new(requests, load, time).drive(servers)
}

/// A load whose requests are made.
pub struct Prepared {
    load: Load,
    time: Duration,
    /// Of each connection.
    requests: Vec<Vec<Vec<u8>>>,
    end: Arc<AtomicBool>,
}

impl Prepared {
    pub fn new(requests: &mut impl Requests, load: Load, time: Duration) -> Self {
        let (connections, each) = match load {
            Load::Closed(connections) => (connections, MOST_PER_SECOND * time.as_secs() / connections as u64),
            Load::Steady(rate) => (
                STEADY_CONNECTIONS as usize,
                u64::from(rate) * time.as_secs() / u64::from(STEADY_CONNECTIONS),
            ),
        };
        let mut made: Vec<Vec<Vec<u8>>> =
            (0..connections).map(|_| Vec::with_capacity(each as usize)).collect();
        for _ in 0..each {
            made.iter_mut().for_each(|own| own.push(requests.request()));
        }
        Self { load, time, requests: made, end: Arc::default() }
    }

    /// What ends it before its time, when it is set.
    pub fn end(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.end)
    }

    /// Drives servers, connections shared out among them.
    pub fn drive(self, servers: &[SocketAddr]) -> Round {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut streams = Vec::new();
            for server in servers.iter().cycle().take(self.requests.len()) {
                streams.push(Connection::open(*server).await);
            }
            let started = Instant::now();
            let until = started + self.time;
            let tasks: Vec<_> = (0..)
                .zip(streams.into_iter().zip(self.requests))
                .map(|(number, (connection, own))| {
                    let end = Arc::clone(&self.end);
                    tokio::spawn(async move {
                        match self.load {
                            Load::Closed(_) => closed(connection, own, until, &end).await,
                            Load::Steady(rate) => {
                                let every = Duration::from_secs(1) * STEADY_CONNECTIONS / rate;
                                let first = started + every * number / STEADY_CONNECTIONS;
                                steady(connection, own, (first, every), until, &end).await
                            }
                        }
                    })
                })
                .collect();
            let mut sum = Round::default();
            for task in tasks {
                let round = task.await.unwrap();
                sum.answered += round.answered;
                sum.refused += round.refused;
                sum.micros.extend(round.micros);
            }
            sum.elapsed = started.elapsed();
            sum
        })
    }
}

async fn closed(
    mut connection: Connection,
    requests: Vec<Vec<u8>>,
    until: Instant,
    end: &AtomicBool,
) -> Round {
    let mut round = Round::default();
    for request in requests {
        let started = Instant::now();
        if started >= until || end.load(Ordering::Relaxed) {
            break;
        }
        round.add(connection.exchange(&request).await, started.elapsed());
    }
    round
}

async fn steady(
    mut connection: Connection,
    requests: Vec<Vec<u8>>,
    (first, every): (Instant, Duration),
    until: Instant,
    end: &AtomicBool,
) -> Round {
    let mut round = Round::default();
    for (number, request) in (0..).zip(requests) {
        let due = first + every * number;
        tokio::time::sleep_until(due.into()).await;
        if end.load(Ordering::Relaxed) {
            break;
        }
        if Instant::now() < until {
            round.add(connection.exchange(&request).await, due.elapsed());
        } else {
            round.micros.push(micros(due.elapsed()));
        }
    }
    round
}

impl Round {
    /// Answers in a second.
    pub fn rate(&self) -> f64 {
        self.answered as f64 / self.elapsed.as_secs_f64()
    }

    /// The latency that this share of the requests had at most, in milliseconds.
    pub fn latency_ms(&mut self, share: f64) -> f64 {
        let last = self.micros.len() - 1;
        f64::from(*self.micros.select_nth_unstable((last as f64 * share) as usize).1) / 1_000.0
    }

    fn add(&mut self, answer: Answer, time: Duration) {
        self.answered += 1;
        self.refused += u64::from(answer == Answer::Refused);
        self.micros.push(micros(time));
    }
}

fn micros(time: Duration) -> u32 {
    u32::try_from(time.as_micros()).unwrap()
}

/// What a server said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// 200, and the event is processed for the first time.
    Processed,
    /// 401.
    Refused,
}

/// A connection to a server.
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    pub async fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, buffer: vec![0; 4_096] }
    }

    /// Sends a request and reads its answer. Any answer but the two that are known ends the bench.
    pub async fn exchange(&mut self, request: &[u8]) -> Answer {
        self.stream.write_all(request).await.unwrap();
        let mut length = 0;
        loop {
            let read = self.stream.read(&mut self.buffer[length..]).await.unwrap();
            assert!(read > 0, "the connection ended");
            length += read;
            if let Some(answer) = whole_answer(&self.buffer[..length]) {
                return answer;
            }
        }
    }
}

/// The answer, once all of it is there.
fn whole_answer(bytes: &[u8]) -> Option<Answer> {
    let head = memchr::memmem::find(bytes, b"\r\n\r\n")?;
    let text = std::str::from_utf8(&bytes[..head]).unwrap();
    let length = |line: &str| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("content-length").then(|| value.parse::<usize>().unwrap())
    };
    let length = text.lines().find_map(length).unwrap();
    let body = bytes[head + 4..].get(..length)?;
    if text.starts_with("HTTP/1.1 401") {
        return Some(Answer::Refused);
    }
    let is_processed =
        text.starts_with("HTTP/1.1 200") && memchr::memmem::find(body, b"\"processed\"").is_some();
    assert!(is_processed, "{}", String::from_utf8_lossy(bytes));
    Some(Answer::Processed)
}
