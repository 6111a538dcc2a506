//! The HTTP client for all outgoing requests. It follows no redirects and uses only the configured proxy. It connects
//! only to addresses that the guard allows, and keeps only as much of a response as is shown.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::header::{CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use tokio::time::{Instant, timeout, timeout_at};
use url::Url;

use super::failure::{Failure, innermost};
use super::method::Method;
use super::own_receiver::{OwnReceiver, SWITCH_MS};
use super::pieces::Pieces;
use super::target_guard::TargetGuard;
use super::trust::Trust;
use crate::config::{ForwardProxy, ProxyUrl};
use crate::domain::{AttemptError, ListenAddress};

/// The most bytes kept of a response body.
pub const MAX_ANSWER: usize = 16 * 1024;
/// The most bytes kept of the header lines: each attempt is a row, and a batch may have a thousand.
const MAX_HEAD: usize = 16 * 1024;
/// The time limit for connecting, including name resolution and TLS.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// The time limit for a whole `post`.
pub const TIMEOUT: Duration = Duration::from_secs(90);
/// A deadline is only noticed this late if the whole program stood still.
const LATE: Duration = Duration::from_millis(200);
/// The time limit for reading what arrived in the meantime.
const TO_READ: Duration = Duration::from_millis(500);
/// How long an idle connection is kept: less than the five seconds after which many servers close theirs.
const IDLE: Duration = Duration::from_secs(4);

/// A request, ready to be sent.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// The method.
    pub method: Method,
    /// The target.
    pub url: Url,
    /// The header lines, in order.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The body.
    pub body: Bytes,
    /// The time limit for the whole request.
    pub timeout: Duration,
    /// The most bytes read of the response body.
    pub max_answer: usize,
}

/// The result of a request.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// How long it took.
    pub elapsed: Duration,
    /// The response, or why there was none.
    pub result: Result<Response, Failure>,
}

/// A response. Its status decides, however its body ended.
#[derive(Clone, Debug)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// The header lines.
    pub headers: Vec<(String, String)>,
    /// The first bytes of the body.
    pub body: Bytes,
    /// Whether the body was longer, or broke off.
    pub truncated: bool,
}

/// The response to `post`.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The first 16 KiB of the body.
    pub body: Bytes,
    /// From the first byte of the request to the end of what is kept.
    pub elapsed: Duration,
}

/// Why there was no response.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The client cannot be created on this machine.
    #[error("TLS cannot be set up: {0}")]
    Client(String),
    /// The proxy cannot be used.
    #[error("the proxy {proxy} cannot be used: {why}")]
    Proxy {
        /// The proxy, without its credential.
        proxy: String,
        /// The reason.
        why: String,
    },
    /// The target is not a URL that can be sent to.
    #[error("{url} cannot be sent to: {cause}")]
    Target {
        /// The target.
        url: String,
        /// What is wrong with it.
        cause: String,
    },
    /// No program listens there.
    #[error("no response from {url}: {cause}")]
    Nobody {
        /// The target.
        url: String,
        /// The system's message.
        cause: String,
    },
    /// No response arrived.
    #[error("no response from {url}: {failure}")]
    Failed {
        /// The target.
        url: String,
        /// The reason.
        failure: Failure,
    },
}

/// The client. Cheap to clone; clones share their connections.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    pub(super) guard: TargetGuard,
    pub(super) trust: Trust,
    pub(super) tls: Arc<rustls::ClientConfig>,
    /// `None` without a proxy; otherwise whether the proxy may also resolve names that we cannot resolve.
    proxy_resolves: Option<bool>,
}

