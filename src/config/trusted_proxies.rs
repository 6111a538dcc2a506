//! The trusted proxies, and the header in which they name the client.

use std::net::IpAddr;

use ipnet::IpNet;

use super::values;

/// The entry of `trusted_proxies` for every connection to our UNIX socket.
const UNIX: &str = "unix:";

/// The trusted proxies, and how they name the client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies {
    /// Their addresses.
    pub ranges: Vec<IpNet>,
    /// Whether connections to our UNIX socket count as trusted.
    pub unix: bool,
    /// The header in which they name the client.
    pub header: ClientIpHeader,
    /// Whether they may start a connection with the PROXY protocol.
    pub proxy_protocol: bool,
}

impl TrustedProxies {
    /// Reads the entries of `trusted_proxies`: addresses, CIDRs and `unix:`.
    ///
    /// # Errors
    /// What is wrong with an entry.
    pub fn parse(entries: &[String]) -> Result<Self, String> {
        let (sockets, ranges): (Vec<_>, Vec<_>) = entries.iter().partition(|entry| *entry == UNIX);
        let ranges = values::ranges(ranges).map_err(|fault| format!("{fault}, or {UNIX:?}"))?;
        Ok(Self { ranges, unix: !sockets.is_empty(), ..Self::default() })
    }

    /// Whether this address is trusted.
    #[must_use]
    pub fn contain(&self, address: IpAddr) -> bool {
        self.ranges.iter().any(|range| range.contains(&address))
    }

    /// Whether no proxy is trusted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty() && !self.unix
    }
}

/// The header in which proxies name the client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ClientIpHeader {
    /// `X-Forwarded-For` and `Forwarded`; if both are present, they must name the same client.
    #[default]
    Both,
    /// Only this header.
    Named(String),
}

impl ClientIpHeader {
    /// Reads a header name; an empty text means both usual headers.
    ///
    /// # Errors
    /// When it is not a valid header name.
    pub fn parse(text: &str) -> Result<Self, String> {
        let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        match text.trim() {
            "" => Ok(Self::Both),
            name if name.len() <= 100 && name.bytes().all(is_token) => Ok(Self::Named(name.to_owned())),
            name => Err(format!(
                "{name:?} is not a header name; expected e.g. \"x-forwarded-for\", \"forwarded\" or \"x-real-ip\""
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_addresses_ranges_and_the_socket() {
        let read = |entries: &[&str]| {
            TrustedProxies::parse(&entries.iter().map(|entry| (*entry).to_owned()).collect::<Vec<_>>())
        };
        let proxies = read(&["127.0.0.1", "10.0.0.0/8", "unix:"]).unwrap();
        assert!(proxies.unix && proxies.contain("10.1.2.3".parse().unwrap()) && !proxies.is_empty());
        assert!(!proxies.contain("192.0.2.1".parse().unwrap()));
        assert!(read(&[]).unwrap().is_empty() && !read(&["::1"]).unwrap().unix);
        for bad in ["unix", "unix:/run/x.sock", "localhost", "10.0.0.0/33"] {
            assert!(read(&[bad]).unwrap_err().ends_with("or \"unix:\""), "{bad}");
        }
    }

    #[test]
    fn a_header_is_named_by_a_token() {
        assert_eq!(ClientIpHeader::parse(" "), Ok(ClientIpHeader::Both));
        assert_eq!(
            ClientIpHeader::parse("CF-Connecting-IP"),
            Ok(ClientIpHeader::Named("CF-Connecting-IP".into()))
        );
        for bad in ["x real ip", "x-real-ip:", "ä", "a,b", &"x".repeat(101)] {
            assert!(ClientIpHeader::parse(bad).unwrap_err().contains("is not a header name"), "{bad}");
        }
    }
}
