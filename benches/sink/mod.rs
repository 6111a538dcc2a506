//! The endpoint that messages are sent to: one thread, keep-alive, 200 for whatever is whole. Shut, it withholds its
//! answers, so that a backlog can gather without one failed attempt.

#![allow(dead_code, reason = "each bench is a crate of its own, and needs some of it")]

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
/// What a look at the endpoint's health gets: an answer to HEAD has no body.
const HEAD_ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n";
/// How long nothing may arrive while something is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// A message that arrived: its event, and when.
pub type Arrival = (String, Instant);

/// The sink, until the process ends.
pub struct Sink {
    pub address: SocketAddr,
    gate: watch::Sender<bool>,
    arrivals: Arc<Mutex<Vec<Arrival>>>,
}

impl Sink {
    /// Starts it, open.
    pub fn start() -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let (gate, is_open) = watch::channel(true);
        let arrivals = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&arrivals);
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = TcpListener::from_std(listener).unwrap();
                loop {
                    let (stream, _) = listener.accept().await.unwrap();
                    tokio::spawn(serve(stream, is_open.clone(), Arc::clone(&kept)));
                }
            });
        });
        Self { address, gate, arrivals }
    }

    /// Withholds answers from now on.
    pub fn shut(&self) {
        self.gate.send_replace(false);
    }

    /// Gives every answer that was withheld.
    pub fn open(&self) {
        self.gate.send_replace(true);
    }

    /// Waits until so many messages have arrived since the last call, and takes them.
    pub fn take(&self, count: usize) -> Vec<Arrival> {
        let mut seen = 0;
        let mut until = Instant::now() + PATIENCE;
        loop {
            let mut arrivals = self.arrivals.lock().unwrap();
            if arrivals.len() >= count {
                return std::mem::take(&mut *arrivals);
            }
            if arrivals.len() > seen {
                seen = arrivals.len();
                until = Instant::now() + PATIENCE;
            }
            drop(arrivals);
            assert!(Instant::now() < until, "{seen} of {count} messages arrived");
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

async fn serve(
    mut stream: TcpStream,
    mut is_open: watch::Receiver<bool>,
    arrivals: Arc<Mutex<Vec<Arrival>>>,
) {
    let _ = stream.set_nodelay(true);
    let mut bytes = Vec::with_capacity(4096);
    loop {
        let Some(request) = whole(&bytes) else {
            match stream.read_buf(&mut bytes).await {
                Ok(0) | Err(_) => return,
                Ok(_) => continue,
            }
        };
        bytes.drain(..request.length);
        let answer = match request.event_id {
            Some(id) => {
                arrivals.lock().unwrap().push((id, Instant::now()));
                let _ = is_open.wait_for(|is_open| *is_open).await;
                ANSWER
            }
            None => HEAD_ANSWER,
        };
        if stream.write_all(answer).await.is_err() {
            return;
        }
    }
}

struct Request {
    length: usize,
    /// `None` for HEAD.
    event_id: Option<String>,
}

/// The request at the start of `bytes`, once all of it is there.
fn whole(bytes: &[u8]) -> Option<Request> {
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut request = httparse::Request::new(&mut headers);
    let httparse::Status::Complete(head) = request.parse(bytes).unwrap() else { return None };
    let is_head = request.method == Some("HEAD");
    let value = |name: &str| {
        let header = request.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
        header.map(|header| std::str::from_utf8(header.value).unwrap())
    };
    let body: usize = value("content-length").map_or(0, |length| length.parse().unwrap());
    let event_id = (!is_head).then(|| value("x-tagorun-event-id").unwrap().to_owned());
    (bytes.len() >= head + body).then_some(Request { length: head + body, event_id })
}
