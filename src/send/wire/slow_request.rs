//! A request whose body arrives byte by byte, to try how a receiver bears it.

use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};
use url::Url;

use super::client::{Answer, CONNECT_TIMEOUT, MAX_ANSWER, SendError};
use super::target_guard::TargetGuard;
use crate::domain::without_os_numbers;

/// Posts `body` over a plain connection, a byte every `pause`, until there is a response.
///
/// # Errors
/// When no response arrives.
pub async fn post_slowly(
    guard: TargetGuard,
    url: &Url,
    headers: &[(String, String)],
    body: &Bytes,
    pause: Duration,
) -> Result<Answer, SendError> {
    let nobody =
        |cause: String| SendError::Nobody { url: url.to_string(), cause: without_os_numbers(&cause) };
    let started = Instant::now();
    let connected = tokio::time::timeout(CONNECT_TIMEOUT, connect(guard, url)).await;
    let stream = connected.map_err(|_| nobody("operation timed out".to_owned()))?.map_err(nobody)?;
    let (mut from, mut to) = stream.into_split();
    let head = head(url, headers, body.len());
    let sending = async {
        to.write_all(head.as_bytes()).await?;
        for byte in body {
            to.write_all(&[*byte]).await?;
            sleep(pause).await;
        }
        Ok::<_, std::io::Error>(())
    };
    let reading = async {
        let mut answer = Vec::new();
        let mut piece = [0; 1_024];
        while let Ok(count @ 1..) = from.read(&mut piece).await {
            answer.extend_from_slice(piece.get(..count).unwrap_or_default());
        }
        answer
    };
    let mut reading = std::pin::pin!(reading);
    let answer = tokio::select! {
        answer = &mut reading => answer,
        // Where the other end refuses more, its response may still be on the way.
        _ = sending => reading.await,
    };
    let (status, body) = read(&answer).ok_or_else(|| nobody("the connection was closed".to_owned()))?;
    Ok(Answer { status, body, elapsed: started.elapsed() })
}

async fn connect(guard: TargetGuard, url: &Url) -> Result<TcpStream, String> {
    let (host, port) = (url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or(80));
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let found = tokio::net::lookup_host((host, port)).await.map_err(|fault| fault.to_string())?;
    let mut last = format!("{host} does not resolve");
    for address in found {
        guard.check_address(address.ip()).map_err(|blocked| blocked.to_string())?;
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(fault) => last = fault.to_string(),
        }
    }
    Err(last)
}

fn head(url: &Url, headers: &[(String, String)], length: usize) -> String {
    let query = url.query().map_or(String::new(), |query| format!("?{query}"));
    let authority = url.authority();
    let mut head = format!(
        "POST {}{query} HTTP/1.1\r\nHost: {authority}\r\nContent-Length: {length}\r\nConnection: close\r\n",
        url.path()
    );
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    head
}

/// The status and the body of a response.
fn read(answer: &[u8]) -> Option<(u16, Bytes)> {
    let mut lines = [httparse::EMPTY_HEADER; 64];
    let mut response = httparse::Response::new(&mut lines);
    let httparse::Status::Complete(end) = response.parse(answer).ok()? else { return None };
    let body = answer.get(end..)?;
    Some((response.code?, Bytes::copy_from_slice(body.get(..MAX_ANSWER).unwrap_or(body))))
}
