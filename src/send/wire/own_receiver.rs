//! Our own receiver, as our own requests reach it: its URL, and the key that it must have where it speaks TLS.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use url::Url;

use super::sample::{shell_quote, source_path};
use crate::config::{Addresses, TlsPins, read_addresses};
use crate::domain::{AttemptError, ListenAddress};

/// How long a request waits before each new attempt while the receiver switches TLS on or off, in milliseconds: about 1.5 s in
/// all, since the disk may be busy when it announces that.
pub(super) const SWITCH_MS: [u64; 5] = [50, 100, 200, 400, 800];

/// Our own receiver. TLS may be switched on and off, and its certificate be renewed, while it is in use.
#[derive(Clone)]
pub struct OwnReceiver {
    listen: ListenAddress,
    pins: Arc<dyn Fn() -> Option<TlsPins> + Send + Sync>,
}

impl OwnReceiver {
    /// A receiver that listens there. `pins` says which keys it may have now; `None`: it speaks HTTP.
    pub fn new(listen: ListenAddress, pins: impl Fn() -> Option<TlsPins> + Send + Sync + 'static) -> Self {
        Self { listen, pins: Arc::new(pins) }
    }

    /// The receiver of the program that runs on this data directory, if any.
    #[must_use]
    pub fn of_data_dir(data_dir: &std::path::Path) -> Option<Self> {
        let Addresses { receiver, .. } = read_addresses(data_dir)?;
        let data_dir = data_dir.to_owned();
        Some(Self::new(receiver, move || read_addresses(&data_dir)?.tls))
    }

    /// Where it listens.
    #[must_use]
    pub const fn listen(&self) -> &ListenAddress {
        &self.listen
    }

    /// Whether it speaks TLS now.
    #[must_use]
    pub fn is_tls(&self) -> bool {
        (self.pins)().is_some()
    }

    /// Its base URL, such as `http://127.0.0.1:8080`; "any address" is reached by loopback. Over a UNIX socket the host
    /// does not matter.
    #[must_use]
    pub fn base(&self) -> String {
        let scheme = if self.is_tls() { "https" } else { "http" };
        let host = match &self.listen {
            ListenAddress::Tcp(address) if address.ip().is_unspecified() => {
                SocketAddr::from((Ipv4Addr::LOCALHOST, address.port())).to_string()
            }
            ListenAddress::Tcp(address) => address.to_string(),
            ListenAddress::Unix(_) => "localhost".to_owned(),
        };
        format!("{scheme}://{host}")
    }

    /// The URL of `path`, which has no slash in front.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("{}/{path}", self.base())
    }

    /// The URL of a source.
    #[must_use]
    pub fn source_url(&self, source: &str) -> String {
        self.url(&source_path(source))
    }

    /// One of its URLs for display; shows the socket if it listens on one.
    #[must_use]
    pub fn shown(&self, url: &str) -> String {
        match url.strip_prefix(&self.base()).filter(|_| self.listen.socket().is_some()) {
            Some(path) => format!("{} {path}", self.listen),
            None => url.to_owned(),
        }
    }

    /// What a curl line needs to reach it, with a blank in front of each option. The pinned key takes the place of the
    /// name and the authority of the certificate.
    #[must_use]
    pub fn curl_options(&self) -> String {
        let mut options = String::new();
        if let Some(path) = self.listen.socket() {
            options.push_str(&format!(" --unix-socket {}", shell_quote(&path.display().to_string())));
        }
        if let Some(TlsPins { now: pin, .. }) = (self.pins)() {
            options.push_str(&format!(" --insecure --pinnedpubkey {}", shell_quote(&pin.to_string())));
        }
        options
    }

    /// The URL for one more attempt if TLS is switched on or off while a request is on its way, after `pause_ms` if the
    /// receiver may not have announced it. The receiver has not read that request: it expected the other protocol.
    /// `result` is its status, or why there was none.
    pub(super) async fn after_a_switch(
        &self,
        url: &Url,
        result: Result<u16, AttemptError>,
        pause_ms: u64,
    ) -> Option<Url> {
        // TLS is announced before it is in force, so that only a request by TLS may have to wait for the announcement.
        let is_early = match (url.scheme(), result) {
            ("http", Ok(400) | Err(AttemptError::Reset)) => false,
            ("https", Err(fault @ (AttemptError::Tls | AttemptError::Reset))) => {
                tokio::time::sleep(Duration::from_millis(pause_ms)).await;
                fault == AttemptError::Tls
            }
            _ => return None,
        };
        let scheme = if self.is_tls() { "https" } else { "http" };
        if scheme == url.scheme() && !is_early {
            return None;
        }
        let mut url = url.clone();
        url.set_scheme(scheme).ok()?;
        Some(url)
    }

    /// Whether a certificate has its key.
    pub(super) fn has_key_of(&self, certificate: &CertificateDer<'_>) -> bool {
        (self.pins)().is_some_and(|pins| pins.accept(certificate))
    }

    /// Whether it may be reached at this address.
    pub(super) fn is_at(&self, address: IpAddr) -> bool {
        let own = match &self.listen {
            ListenAddress::Tcp(own) => own.ip().to_canonical() == address.to_canonical(),
            ListenAddress::Unix(_) => false,
        };
        own || address.to_canonical().is_loopback()
    }
}

impl fmt::Debug for OwnReceiver {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_tuple("OwnReceiver").field(&self.listen).finish()
    }
}

impl fmt::Display for OwnReceiver {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.listen.fmt(out)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn only_a_request_by_tls_waits_for_a_switch() {
        let pins: TlsPins = serde_json::from_str(r#"{"tls_pin": "sha256//x"}"#).unwrap();
        let receiver = |is_tls: bool| {
            let pins = is_tls.then(|| pins.clone());
            OwnReceiver::new(ListenAddress::Tcp(([127, 0, 0, 1], 8080).into()), move || pins.clone())
        };
        let [clear, by_tls] = ["http", "https"]
            .map(|scheme| Url::parse(&format!("{scheme}://127.0.0.1:8080/webhook/a?b=c")).unwrap());
        let (refused, reset) = (Ok(400), Err(AttemptError::Reset));
        let at_once = |is_tls: bool, url: &Url, result| {
            receiver(is_tls).after_a_switch(url, result, SWITCH_MS[0]).now_or_never()
        };
        assert_eq!(at_once(false, &clear, refused), Some(None), "the payload was refused");
        assert_eq!(at_once(true, &by_tls, refused), Some(None));
        assert_eq!(at_once(true, &clear, Ok(200)), Some(None));
        assert_eq!(at_once(true, &clear, refused), Some(Some(by_tls.clone())));
        assert_eq!(at_once(true, &clear, reset), Some(Some(by_tls.clone())));
        for is_tls in [false, true] {
            assert_eq!(at_once(is_tls, &by_tls, Err(AttemptError::Tls)), None);
        }
        let later = receiver(false).after_a_switch(&by_tls, Err(AttemptError::Tls), SWITCH_MS[0]).await;
        assert_eq!(later, Some(clear.clone()));
        assert_eq!(
            receiver(true).after_a_switch(&by_tls, Err(AttemptError::Tls), SWITCH_MS[0]).await,
            Some(by_tls.clone())
        );
        assert_eq!(receiver(true).after_a_switch(&by_tls, reset, SWITCH_MS[0]).await, None);
    }
}
