//! A closed loop: each connection sends its next request when the last was answered. Bodies are made and signed before
//! the clock runs.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// The size of a body, in bytes.
const BODY: usize = 400;
/// So many requests a second are made ready; a server that is faster ends its round early.
const MOST_PER_SECOND: u64 = 60_000;

/// Makes requests whose ids rise with time and never come twice.
pub struct Plan {
    secret: &'static str,
    next: u64,
}

impl Plan {
    pub fn new(secret: &'static str) -> Self {
        Self { secret, next: 0 }
    }

    fn request(&mut self) -> Vec<u8> {
        self.next += 1;
        let head = format!(
            r#"{{"id":"evt_{:032x}","event":"user.login","timestamp":"2026-03-09T07:14:58.402Z","user":{{"id":"65a0f3c2d4b1e7000a3f9b21","email":"marta@nordlicht.example"}},"data":{{"session_id":""#,
            self.next
        );
        let body = format!("{head}{}\"}}}}", "s".repeat(BODY - head.len() - 3));
        let mut mac = Hmac::<Sha256>::new_from_slice(self.secret.as_bytes()).unwrap();
        mac.update(body.as_bytes());
        let hex = hex::encode(mac.finalize().into_bytes());
        format!(
            "POST /webhook/tagorun HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nUser-Agent: bench\r\n\
             X-TagoRUN-Signature: {hex}\r\nContent-Length: {BODY}\r\n\r\n{body}"
        )
        .into_bytes()
    }
}

/// What a round saw.
pub struct Round {
    pub answered: u64,
    pub refused: u64,
    pub elapsed: Duration,
    pub micros: Vec<u32>,
}

/// Drives servers over so many connections in all for so long.
pub fn drive(servers: &[SocketAddr], plan: &mut Plan, connections: usize, time: Duration) -> Round {
    let each = (MOST_PER_SECOND * time.as_secs()) as usize / connections;
    let mut requests: Vec<Vec<Vec<u8>>> = (0..connections).map(|_| Vec::with_capacity(each)).collect();
    for _ in 0..each {
        requests.iter_mut().for_each(|own| own.push(plan.request()));
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut streams = Vec::new();
        for server in servers.iter().cycle().take(connections) {
            let stream = TcpStream::connect(*server).await.unwrap();
            stream.set_nodelay(true).unwrap();
            streams.push(stream);
        }
        let started = Instant::now();
        let until = started + time;
        let tasks: Vec<_> = streams
            .into_iter()
            .zip(requests)
            .map(|(stream, own)| tokio::spawn(connection(stream, own, until)))
            .collect();
        let mut round = Round { answered: 0, refused: 0, elapsed: Duration::ZERO, micros: Vec::new() };
        for task in tasks {
            let (micros, refused) = task.await.unwrap();
            round.answered += micros.len() as u64;
            round.refused += refused;
            round.micros.extend(micros);
        }
        round.elapsed = started.elapsed();
        round
    })
}

async fn connection(mut stream: TcpStream, requests: Vec<Vec<u8>>, until: Instant) -> (Vec<u32>, u64) {
    let mut micros = Vec::with_capacity(requests.len());
    let mut refused = 0;
    let mut buffer = vec![0; 4096];
    for request in requests {
        let started = Instant::now();
        if started >= until {
            break;
        }
        stream.write_all(&request).await.unwrap();
        let mut length = 0;
        loop {
            length += stream.read(&mut buffer[length..]).await.unwrap();
            if let Some(whole) = whole_answer(&buffer[..length]) {
                refused += u64::from(!whole);
                break;
            }
        }
        micros.push(u32::try_from(started.elapsed().as_micros()).unwrap());
    }
    (micros, refused)
}

/// Whether the answer is whole; if so, whether it is a 200 that processed the event.
fn whole_answer(bytes: &[u8]) -> Option<bool> {
    let head = memchr::memmem::find(bytes, b"\r\n\r\n")?;
    let text = std::str::from_utf8(&bytes[..head]).unwrap();
    let length: usize = text
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .and_then(|length| length.parse().ok())
        .unwrap();
    let body = &bytes[head + 4..];
    let is_processed = memchr::memmem::find(body, b"\"processed\"").is_some();
    (body.len() >= length).then(|| text.starts_with("HTTP/1.1 200") && is_processed)
}
