//! A raw HTTP/1.1 client: it writes exactly the bytes it is given.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

const PATIENCE: Duration = Duration::from_secs(60);

/// An answer.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    /// The first value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(header, _)| header.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The body as JSON; null where it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// The `status` member of the body.
    pub fn word(&self) -> String {
        self.json()["status"].as_str().unwrap_or_default().to_owned()
    }
}

/// A connection that may carry several requests.
pub struct Connection {
    stream: BufReader<TcpStream>,
}

impl Connection {
    pub fn open(address: SocketAddr) -> Self {
        Self::over(TcpStream::connect(address).unwrap())
    }

    /// One from this address of the machine, such as 127.0.0.2.
    pub fn open_from(source: &str, address: SocketAddr) -> Self {
        let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
        socket.bind(&SocketAddr::new(source.parse().unwrap(), 0).into()).unwrap();
        socket.connect(&address.into()).unwrap();
        Self::over(socket.into())
    }

    /// One where somebody listens.
    pub fn try_open(address: SocketAddr) -> Option<Self> {
        TcpStream::connect(address).ok().map(Self::over)
    }

    fn over(stream: TcpStream) -> Self {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream: BufReader::new(stream) }
    }

    /// Writes bytes; `false` where the other side no longer takes them.
    pub fn write(&mut self, bytes: &[u8]) -> bool {
        self.stream.get_mut().write_all(bytes).is_ok()
    }

    /// Reads an answer; `None` where the connection ended before one.
    pub fn answer(&mut self) -> Option<Answer> {
        self.answer_to("POST")
    }

    /// Reads the answer to a request of that method; HEAD has no body.
    pub fn answer_to(&mut self, method: &str) -> Option<Answer> {
        let status_line = self.line()?;
        let status: u16 = status_line.split(' ').nth(1)?.parse().ok()?;
        let mut headers = Vec::new();
        loop {
            let line = self.line()?;
            if line.is_empty() {
                break;
            }
            let (name, value) = line.split_once(':')?;
            headers.push((name.to_owned(), value.trim().to_owned()));
        }
        let mut answer = Answer { status, headers, body: Vec::new() };
        if status == 100 {
            return Some(answer);
        }
        let is_chunked = answer.header("transfer-encoding").is_some_and(|value| value.contains("chunked"));
        if method == "HEAD" {
        } else if is_chunked {
            loop {
                let size = usize::from_str_radix(self.line()?.trim(), 16).ok()?;
                let mut chunk = vec![0; size];
                self.stream.read_exact(&mut chunk).ok()?;
                answer.body.extend(chunk);
                self.line()?;
                if size == 0 {
                    break;
                }
            }
        } else if let Some(length) = answer.header("content-length").and_then(|value| value.parse().ok()) {
            answer.body = vec![0; length];
            self.stream.read_exact(&mut answer.body).ok()?;
        }
        Some(answer)
    }

    /// Reads one line, without its end.
    pub fn line(&mut self) -> Option<String> {
        let mut line = Vec::new();
        if self.stream.read_until(b'\n', &mut line).ok()? == 0 {
            return None;
        }
        Some(String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned())
    }

    /// Whether bytes arrive within this time.
    pub fn is_answered_within(&mut self, time: Duration) -> bool {
        self.stream.get_mut().set_read_timeout(Some(time)).unwrap();
        let is_answered = self.stream.fill_buf().is_ok();
        self.stream.get_mut().set_read_timeout(Some(PATIENCE)).unwrap();
        is_answered
    }

    /// Whether the other side closed the connection.
    pub fn is_closed(&mut self) -> bool {
        let mut rest = Vec::new();
        self.stream.get_mut().set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        match self.stream.read_to_end(&mut rest) {
            Ok(_) => true,
            Err(fault) => fault.kind() == std::io::ErrorKind::ConnectionReset,
        }
    }
}

/// One request on a connection of its own.
pub fn exchange(
    address: SocketAddr,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Answer {
    let host = address.to_string();
    let asked = request_bytes(&host, method, target, headers, body);
    let mut connection = Connection::open(address);
    connection.write(&asked);
    connection.answer_to(method).unwrap_or_else(|| panic!("no answer to {method} {target}"))
}

/// The bytes of a request after which the connection ends.
pub fn request_bytes(
    host: &str,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Vec<u8> {
    let mut request =
        format!("{method} {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n").into_bytes();
    for (name, value) in headers {
        request.extend(format!("{name}: {value}\r\n").bytes());
    }
    if !body.is_empty() || method == "POST" {
        request.extend(format!("Content-Length: {}\r\n", body.len()).bytes());
    }
    request.extend(b"\r\n");
    request.extend(body);
    request
}
