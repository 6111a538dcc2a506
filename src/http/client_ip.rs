//! Whose request is it? Forwarding headers are believed only from trusted proxies, and walked from the right.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;

use crate::domain::{ClientAddress, Headers};

/// Finds the client of a request from `peer`.
///
/// While the nearest known address is a trusted proxy, the hop it names is the next. A hop that is no address ends
/// the walk. `X-Forwarded-For` and `Forwarded` (RFC 7239) are both read; where they name different clients the client is
/// unknown (0.0.0.0), since a proxy passes on untouched the one it does not write.
pub fn locate(peer: IpAddr, trusted: &[IpNet], headers: &Headers) -> ClientAddress {
    let peer = peer.to_canonical();
    let is_trusted = |address: &IpAddr| trusted.iter().any(|range| range.contains(address));
    let chains: Vec<(&str, Vec<String>)> =
        [("X-Forwarded-For", x_forwarded_for(headers)), ("Forwarded", forwarded(headers))]
            .into_iter()
            .filter(|(_, hops)| !hops.is_empty())
            .collect();
    let direct = |explanation: String| ClientAddress { ip: peer, peer, explanation };
    let Some((name, hops)) = chains.first() else {
        return direct("direct connection".to_owned());
    };
    if !is_trusted(&peer) {
        return direct(format!("direct connection; its {name} is not believed, for it is no trusted proxy"));
    }
    let (ip, steps) = walk(peer, hops, is_trusted);
    if chains.iter().any(|(_, hops)| walk(peer, hops, is_trusted).0 != ip) {
        // The proxy's own address may be allowed; an unknown client must not pass for it.
        let explanation =
            format!("unknown: {peer} is a trusted proxy, but X-Forwarded-For and Forwarded disagree");
        return ClientAddress { ip: IpAddr::V4(Ipv4Addr::UNSPECIFIED), peer, explanation };
    }
    ClientAddress {
        ip,
        peer,
        explanation: format!("{name} of trusted proxy {peer}, {steps} hop(s) from the right"),
    }
}

/// The client behind `peer` and how many hops were walked.
fn walk(peer: IpAddr, hops: &[String], is_trusted: impl Fn(&IpAddr) -> bool) -> (IpAddr, usize) {
    let mut client = peer;
    let mut steps = 0;
    for hop in hops.iter().rev() {
        match parse_hop(hop) {
            Some(address) if is_trusted(&client) => {
                client = address;
                steps += 1;
            }
            _ => break,
        }
    }
    (client, steps)
}

/// An address, perhaps quoted, in brackets, with a port.
fn parse_hop(hop: &str) -> Option<IpAddr> {
    let hop = hop.trim().trim_matches('"');
    let address = hop.parse::<IpAddr>().ok().or_else(|| {
        let bracketed = hop.strip_prefix('[').and_then(|rest| rest.split_once(']'));
        match bracketed {
            Some((address, _)) => address.parse().ok(),
            None => hop.rsplit_once(':').and_then(|(address, _)| address.parse().ok()),
        }
    });
    address.map(|address| address.to_canonical())
}

fn x_forwarded_for(headers: &Headers) -> Vec<String> {
    list(headers, "x-forwarded-for")
}

/// The `for=` of each element of `Forwarded`; an element without one is a hop that is no address.
fn forwarded(headers: &Headers) -> Vec<String> {
    list(headers, "forwarded")
        .iter()
        .map(|element| {
            element
                .split(';')
                .filter_map(|pair| pair.split_once('='))
                .find(|(name, _)| name.trim().eq_ignore_ascii_case("for"))
                .map(|(_, value)| value.trim().to_owned())
                .unwrap_or_default()
        })
        .collect()
}

fn list(headers: &Headers, name: &str) -> Vec<String> {
    headers
        .get_all(name)
        .flat_map(|line| String::from_utf8_lossy(line).split(',').map(str::to_owned).collect::<Vec<_>>())
        .map(|element| element.trim().to_owned())
        .filter(|element| !element.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(peer: &str, lines: &[(&str, &str)]) -> String {
        let trusted = ["127.0.0.0/8", "10.0.0.0/8"].map(|range| range.parse().unwrap());
        let mut headers = Headers::default();
        for (name, value) in lines {
            headers.push(*name, value.as_bytes());
        }
        locate(peer.parse().unwrap(), &trusted, &headers).ip.to_string()
    }

    #[test]
    fn net_01_a_direct_client_cannot_name_another_address() {
        let lines = [("X-Forwarded-For", "203.0.113.1"), ("Forwarded", "for=203.0.113.1")];
        assert_eq!(client("198.51.100.9", &lines), "198.51.100.9");
    }

    #[test]
    fn net_10_behind_trusted_proxies_the_first_untrusted_hop_from_the_right_is_the_client() {
        let spoofed = [("X-Forwarded-For", "6.6.6.6, 203.0.113.1"), ("x-forwarded-for", "10.0.0.3")];
        assert_eq!(client("127.0.0.1", &spoofed), "203.0.113.1");
        assert_eq!(client("127.0.0.1", &[("X-Forwarded-For", "10.0.0.9,10.0.0.3")]), "10.0.0.9");
        assert_eq!(client("127.0.0.1", &[]), "127.0.0.1");
    }

    #[test]
    fn hops_come_with_ports_quotes_brackets_and_nonsense() {
        for (hop, seen) in [
            ("203.0.113.1:4711", "203.0.113.1"),
            ("[2001:db8::1]:4711", "2001:db8::1"),
            ("\"[2001:db8::1]\"", "2001:db8::1"),
            ("::ffff:203.0.113.1", "203.0.113.1"),
            ("unknown", "127.0.0.1"),
            ("_hidden", "127.0.0.1"),
            ("203.0.113.1, unknown", "127.0.0.1"),
        ] {
            assert_eq!(client("127.0.0.1", &[("X-Forwarded-For", hop)]), seen, "{hop}");
        }
        let element = "for=\"[2001:db8::1]:80\";proto=https;by=10.0.0.1";
        assert_eq!(client("127.0.0.1", &[("Forwarded", element)]), "2001:db8::1");
    }

    #[test]
    fn where_the_two_headers_disagree_neither_is_believed() {
        let lines = [("X-Forwarded-For", "203.0.113.1"), ("Forwarded", "for=203.0.113.2")];
        assert_eq!(client("127.0.0.1", &lines), "0.0.0.0", "nor does the client pass for the proxy");
        let lines = [("X-Forwarded-For", "203.0.113.1"), ("Forwarded", "for=203.0.113.1")];
        assert_eq!(client("127.0.0.1", &lines), "203.0.113.1");
    }

    #[test]
    fn net_03_a_mapped_peer_is_its_ipv4_address() {
        assert_eq!(client("::ffff:198.51.100.9", &[]), "198.51.100.9");
    }
}
