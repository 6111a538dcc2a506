//! A request whose body arrives byte by byte, to try how a receiver bears it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::{Instant, sleep};
use tokio_rustls::TlsConnector;
use url::Url;

use super::client::{Answer, CONNECT_TIMEOUT, Client, MAX_ANSWER, SendError, TIMEOUT, header_map};
use crate::domain::{ListenAddress, without_os_numbers};

/// The most bytes of a response that are read, its head included.
const MAX_READ: usize = 4 * MAX_ANSWER;

/// A connection, encrypted or not.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

impl Client {
    /// Posts `body`, a byte every `pause`, until there is a response. No proxy is used.
    ///
    /// # Errors
    /// When no response arrives.
    pub async fn post_slowly(
        &self,
        url: &Url,
        headers: &[(String, String)],
        body: &Bytes,
        pause: Duration,
    ) -> Result<Answer, SendError> {
        let nobody =
            |cause: String| SendError::Nobody { url: url.to_string(), cause: without_os_numbers(&cause) };
        let lines = headers.iter().map(|(name, value)| (name.clone(), value.clone().into_bytes()));
        header_map(lines.collect()).map_err(|failure| SendError::Failed { url: url.to_string(), failure })?;
        let started = Instant::now();
        let connected = tokio::time::timeout(CONNECT_TIMEOUT, self.connect(url)).await;
        let stream = connected.map_err(|_| nobody("operation timed out".to_owned()))?.map_err(nobody)?;
        let (mut from, mut to) = tokio::io::split(stream);
        let head = head(url, headers, body.len());
        let sending = async {
            to.write_all(head.as_bytes()).await?;
            for byte in body {
                to.write_all(&[*byte]).await?;
                to.flush().await?;
                sleep(pause).await;
            }
            Ok::<_, std::io::Error>(())
        };
        let reading = async {
            let mut answer = Vec::new();
            let mut piece = [0; 1_024];
            while let Ok(count @ 1..) = from.read(&mut piece).await {
                answer.extend_from_slice(piece.get(..count).unwrap_or_default());
                if answer.len() > MAX_READ {
                    break;
                }
            }
            answer
        };
        let mut reading = std::pin::pin!(reading);
        let answer = tokio::select! {
            answer = &mut reading => answer,
            // Where the other end refuses more, its response may still be on the way.
            _ = sending => tokio::time::timeout(TIMEOUT, reading).await.unwrap_or_default(),
        };
        let (status, body) = read(&answer).ok_or_else(|| nobody("no response arrived".to_owned()))?;
        Ok(Answer { status, body, elapsed: started.elapsed() })
    }

    async fn connect(&self, url: &Url) -> Result<Box<dyn Stream>, String> {
        if let Some(path) = self.trust.only().and_then(ListenAddress::socket) {
            let stream = UnixStream::connect(path).await.map_err(|fault| fault.to_string())?;
            return self.encrypted(url, stream).await;
        }
        let (host, port) = (host(url), url.port_or_known_default().unwrap_or(80));
        let found = tokio::net::lookup_host((host, port)).await.map_err(|fault| fault.to_string())?;
        let mut last = format!("{host} does not resolve");
        for address in found {
            self.guard.check_address(address.ip()).map_err(|blocked| blocked.to_string())?;
            match TcpStream::connect(address).await {
                Ok(stream) => return self.encrypted(url, stream).await,
                Err(fault) => last = fault.to_string(),
            }
        }
        Err(last)
    }

    async fn encrypted(&self, url: &Url, stream: impl Stream + 'static) -> Result<Box<dyn Stream>, String> {
        if url.scheme() != "https" {
            return Ok(Box::new(stream));
        }
        let name = ServerName::try_from(host(url).to_owned()).map_err(|fault| fault.to_string())?;
        let tls = TlsConnector::from(Arc::clone(&self.tls)).connect(name, stream).await;
        Ok(Box::new(tls.map_err(|fault| fault.to_string())?))
    }
}

fn host(url: &Url) -> &str {
    url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']')
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
