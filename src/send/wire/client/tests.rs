//! The client against our own test peers.

use std::io::Write as _;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::Ordering::Relaxed;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;

/// A peer that reads a request's head, writes `answer`, and then closes or keeps the connection.
/// To a TLS greeting it answers something else.
async fn peer(answer: &'static [u8], hold: bool) -> Url {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut head = Vec::new();
                let mut buffer = [0_u8; 4096];
                while !head.windows(4).any(|four| four == b"\r\n\r\n") {
                    match stream.read(&mut buffer).await {
                        Ok(0) | Err(_) => return,
                        Ok(_) if buffer.starts_with(&[0x16]) => {
                            return drop(stream.write_all(b"HTTP/1.1 400 ").await);
                        }
                        Ok(count) => head.extend_from_slice(&buffer[..count]),
                    }
                }
                let _ = stream.write_all(answer).await;
                if hold {
                    tokio::time::sleep(Duration::from_secs(30)).await;
                }
            });
        }
    });
    Url::parse(&url).unwrap()
}

/// A peer that answers a TLS greeting with something else.
async fn no_tls() -> Url {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut greeting = [0_u8; 16];
            let _ = stream.read(&mut greeting).await;
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        }
    });
    Url::parse(&url).unwrap()
}

async fn send_to(url: Url, timeout_ms: u64) -> Outcome {
    let client = Client::new(TargetGuard::new(false)).unwrap();
    client.send(Outgoing { timeout: Duration::from_millis(timeout_ms), ..post(url) }).await
}

fn post(url: Url) -> Outgoing {
    Outgoing {
        method: Method::Post,
        url,
        headers: Vec::new(),
        body: Bytes::from_static(b"{}"),
        timeout: Duration::from_secs(10),
        max_answer: MAX_ANSWER,
    }
}

fn error(outcome: &Outcome) -> AttemptError {
    outcome.result.as_ref().unwrap_err().error
}

#[tokio::test]
async fn rt_04_each_class_of_failure_is_told_apart() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let free = Url::parse(&format!("http://{}/", closed.local_addr().unwrap())).unwrap();
    drop(closed);
    assert_eq!(error(&send_to(free, 2_000).await), AttemptError::Connect);
    let unknown = Url::parse("http://no-such-host.invalid/").unwrap();
    assert_eq!(error(&send_to(unknown, 5_000).await), AttemptError::Dns);
    assert_eq!(error(&send_to(peer(b"", true).await, 200).await), AttemptError::Timeout);
    assert_eq!(
        error(&send_to(peer(b"HTTP/1.1 200 OK\r\nA: ", true).await, 200).await),
        AttemptError::Timeout
    );
    assert_eq!(error(&send_to(peer(b"", false).await, 2_000).await), AttemptError::Reset);
    assert_eq!(
        error(&send_to(peer(b"HTTP/1.1 200 OK\r\nA: b", false).await, 2_000).await),
        AttemptError::Reset
    );
    assert_eq!(error(&send_to(no_tls().await, 2_000).await), AttemptError::Tls);
    let metadata = Url::parse("http://169.254.169.254/").unwrap();
    assert_eq!(error(&send_to(metadata, 2_000).await), AttemptError::BlockedAddress);
}

#[tokio::test]
async fn what_the_libraries_say_is_told_in_plain_words() {
    let told = |outcome: Outcome| outcome.result.unwrap_err().detail;
    let no_tls = told(send_to(no_tls().await, 2_000).await);
    assert_eq!(no_tls, "it does not speak TLS on that port; if it speaks HTTP, the URL begins with http://");
    let no_http = told(send_to(peer(b"SSH-2.0-OpenSSH_9\r\n", false).await, 2_000).await);
    assert!(no_http.starts_with("its response is not HTTP") && no_http.contains("https://"), "{no_http}");
    let silent = told(send_to(peer(b"", false).await, 2_000).await);
    assert_eq!(silent, "it closed the connection before its response was complete");
    let unknown = Url::parse("http://no-such-host.invalid/").unwrap();
    let unknown = told(send_to(unknown, 5_000).await);
    assert!(
        unknown.starts_with("no-such-host.invalid does not resolve: ") && !unknown.contains("lookup"),
        "{unknown}"
    );
}

#[tokio::test]
async fn a_post_without_a_body_has_its_length() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
    for (method, expected) in [(Method::Post, true), (Method::Put, true), (Method::Get, false)] {
        let request = Outgoing {
            method,
            url: url.clone(),
            headers: Vec::new(),
            body: Bytes::new(),
            timeout: Duration::from_secs(5),
            max_answer: MAX_ANSWER,
        };
        let client = Client::new(TargetGuard::new(false)).unwrap();
        let sent = tokio::spawn(async move { client.send(request).await });
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut head = vec![0_u8; 4_096];
        let read = stream.read(&mut head).await.unwrap();
        let head = String::from_utf8_lossy(&head[..read]).to_ascii_lowercase();
        assert_eq!(head.contains("content-length: 0\r\n"), expected, "{head}");
        stream.write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n").await.unwrap();
        assert_eq!(sent.await.unwrap().result.unwrap().status, 204);
    }
}

#[tokio::test]
async fn a_head_without_end_is_too_large() {
    let head: &'static str =
        format!("HTTP/1.1 200 OK\r\n{}", "X-A: aaaaaaaaaaaaaaaaaaaaaaaa\r\n".repeat(40_000)).leak();
    assert_eq!(error(&send_to(peer(head.as_bytes(), true).await, 5_000).await), AttemptError::TooLarge);
}

