//! `[receiver]`.

use super::super::types::ReceiverConfig;
use super::super::values::{split_list, texts};
use super::super::{ClientIpHeader, TlsFiles, TrustedProxies, values};
use super::Read;

/// The bounds of `max_body`, in bytes.
const MAX_BODY: std::ops::RangeInclusive<u64> = 1..=1 << 30;

impl Read<'_> {
    pub(super) fn receiver(&mut self, notices: &mut Vec<String>) -> Option<ReceiverConfig> {
        let section = "receiver";
        let flag = self.options.listen.clone();
        let listen = self.address(section, flag, "--listen", "TAGOHOOK_LISTEN", values::listen_address);
        let trusted_proxies = self.trusted_proxies();
        let max_body = self.size(section, "max_body");
        let head_timeout = self.duration(section, "head_timeout");
        let body_timeout = self.duration(section, "body_timeout");
        let capture_rate = self.rate(section, "capture_rate");
        let refused_rate = self.rate(section, "refused_rate");
        let max_buffered = self.size(section, "max_buffered");
        let tls = self.tls(notices);
        let max_body = max_body?;
        if !MAX_BODY.contains(&max_body) {
            self.fault::<()>(section, "max_body", "out of bounds; 1 B to 1 GiB");
        }
        if max_buffered.is_some_and(|max_buffered| max_buffered < max_body) {
            self.fault::<()>(
                section,
                "max_buffered",
                "less than max_body; no body of that size could ever be read",
            );
        }
        if trusted_proxies.as_ref().is_some_and(|proxies| proxies.proxy_protocol && proxies.is_empty()) {
            self.fault::<()>(
                section,
                "proxy_protocol",
                "needs trusted_proxies: who may send the PROXY protocol",
            );
        }
        Some(ReceiverConfig {
            listen: listen?,
            trusted_proxies: trusted_proxies?,
            max_body: usize::try_from(max_body).ok()?,
            head_timeout: head_timeout?,
            body_timeout: body_timeout?,
            capture_rate: capture_rate?,
            refused_rate: refused_rate?,
            max_buffered: usize::try_from(max_buffered?).ok()?,
            tls: tls?,
        })
    }

    /// The outer `None` is a fault, the inner one means HTTP.
    fn tls(&mut self, notices: &mut Vec<String>) -> Option<Option<TlsFiles>> {
        let section = "receiver";
        let (cert, key) = (self.text(section, "tls_cert")?, self.text(section, "tls_key")?);
        let (given, missing) = match (cert.is_empty(), key.is_empty()) {
            (true, true) => return Some(None),
            (false, true) => ("tls_cert", "tls_key"),
            (true, false) => ("tls_key", "tls_cert"),
            (false, false) => ("", ""),
        };
        if !missing.is_empty() {
            return self.fault(section, given, &format!("needs receiver.{missing} too"));
        }
        let path = |name: &str| self.data_dir.join(name.strip_prefix("file:").unwrap_or(name));
        let files = TlsFiles { cert: path(&cert), key: path(&key) };
        match files.read() {
            Ok(_) => {
                notices.extend(files.warning());
                Some(Some(files))
            }
            Err(fault) => self.fault(section, fault.key, &fault.what),
        }
    }

    fn trusted_proxies(&mut self) -> Option<TrustedProxies> {
        let section = "receiver";
        let proxies =
            self.read(section, "trusted_proxies", |value| TrustedProxies::parse(&split_list(&texts(value)?)));
        let header = self.read(section, "client_ip_header", |value| {
            value.as_str().ok_or_else(|| "a header name in quotes".to_owned()).and_then(ClientIpHeader::parse)
        });
        let proxy_protocol = self.flag(section, "proxy_protocol");
        Some(TrustedProxies { header: header?, proxy_protocol: proxy_protocol?, ..proxies? })
    }
}
