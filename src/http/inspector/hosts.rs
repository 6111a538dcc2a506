//! The names under which the inspector may be reached. A page of a stranger whose name was made to point here
//! (DNS rebinding) sends its own name as `Host`, and is refused.

use std::net::{IpAddr, SocketAddr};

/// The names that a `Host` header may contain.
#[derive(Clone, Debug)]
pub struct Hosts {
    listen: SocketAddr,
    allowed: Vec<String>,
}

impl Hosts {
    /// localhost, the loopback addresses, the listen address, and the names of `allowed`. Ports do not matter: a proxy
    /// may drop or add one, and a stranger's name is strange on every port.
    ///
    /// Where we listen on every address, any literal address is taken too: a name can be rebound, an address cannot.
    #[must_use]
    pub fn new(listen: SocketAddr, allowed: &[String]) -> Self {
        let name = |name: &String| {
            let name = name.to_ascii_lowercase();
            split_port(&name).map_or(name.clone(), |(name, _)| name.to_owned())
        };
        Self { listen, allowed: allowed.iter().map(name).collect() }
    }

    /// Whether `host` is a name that the configuration lists.
    #[must_use]
    pub fn lists(&self, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        split_port(&host).is_some_and(|(name, _)| self.allowed.iter().any(|allowed| allowed == name))
    }

    /// Whether `host`, the raw value of a `Host` header, is one of ours.
    #[must_use]
    pub fn allows(&self, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        let Some((name, _)) = split_port(&host) else { return false };
        if name == "localhost" || self.allowed.iter().any(|allowed| allowed == name) {
            return true;
        }
        let address = match name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            Some(v6) => v6.parse::<std::net::Ipv6Addr>().ok().map(IpAddr::V6),
            None => name.parse::<std::net::Ipv4Addr>().ok().map(IpAddr::V4),
        };
        let Some(address) = address else { return false };
        let is_loopback = name == "127.0.0.1" || name == "[::1]";
        is_loopback || address == self.listen.ip() || self.listen.ip().is_unspecified()
    }
}

/// Whether two hosts are the same, where one without a port means the usual one.
#[must_use]
pub fn is_same_host(left: &str, right: &str, usual_port: u16) -> bool {
    match (split_port(left), split_port(right)) {
        (Some((left, left_port)), Some((right, right_port))) => {
            left.eq_ignore_ascii_case(right)
                && left_port.unwrap_or(usual_port) == right_port.unwrap_or(usual_port)
        }
        _ => false,
    }
}

/// Name and port of a `Host`; `None` where it is neither.
fn split_port(host: &str) -> Option<(&str, Option<u16>)> {
    let after_bracket = host.rfind(']').map_or(0, |at| at.saturating_add(1));
    match host.get(after_bracket..)?.find(':') {
        None => Some((host, None)),
        Some(at) => {
            let (name, port) = host.split_at_checked(after_bracket.saturating_add(at))?;
            let port = port.strip_prefix(':')?;
            let digits_only = port.bytes().all(|byte| byte.is_ascii_digit());
            if digits_only { Some((name, Some(port.parse().ok()?))) } else { None }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ui_05_only_our_own_names_are_answered() {
        let hosts =
            Hosts::new("192.0.2.7:8081".parse().unwrap(), &["hooks.example".into(), "b.example:99".into()]);
        for ours in [
            "localhost",
            "LOCALHOST:8081",
            "localhost:9",
            "127.0.0.1:8081",
            "[::1]:8081",
            "[::1]",
            "192.0.2.7:8081",
            "192.0.2.7",
            "hooks.example",
            "hooks.example:443",
            "Hooks.Example",
            "b.example:99",
            "b.example",
            "192.0.2.7:1",
        ] {
            assert!(hosts.allows(ours), "{ours}");
        }
        for strange in [
            "",
            "evil.example",
            "localhost.evil.example",
            "evil.example:8081",
            "127.0.0.1.evil.example",
            "192.0.2.8:8081",
            "localhost:8081:1",
            "localhost:x",
            "localhost@evil.example",
            "[::1",
            "::1",
            "127.1",
            "0x7f000001",
            "[::1]evil.example",
            "localhost:99999",
            "localhost.",
        ] {
            assert!(!hosts.allows(strange), "{strange}");
        }
        let any = Hosts::new("0.0.0.0:8081".parse().unwrap(), &[]);
        assert!(any.allows("192.168.1.5:8081") && !any.allows("evil.example"));
    }

    #[test]
    fn a_host_without_a_port_has_the_usual_one() {
        for (left, right) in
            [("h", "h"), ("h:443", "h"), ("H", "h:443"), ("[::1]:443", "[::1]"), ("h:9", "h:9")]
        {
            assert!(is_same_host(left, right, 443), "{left} {right}");
        }
        for (left, right) in [("h", "i"), ("h:80", "h"), ("h:9", "h:8"), ("h:x", "h:x"), ("h", "h.evil")] {
            assert!(!is_same_host(left, right, 443), "{left} {right}");
        }
    }
}
