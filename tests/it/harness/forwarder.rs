//! A forwarder in front of a server that loses responses: what a proxy or a broken network does.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use socket2::SockRef;

/// What a forwarder does with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Passes the request on, and its response back.
    Pass,
    /// Passes the request on, and closes both connections at once.
    CloseBeforeResponse,
    /// Passes the request on, reads its response, and closes both connections.
    CloseAfterResponse,
}

/// A forwarder that runs until the test ends. Each connection has one of its own to the server.
pub struct Forwarder {
    pub address: SocketAddr,
}

impl Forwarder {
    /// One in front of `to`; `fate` gets how many requests came before.
    pub fn start(to: SocketAddr, fate: impl Fn(usize) -> Fate + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (fate, count) = (Arc::new(fate), Arc::new(AtomicUsize::new(0)));
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let (fate, count) = (Arc::clone(&fate), Arc::clone(&count));
                std::thread::spawn(move || {
                    forward(client, to, || fate(count.fetch_add(1, Ordering::SeqCst)))
                });
            }
        });
        Self { address }
    }
}

fn forward(client: TcpStream, to: SocketAddr, fate: impl Fn() -> Fate) {
    let server = TcpStream::connect(to).unwrap();
    for stream in [&client, &server] {
        stream.set_nodelay(true).unwrap();
    }
    let (mut client, mut server) = (BufReader::new(client), BufReader::new(server));
    while let Some(request) = message(&mut client) {
        let fate = fate();
        if fate == Fate::CloseBeforeResponse {
            // The end of the connection must arrive with the last byte: a corked segment leaves at the shutdown.
            SockRef::from(server.get_ref()).set_tcp_cork(true).unwrap();
            server.get_mut().write_all(&request).unwrap();
            server.get_mut().shutdown(Shutdown::Both).unwrap();
            return;
        }
        server.get_mut().write_all(&request).unwrap();
        let response = message(&mut server).unwrap();
        if fate == Fate::CloseAfterResponse || client.get_mut().write_all(&response).is_err() {
            return;
        }
    }
}

/// Head and body of the next message.
fn message(from: &mut BufReader<TcpStream>) -> Option<Vec<u8>> {
    let (mut message, mut length) = (Vec::new(), 0);
    loop {
        let start = message.len();
        if from.read_until(b'\n', &mut message).ok()? == 0 {
            return None;
        }
        let line = String::from_utf8_lossy(&message[start..]).trim().to_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line.is_empty() {
            break;
        }
    }
    let start = message.len();
    message.resize(start + length, 0);
    from.read_exact(&mut message[start..]).ok()?;
    Some(message)
}
