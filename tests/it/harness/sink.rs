//! An endpoint of our own: it records every request and answers as its script says.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;
use socket2::{Domain, Socket, Type};

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Request {
    pub at: Instant,
    pub method: String,
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Request {
    pub fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str()).unwrap_or_default()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// What a script does with a request.
#[derive(Clone, Debug)]
pub enum Reply {
    Status(u16),
    With(u16, Vec<(&'static str, String)>, String),
    /// After a while.
    Slow(Duration, u16),
    /// Never.
    Hang,
    /// With RST.
    Reset,
}

type Script = dyn Fn(&Request, usize) -> Reply + Send + Sync;

/// The endpoint. POSTs are recorded; HEAD is answered 200.
pub struct Sink {
    pub address: SocketAddr,
    seen: Arc<Mutex<Vec<Request>>>,
    open: Arc<Mutex<bool>>,
}

impl Sink {
    /// Answers 200 to everything.
    pub fn start() -> Self {
        Self::scripted(|_, _| Reply::Status(200))
    }

    /// Answers as `script` says; it gets the request and how many came before it.
    pub fn scripted(script: impl Fn(&Request, usize) -> Reply + Send + Sync + 'static) -> Self {
        Self::at("127.0.0.1:0".parse().unwrap(), script)
    }

    /// Listens on a given address: an endpoint that comes back.
    pub fn at(
        address: SocketAddr,
        script: impl Fn(&Request, usize) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.set_reuse_address(true).unwrap();
        socket.bind(&address.into()).unwrap();
        socket.listen(1024).unwrap();
        let listener: TcpListener = socket.into();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let open = Arc::new(Mutex::new(true));
        let (seen_too, open_too) = (Arc::clone(&seen), Arc::clone(&open));
        let script: Arc<Script> = Arc::new(script);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if !*open_too.lock().unwrap() {
                    break;
                }
                let (seen, script) = (Arc::clone(&seen_too), Arc::clone(&script));
                std::thread::spawn(move || serve(stream, &seen, &*script));
            }
        });
        Self { address, seen, open }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// What came, in order.
    pub fn seen(&self) -> Vec<Request> {
        self.seen.lock().unwrap().clone()
    }

    pub fn count(&self) -> usize {
        self.seen.lock().unwrap().len()
    }

    /// Waits until so many requests came.
    pub fn wait_for(&self, count: usize) -> Vec<Request> {
        until(&format!("{count} requests"), || self.count() >= count);
        self.seen()
    }

    /// How often each message id came.
    pub fn by_message(&self) -> HashMap<String, usize> {
        let mut counts = HashMap::new();
        for request in self.seen() {
            *counts.entry(request.header("x-tagorun-message-id").to_owned()).or_default() += 1;
        }
        counts
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        *self.open.lock().unwrap() = false;
        let _ = TcpStream::connect(self.address);
    }
}

fn serve(stream: TcpStream, seen: &Mutex<Vec<Request>>, script: &Script) {
    let _ = stream.set_nodelay(true);
    let mut stream = BufReader::new(stream);
    while let Some(request) = read(&mut stream) {
        if request.method == "HEAD" {
            let _ = stream.get_mut().write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
            continue;
        }
        let before = {
            let mut seen = seen.lock().unwrap();
            seen.push(request.clone());
            seen.len() - 1
        };
        if !answer(stream.get_mut(), script(&request, before)) {
            return;
        }
    }
}

fn answer(stream: &mut TcpStream, reply: Reply) -> bool {
    let (status, headers, body) = match reply {
        Reply::Status(status) => (status, Vec::new(), "ok".to_owned()),
        Reply::With(status, headers, body) => (status, headers, body),
        Reply::Slow(pause, status) => {
            std::thread::sleep(pause);
            (status, Vec::new(), "slow".to_owned())
        }
        Reply::Hang => {
            std::thread::sleep(Duration::from_secs(60));
            return false;
        }
        Reply::Reset => {
            socket2::SockRef::from(&*stream).set_linger(Some(Duration::ZERO)).unwrap();
            return false;
        }
    };
    let mut text = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\n", body.len());
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    stream.write_all(format!("{text}\r\n{body}").as_bytes()).is_ok()
}

fn read(stream: &mut BufReader<TcpStream>) -> Option<Request> {
    let mut line = String::new();
    stream.read_line(&mut line).ok().filter(|count| *count > 0)?;
    let mut words = line.split(' ');
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).ok()?;
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(": ").unwrap_or((line, ""));
        headers.push((name.to_owned(), value.to_owned()));
    }
    let mut request = Request { at: Instant::now(), method, path, headers, body: Vec::new() };
    let length = request.header("content-length").parse().unwrap_or(0);
    request.body = vec![0; length];
    stream.read_exact(&mut request.body).ok()?;
    Some(request)
}

/// Waits until `done`; fails with `what` after a long while.
pub fn until(what: &str, mut done: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(120);
    while !done() {
        assert!(Instant::now() < end, "{what} did not come");
        std::thread::sleep(Duration::from_millis(5));
    }
}
