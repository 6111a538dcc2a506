//! The HTTP client of everything that we send. It follows no redirect and keeps no more of an answer than is shown.

use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};

/// The most bytes of an answer's body that are kept.
const MAX_ANSWER: usize = 16 * 1024;
/// How long a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long an answer may take, all in all.
const TIMEOUT: Duration = Duration::from_secs(90);

/// What came back.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The first 16 KiB of the body.
    pub body: Bytes,
    /// From the request's first byte to the end of what is kept.
    pub elapsed: Duration,
}

/// Why nothing came back.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// Nobody listens there, or the name does not resolve.
    #[error("nobody answers at {url}: {cause}")]
    Connect {
        /// The target.
        url: String,
        /// What went wrong.
        cause: String,
    },
    /// The answer took too long.
    #[error("{0} did not answer in time")]
    Timeout(String),
    /// The target or a header cannot be sent.
    #[error("{0}")]
    Request(String),
    /// The connection broke.
    #[error("{url}: {cause}")]
    Broken {
        /// The target.
        url: String,
        /// What went wrong.
        cause: String,
    },
}

/// The client. Cheap to clone; connections are kept and shared.
#[derive(Clone, Debug)]
pub struct Client(reqwest::Client);

impl Client {
    /// A client with our timeouts.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(_guard: super::TargetGuard) -> Result<Self, SendError> {
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TIMEOUT)
            .no_proxy()
            .user_agent(concat!("tagohook/", env!("CARGO_PKG_VERSION")))
            .build();
        client.map(Self).map_err(|fault| SendError::Request(innermost(&fault)))
    }

    /// Posts `body` with `headers` to `url`.
    ///
    /// # Errors
    /// Any way in which no answer comes; an answer of any status is none.
    pub async fn post(
        &self,
        url: &str,
        headers: &[(String, String)],
        body: Bytes,
    ) -> Result<Answer, SendError> {
        let started = Instant::now();
        let mut request = self.0.post(url).body(body);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let mut response = request.send().await.map_err(|fault| told(url, &fault))?;
        let status = response.status().as_u16();
        let mut kept = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(|fault| told(url, &fault))? {
            let room = MAX_ANSWER.saturating_sub(kept.len());
            kept.extend_from_slice(chunk.get(..room).unwrap_or(&chunk));
            if kept.len() == MAX_ANSWER {
                break;
            }
        }
        Ok(Answer { status, body: kept.freeze(), elapsed: started.elapsed() })
    }
}

fn told(url: &str, fault: &reqwest::Error) -> SendError {
    let url = url.to_owned();
    if fault.is_connect() {
        SendError::Connect { url, cause: innermost(fault) }
    } else if fault.is_timeout() {
        SendError::Timeout(url)
    } else if fault.is_builder() {
        SendError::Request(format!("{url} cannot be sent to: {}", innermost(fault)))
    } else {
        SendError::Broken { url, cause: innermost(fault) }
    }
}

/// The cause at the bottom, which says what happened.
fn innermost(fault: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = fault;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

// STUB until the room is merged.
#[allow(missing_docs)]
#[derive(Clone, Copy, Debug)]
pub enum Method {
    Post,
    Head,
}
#[allow(missing_docs)]
#[derive(Clone, Debug)]
pub struct Outgoing {
    pub method: Method,
    pub url: url::Url,
    pub headers: Vec<(String, Vec<u8>)>,
    pub body: Bytes,
    pub timeout: Duration,
}
#[allow(missing_docs)]
#[derive(Clone, Debug)]
pub struct Outcome {
    pub elapsed: Duration,
    pub result: Result<Response, Failure>,
}
#[allow(missing_docs)]
#[derive(Clone, Debug)]
pub struct Response {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Bytes,
    pub truncated: bool,
}
#[allow(missing_docs)]
#[derive(Clone, Debug)]
pub struct Failure {
    pub error: crate::domain::AttemptError,
    pub detail: String,
}
impl Client {
    #[allow(missing_docs)]
    pub async fn send(&self, outgoing: Outgoing) -> Outcome {
        let started = Instant::now();
        let method = match outgoing.method {
            Method::Post => reqwest::Method::POST,
            Method::Head => reqwest::Method::HEAD,
        };
        let mut request =
            self.0.request(method, outgoing.url.clone()).body(outgoing.body).timeout(outgoing.timeout);
        for (name, value) in &outgoing.headers {
            request = request.header(name, value.as_slice());
        }
        let result = match request.send().await {
            Ok(mut response) => {
                let status = response.status().as_u16();
                let headers = response
                    .headers()
                    .iter()
                    .map(|(n, v)| (n.to_string(), String::from_utf8_lossy(v.as_bytes()).into_owned()))
                    .collect();
                let mut kept = BytesMut::new();
                let mut truncated = false;
                loop {
                    match response.chunk().await {
                        Ok(Some(chunk)) => {
                            let room = MAX_ANSWER.saturating_sub(kept.len());
                            kept.extend_from_slice(chunk.get(..room).unwrap_or(&chunk));
                            if chunk.len() > room {
                                truncated = true;
                                break;
                            }
                        }
                        Ok(None) => break,
                        Err(_) => {
                            truncated = true;
                            break;
                        }
                    }
                }
                Ok(Response { status, headers, body: kept.freeze(), truncated })
            }
            Err(fault) => Err(Failure {
                error: if fault.is_timeout() {
                    crate::domain::AttemptError::Timeout
                } else {
                    crate::domain::AttemptError::Connect
                },
                detail: innermost(&fault),
            }),
        };
        Outcome { elapsed: started.elapsed(), result }
    }
}