impl Client {
    /// A client without a proxy that reaches every address `guard` allows.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(guard: TargetGuard) -> Result<Self, SendError> {
        Self::behind(guard, &ForwardProxy::default(), Trust::System)
    }

    /// A client that reaches our own receiver, and nothing else by TLS.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn of_receiver(receiver: &OwnReceiver) -> Result<Self, SendError> {
        Self::behind(TargetGuard::new(false), &ForwardProxy::default(), Trust::Own(receiver.clone()))
    }

    /// A client that reaches every address `guard` allows, through `proxy`.
    ///
    /// # Errors
    /// When TLS cannot be set up, or `proxy` is an address that is never reached.
    pub fn behind(guard: TargetGuard, proxy: &ForwardProxy, trust: Trust) -> Result<Self, SendError> {
        let tls = trust.client_config().map_err(|fault| SendError::Client(fault.to_string()))?;
        let mut builder = reqwest::Client::builder()
            .tls_backend_preconfigured(tls.clone())
            .redirect(reqwest::redirect::Policy::none())
            // Requests that HTTP/2 refused would be repeated, for which each request is copied. We only use HTTP/1.1.
            .retry(reqwest::retry::never().max_retries_per_request(0))
            .http1_only()
            // An invalid header line in a response is left out; its status and its body count.
            .http1_ignore_invalid_headers_in_responses(true)
            .no_proxy()
            .dns_resolver(guard.resolver(hosts_of(proxy)))
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_idle_timeout(IDLE)
            .user_agent(concat!("tagohook/", env!("CARGO_PKG_VERSION")));
        for proxy in proxies(proxy)? {
            builder = builder.proxy(proxy);
        }
        if let Some(path) = trust.only().and_then(ListenAddress::socket) {
            builder = builder.unix_socket(path);
        }
        let http = builder.build().map_err(|fault| SendError::Client(innermost(&fault)))?;
        let proxy_resolves = proxy.is_used().then_some(proxy.resolves);
        Ok(Self { http, guard, trust, tls: Arc::new(tls), proxy_resolves })
    }

    /// Sends a request. The return value is always the outcome of an attempt.
    pub async fn send(&self, request: Outgoing) -> Outcome {
        let Trust::Own(own) = &self.trust else { return self.attempt(request).await };
        let mut request = request;
        for pause_ms in SWITCH_MS {
            let outcome = self.attempt(request.clone()).await;
            let status =
                outcome.result.as_ref().map(|response| response.status).map_err(|failure| failure.error);
            match own.after_a_switch(&request.url, status, pause_ms).await {
                Some(url) => request.url = url,
                None => return outcome,
            }
        }
        self.attempt(request).await
    }

    async fn attempt(&self, request: Outgoing) -> Outcome {
        let started = Instant::now();
        let result = self.answer(request).await;
        Outcome { elapsed: started.elapsed(), result }
    }

    async fn answer(&self, request: Outgoing) -> Result<Response, Failure> {
        let Outgoing { method, url, headers, body, timeout, max_answer } = request;
        self.guard
            .check_url(&url)
            .map_err(|blocked| Failure::new(AttemptError::BlockedAddress, blocked.to_string()))?;
        let deadline = Instant::now() + timeout;
        if let Some(may_be_unknown) = self.proxy_resolves {
            let judged = in_time(deadline, self.guard.check_name(&url, may_be_unknown)).await;
            judged
                .ok_or_else(|| Failure::new(AttemptError::Timeout, "operation timed out"))?
                .map_err(|fault| Failure::of_name(&fault))?;
        }
        let is_tls = url.scheme() == "https";
        let mut headers = header_map(headers)?;
        // Without this line, an empty body is no body at all, and HTTP/1.0 and some servers refuse that (RFC 9110, 8.6).
        if body.is_empty() && matches!(method, Method::Post | Method::Put | Method::Patch) {
            headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        let method = match method {
            Method::Post => reqwest::Method::POST,
            Method::Head => reqwest::Method::HEAD,
            Method::Get => reqwest::Method::GET,
            Method::Delete => reqwest::Method::DELETE,
            Method::Put => reqwest::Method::PUT,
            Method::Patch => reqwest::Method::PATCH,
            Method::Options => reqwest::Method::OPTIONS,
        };
        let request = self.http.request(method, url).headers(headers).body(body);
        let mut response = in_time(deadline, request.send())
            .await
            .ok_or_else(|| Failure::new(AttemptError::Timeout, "operation timed out"))?
            .map_err(|fault| Failure::of(&fault, is_tls))?;
        let status = response.status().as_u16();
        let (headers, is_head_cut) = kept_lines(response.headers());
        let read = read_body(&mut response, max_answer, deadline).await;
        Ok(Response { status, headers, body: read.0, truncated: is_head_cut || read.1 })
    }

    /// Posts `body` with `headers` to `url`, for a user who waits.
    ///
    /// # Errors
    /// When no response arrives; a response with any status is not an error.
    pub async fn post(
        &self,
        url: &str,
        headers: &[(String, String)],
        body: Bytes,
    ) -> Result<Answer, SendError> {
        let target = Url::parse(url).map_err(|fault| fault.to_string()).and_then(|target| {
            let is_http = matches!(target.scheme(), "http" | "https");
            if is_http { Ok(target) } else { Err("http or https expected".to_owned()) }
        });
        let target = target.map_err(|cause| SendError::Target { url: url.to_owned(), cause })?;
        let headers =
            headers.iter().map(|(name, value)| (name.clone(), value.clone().into_bytes())).collect();
        let (method, timeout, max_answer) = (Method::Post, TIMEOUT, MAX_ANSWER);
        let request = Outgoing { method, url: target, headers, body, timeout, max_answer };
        let Outcome { elapsed, result } = self.send(request).await;
        match result {
            Ok(Response { status, body, .. }) => Ok(Answer { status, body, elapsed }),
            Err(Failure { error: AttemptError::Connect | AttemptError::Dns, detail: cause }) => {
                Err(SendError::Nobody { url: url.to_owned(), cause })
            }
            Err(failure) => Err(SendError::Failed { url: url.to_owned(), failure }),
        }
    }

    /// Reads an endless response, piece by piece.
    ///
    /// # Errors
    /// When no response begins in time.
    pub async fn stream(&self, url: Url, headers: Vec<(String, Vec<u8>)>) -> Result<(u16, Pieces), Failure> {
        let is_tls = url.scheme() == "https";
        let request = self.http.get(url).headers(header_map(headers)?);
        let response = timeout(TIMEOUT, request.send())
            .await
            .map_err(|_| Failure::new(AttemptError::Timeout, "operation timed out"))?
            .map_err(|fault| Failure::of(&fault, is_tls))?;
        Ok((response.status().as_u16(), Pieces::of(response)))
    }
}

