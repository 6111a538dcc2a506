//! Whose request is it? Forwarding headers are believed only from trusted proxies, and walked from the right.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;

use crate::domain::{ClientAddress, Headers};

/// Finds the client of a request from `peer`.
///
/// While the nearest known address is a trusted proxy, the hop it names is the next. `X-Forwarded-For` and `Forwarded`
/// (RFC 7239) are both read. The client is unknown (0.0.0.0) where they name different ones, since a proxy passes on
/// untouched the one it does not write, and where a trusted proxy names something that is no address.
pub fn locate(peer: IpAddr, trusted: &[IpNet], headers: &Headers) -> ClientAddress {
    let peer = peer.to_canonical();
    let is_trusted = |address: &IpAddr| trusted.iter().any(|range| range.contains(address));
    let chains: Vec<(&str, Vec<String>)> =
        [("X-Forwarded-For", x_forwarded_for(headers)), ("Forwarded", forwarded(headers))]
            .into_iter()
            .filter(|(_, hops)| !hops.is_empty())
            .collect();
    let direct = |explanation: String| ClientAddress { ip: peer, peer, explanation };
    // The proxy's own address may be allowed; an unknown client must not pass for it.
    let unknown = |why: &str| {
        let explanation = format!("unknown: {peer} is a trusted proxy, but {why}");
        ClientAddress { ip: IpAddr::V4(Ipv4Addr::UNSPECIFIED), peer, explanation }
    };
    let Some((name, hops)) = chains.first() else {
        return direct("direct connection".to_owned());
    };
    if !is_trusted(&peer) {
        return direct(format!("direct connection; its {name} is not believed, for it is no trusted proxy"));
    }
    let walked = walk(peer, hops, is_trusted);
    if chains
        .iter()
        .any(|(_, hops)| walk(peer, hops, is_trusted).map(|(ip, _)| ip) != walked.map(|(ip, _)| ip))
    {
        return unknown("X-Forwarded-For and Forwarded disagree");
    }
    match walked {
        Some((ip, steps)) => ClientAddress {
            ip,
            peer,
            explanation: format!("{name} of trusted proxy {peer}, {steps} hop(s) from the right"),
        },
        None => unknown(&format!("{name} names a hop that is no address")),
    }
}

/// The client behind `peer` and how many hops were walked; `None` where a trusted hop names no address.
fn walk(peer: IpAddr, hops: &[String], is_trusted: impl Fn(&IpAddr) -> bool) -> Option<(IpAddr, usize)> {
    let mut client = peer;
    let mut steps = 0;
    for hop in hops.iter().rev() {
        if !is_trusted(&client) {
            break;
        }
        client = parse_hop(hop)?;
        steps += 1;
    }
    Some((client, steps))
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
    headers
        .get_all("x-forwarded-for")
        .flat_map(|line| String::from_utf8_lossy(line).split(',').map(str::to_owned).collect::<Vec<_>>())
        .map(|hop| hop.trim().to_owned())
        .filter(|hop| !hop.is_empty())
        .collect()
}

/// The `for=` of each element of `Forwarded`; an element without one is a hop that is no address, and so is a line
/// with a quote that does not end: whose the commas in it are cannot be told.
fn forwarded(headers: &Headers) -> Vec<String> {
    let lines = headers.get_all("forwarded").map(String::from_utf8_lossy);
    lines
        .flat_map(|line| match split_unquoted(&line, ',') {
            Some(elements) => {
                elements.into_iter().filter(|element| !element.is_empty()).map(hop_of).collect()
            }
            None => vec![String::new()],
        })
        .collect()
}

fn hop_of(element: &str) -> String {
    split_unquoted(element, ';')
        .unwrap_or_default()
        .into_iter()
        .filter_map(|pair| pair.split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("for"))
        .map(|(_, value)| value.trim().to_owned())
        .unwrap_or_default()
}

/// The trimmed parts between those `separator`s that stand in no quoted string (RFC 9110, 5.6.4); `None` where a quote
/// does not end.
fn split_unquoted(text: &str, separator: char) -> Option<Vec<&str>> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    let parts = text.split(|letter| {
        let was_escaped = std::mem::take(&mut is_escaped);
        match letter {
            '"' if !was_escaped => is_quoted = !is_quoted,
            '\\' if is_quoted => is_escaped = !was_escaped,
            _ => {}
        }
        letter == separator && !is_quoted
    });
    let parts = parts.map(str::trim).collect();
    (!is_quoted).then_some(parts)
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
            ("unknown", "0.0.0.0"),
            ("_hidden", "0.0.0.0"),
            ("203.0.113.1, unknown", "0.0.0.0"),
            ("unknown, 203.0.113.1", "203.0.113.1"),
        ] {
            assert_eq!(client("127.0.0.1", &[("X-Forwarded-For", hop)]), seen, "{hop}");
        }
    }

    #[test]
    fn quoted_commas_in_forwarded_separate_no_hops() {
        for (line, seen) in [
            ("for=\"[2001:db8::1]:80\";proto=https;by=10.0.0.1", "2001:db8::1"),
            ("for=6.6.6.6;host=\"a, for=203.0.113.1\"", "6.6.6.6"),
            ("for=6.6.6.6;host=\"a\\\", for=203.0.113.1\"", "6.6.6.6"),
            ("for=6.6.6.6;host=\"a;for=203.0.113.1\"", "6.6.6.6"),
            ("host=\";for=203.0.113.1\";For=6.6.6.6", "6.6.6.6"),
            ("for=203.0.113.1;host=\"a, for=6.6.6.6", "0.0.0.0"),
            ("for=203.0.113.1;host=\"\\, for=\"[2001:db8::1]\"", "0.0.0.0"),
            ("for=unknown", "0.0.0.0"),
            ("proto=https", "0.0.0.0"),
            (",", "127.0.0.1"),
        ] {
            assert_eq!(client("127.0.0.1", &[("Forwarded", line)]), seen, "{line}");
        }
        let lines = [("Forwarded", "for=203.0.113.1;host=\"a"), ("Forwarded", "for=6.6.6.6")];
        assert_eq!(client("127.0.0.1", &lines), "6.6.6.6", "an open quote ends with its line");
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