#[tokio::test]
async fn rt_08_ss_02_a_redirect_is_an_answer_and_is_not_followed() {
    let answer = b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n";
    let response = send_to(peer(answer, false).await, 2_000).await.result.unwrap();
    assert_eq!(response.status, 302);
}

#[tokio::test]
async fn rt_12_the_status_decides_however_the_body_ends() {
    let kept = |answer: &'static [u8], hold| async move {
        send_to(peer(answer, hold).await, 400)
            .await
            .result
            .map(|response| (response.status, response.body, response.truncated))
    };
    let whole = kept(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", false).await.unwrap();
    assert_eq!(whole, (200, Bytes::from_static(b"ok"), false));
    let stalled = kept(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok", true).await.unwrap();
    assert_eq!(stalled, (200, Bytes::from_static(b"ok"), true));
    let broken = kept(b"HTTP/1.1 201 Created\r\nContent-Length: 9\r\n\r\nok", false).await.unwrap();
    assert_eq!(broken, (201, Bytes::from_static(b"ok"), true));
    let until_close = kept(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nok", false).await.unwrap();
    assert_eq!(until_close, (200, Bytes::from_static(b"ok"), false));
    let informed =
        kept(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n", false).await.unwrap();
    assert_eq!((informed.0, informed.2), (204, false));
    let endless: &'static [u8] =
        [b"HTTP/1.1 200 OK\r\n\r\n".as_slice(), &vec![b'x'; 1 << 20]].concat().leak();
    let (status, body, truncated) = kept(endless, true).await.unwrap();
    assert_eq!((status, body.len(), truncated), (200, MAX_ANSWER, true));
}

#[tokio::test]
async fn a_header_that_cannot_be_sent_is_told() {
    let client = Client::new(TargetGuard::new(false)).unwrap();
    for (name, value) in [("X-A", &b"a\r\nX-B: c"[..]), ("X-A", b"a\0"), ("bad name", b"a"), ("", b"a")] {
        let request = Outgoing {
            method: Method::Post,
            url: Url::parse("http://127.0.0.1:9/").unwrap(),
            headers: vec![(name.to_owned(), value.to_vec())],
            body: Bytes::new(),
            timeout: Duration::from_secs(1),
            max_answer: 1,
        };
        assert_eq!(error(&client.send(request).await), AttemptError::HeaderInvalid, "{name}");
    }
}

struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn rt_04_a_bad_certificate_is_tls() {
    let folder = tempfile::tempdir().unwrap();
    let (key, certificate) = (folder.path().join("k.pem"), folder.path().join("c.pem"));
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "2",
        ])
        .args([
            "-subj",
            "/CN=localhost",
            "-keyout",
            key.to_str().unwrap(),
            "-out",
            certificate.to_str().unwrap(),
        ])
        .stderr(Stdio::null())
        .status()
        .unwrap();
    assert!(made.success());
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let server = Command::new("openssl")
        .args(["s_server", "-quiet", "-accept", &format!("127.0.0.1:{free}"), "-www"])
        .args(["-key", key.to_str().unwrap(), "-cert", certificate.to_str().unwrap()])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let _server = Killed(server);
    let end = Instant::now() + Duration::from_secs(10);
    while std::net::TcpStream::connect(("127.0.0.1", free)).map(|mut probe| probe.write_all(b"x")).is_err() {
        assert!(Instant::now() < end, "openssl does not listen");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let url = Url::parse(&format!("https://127.0.0.1:{free}/")).unwrap();
    assert_eq!(error(&send_to(url, 5_000).await), AttemptError::Tls);
}

#[tokio::test]
async fn no_more_of_a_large_head_is_kept_than_is_shown_and_retry_after_always() {
    let mut answer = b"HTTP/1.1 503 Busy\r\n".to_vec();
    for at in 0..90 {
        answer.extend_from_slice(format!("X-{at}: {}\r\n", "a".repeat(3_000)).as_bytes());
    }
    answer.extend_from_slice(b"Retry-After: 7\r\nContent-Length: 0\r\n\r\n");
    let outcome = send_to(peer(answer.leak(), true).await, 5_000).await;
    let response = outcome.result.unwrap();
    let bytes: usize = response.headers.iter().map(|(name, value)| name.len() + value.len()).sum();
    assert!((15_000..=MAX_HEAD).contains(&bytes), "{bytes}");
    assert!(response.headers.contains(&("retry-after".to_owned(), "7".to_owned())));
    assert!(response.truncated);
}

#[tokio::test]
async fn a_receiver_may_announce_late_that_tls_is_off() {
    let clear = peer(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", false).await;
    let address = std::net::SocketAddr::from(([127, 0, 0, 1], clear.port().unwrap()));
    let pins: crate::config::TlsPins = serde_json::from_str(r#"{"tls_pin": "sha256//x"}"#).unwrap();
    for looks in [0, 1, 3] {
        let left = std::sync::atomic::AtomicU32::new(looks);
        let pins = pins.clone();
        let receiver = OwnReceiver::new(ListenAddress::Tcp(address), move || {
            let one_less = |left: u32| left.checked_sub(1);
            left.fetch_update(Relaxed, Relaxed, one_less).is_ok().then(|| pins.clone())
        });
        let mut url = clear.clone();
        url.set_scheme("https").unwrap();
        let outcome = Client::of_receiver(&receiver).unwrap().send(post(url)).await;
        assert_eq!(outcome.result.unwrap().status, 200, "announced after {looks} looks");
    }
}