/// The configured proxies, in the client's types.
fn proxies(configured: &ForwardProxy) -> Result<Vec<reqwest::Proxy>, SendError> {
    type Make = fn(Url) -> reqwest::Result<reqwest::Proxy>;
    let schemes: [(&Option<ProxyUrl>, Make); 2] =
        [(&configured.http, reqwest::Proxy::http), (&configured.https, reqwest::Proxy::https)];
    let no_proxy = reqwest::NoProxy::from_string(&configured.no_proxy.join(","));
    let mut made = Vec::new();
    for (proxy, make) in schemes {
        let Some(proxy) = proxy else { continue };
        let refused = |why: String| SendError::Proxy { proxy: proxy.to_string(), why };
        // Private addresses are allowed here, since the operator chose them; forbidden ones are not.
        TargetGuard::new(false).check_url(proxy.expose()).map_err(|blocked| refused(blocked.to_string()))?;
        let proxy = make(proxy.expose().clone()).map_err(|fault| refused(innermost(&fault)))?;
        made.push(proxy.no_proxy(no_proxy.clone()));
    }
    Ok(made)
}

fn hosts_of(proxy: &ForwardProxy) -> Vec<String> {
    let host = |proxy: &ProxyUrl| proxy.expose().host_str().map(str::to_owned);
    [&proxy.http, &proxy.https].into_iter().flatten().filter_map(host).collect()
}

pub(super) fn header_map(lines: Vec<(String, Vec<u8>)>) -> Result<HeaderMap, Failure> {
    let mut headers = HeaderMap::with_capacity(lines.len());
    for (name, value) in lines {
        let invalid =
            || Failure::new(AttemptError::HeaderInvalid, format!("{name:?} or its value cannot be sent"));
        let key = HeaderName::from_bytes(name.as_bytes()).map_err(|_| invalid())?;
        headers.append(key, HeaderValue::from_bytes(&value).map_err(|_| invalid())?);
    }
    Ok(headers)
}

fn line((name, value): (&HeaderName, &HeaderValue)) -> (String, String) {
    (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
}

/// Waits for a result until `deadline`. If the deadline is noticed late, the whole program stood still, or its machine
/// slept. A response may then be waiting unread. It is still read; otherwise its message would be sent again.
async fn in_time<T>(deadline: Instant, coming: impl Future<Output = T>) -> Option<T> {
    let mut coming = std::pin::pin!(coming);
    if let Ok(come) = timeout_at(deadline, &mut coming).await {
        return Some(come);
    }
    if deadline.elapsed() < LATE {
        return None;
    }
    timeout(TO_READ, coming).await.ok()
}

/// The header lines to keep, always including `Retry-After`; the flag says that there were more.
fn kept_lines(headers: &HeaderMap) -> (Vec<(String, String)>, bool) {
    let mut kept = Vec::new();
    let mut bytes = 0_usize;
    for (name, value) in headers {
        bytes = bytes.saturating_add(name.as_str().len()).saturating_add(value.len());
        if bytes <= MAX_HEAD || (name == RETRY_AFTER && value.len() <= MAX_HEAD) {
            kept.push(line((name, value)));
        }
    }
    (kept, bytes > MAX_HEAD)
}

/// Reads the body up to its limit and until the deadline; the flag says that the body was longer or broke off. The
/// head has arrived, so nothing here counts as a failure.
async fn read_body(response: &mut reqwest::Response, cap: usize, deadline: Instant) -> (Bytes, bool) {
    let mut kept = BytesMut::new();
    loop {
        match timeout_at(deadline, response.chunk()).await {
            Ok(Ok(Some(chunk))) => {
                let room = cap.saturating_sub(kept.len());
                kept.extend_from_slice(chunk.get(..room).unwrap_or(&chunk));
                if chunk.len() > room {
                    return (kept.freeze(), true);
                }
            }
            Ok(Ok(None)) => return (kept.freeze(), false),
            Ok(Err(_)) | Err(_) => return (kept.freeze(), true),
        }
    }
}

#[cfg(test)]
mod tests;
