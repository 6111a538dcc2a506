//! Who sent the request? Forwarding headers are only trusted from trusted proxies, and read from right to left.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use crate::config::{ClientIpHeader, TrustedProxies};
use crate::domain::{ClientAddress, Headers};
use crate::http::connection::other_end::{OtherEnd, Said};

/// The usual headers.
const X_FORWARDED_FOR: &str = "X-Forwarded-For";
const FORWARDED: &str = "Forwarded";
/// The most characters shown of a hop.
const SHOWN: usize = 40;

/// The hops in one header, the nearest last.
struct Chain<'a> {
    name: &'a str,
    hops: Vec<String>,
}

/// Finds the client of a request.
///
/// The connection comes first: its PROXY protocol header, or its peer. While the nearest known address is a trusted
/// proxy, the next hop in its header is used. The client is unknown (0.0.0.0) in two cases. Two headers name different
/// clients, since a proxy forwards the header it does not write unchanged. Or a trusted proxy names something that is
/// not an address.
pub fn locate(end: OtherEnd, proxies: &TrustedProxies, headers: &Headers) -> ClientAddress {
    let peer = end.peer.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    let found = |ip, explanation| ClientAddress { ip, peer, explanation };
    // The proxy's own address may be in the allowlist; an unknown client must not be treated as the proxy.
    let unknown = |why: fmt::Arguments<'_>| {
        found(IpAddr::V4(Ipv4Addr::UNSPECIFIED), format!("unknown: {} {why}", Proxy(end)))
    };
    let nearest = match (end.said, end.peer) {
        (Said::Nothing, peer) => peer,
        (Said::Client(client), _) => Some(client),
        (Said::Own, Some(_)) => return found(peer, format!("{} itself (PROXY protocol)", Proxy(end))),
        (Said::Own | Said::Nobody, _) => {
            return unknown(format_args!("names no client in its PROXY protocol header"));
        }
    };
    let chains = chains(&proxies.header, headers);
    if !nearest.map_or(proxies.unix, |address| proxies.contain(address)) {
        return match (end.said, nearest) {
            (Said::Client(client), _) => found(client, format!("PROXY protocol of {}", Proxy(end))),
            (_, Some(client)) => found(client, untrusted(&chains)),
            (_, None) => unknown(format_args!("is not trusted; trusted_proxies lacks \"unix:\"")),
        };
    }
    let Some((Chain { name, hops }, others)) = chains.split_first() else {
        let missing = missing(&proxies.header);
        return match nearest {
            Some(client) => found(client, format!("{}: {missing}", ClientAddress::UNNAMED)),
            None => unknown(format_args!("names no client: {missing}")),
        };
    };
    let walked = walk(nearest, hops, proxies);
    let client_of = |walked: Option<(IpAddr, usize)>| walked.map(|(client, _)| client);
    if others.iter().any(|other| client_of(walk(nearest, &other.hops, proxies)) != client_of(walked)) {
        return unknown(format_args!("sent headers that disagree: {}", told(&chains)));
    }
    match walked {
        Some((client, steps)) => found(
            client,
            format!(
                "{name} of {}, {}",
                Proxy(end),
                if steps == 1 { "last address".to_owned() } else { format!("address {steps} from the end") }
            ),
        ),
        None => unknown(format_args!("names a hop that is not an address: {}", told(&chains))),
    }
}

/// The proxy on the connection.
struct Proxy(OtherEnd);

impl fmt::Display for Proxy {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.peer {
            Some(peer) => write!(out, "trusted proxy {peer}"),
            None => out.write_str("the UNIX socket's other end"),
        }
    }
}

fn untrusted(chains: &[Chain<'_>]) -> String {
    match chains.first() {
        None => "direct connection".to_owned(),
        Some(Chain { name, .. }) => format!("direct connection; {name} ignored, not a trusted proxy"),
    }
}

fn missing(header: &ClientIpHeader) -> String {
    match header {
        ClientIpHeader::Both => "neither X-Forwarded-For nor Forwarded".to_owned(),
        ClientIpHeader::Named(name) => format!("no {name}"),
    }
}

/// The hops in the headers, the nearest last, for the operator.
fn told(chains: &[Chain<'_>]) -> String {
    let shown = |chain: &Chain<'_>| {
        let hop = chain.hops.last().map(String::as_str).unwrap_or_default();
        let plain = |letter: char| if letter == ' ' || letter.is_ascii_graphic() { letter } else { '?' };
        let hop: String = hop.chars().take(SHOWN).map(plain).collect();
        format!("{} “{hop}”", chain.name)
    };
    chains.iter().map(shown).collect::<Vec<_>>().join(", ")
}

/// The client behind `nearest`, and the number of hops used; `None` if a trusted hop names no address.
fn walk(nearest: Option<IpAddr>, hops: &[String], proxies: &TrustedProxies) -> Option<(IpAddr, usize)> {
    let mut hops = hops.iter().rev();
    let (mut client, mut steps) = match nearest {
        Some(nearest) => (nearest, 0),
        None => (parse_hop(hops.next()?)?, 1),
    };
    for hop in hops {
        if !proxies.contain(client) {
            break;
        }
        client = parse_hop(hop)?;
        steps += 1;
    }
    Some((client, steps))
}

/// The hops in the configured headers that are present.
fn chains<'a>(header: &'a ClientIpHeader, headers: &Headers) -> Vec<Chain<'a>> {
    let read = match header {
        ClientIpHeader::Both => [Some(X_FORWARDED_FOR), Some(FORWARDED)],
        ClientIpHeader::Named(name) => [Some(name.as_str()), None],
    };
    let chains = read.into_iter().flatten().map(|name| Chain { name, hops: hops(name, headers) });
    chains.filter(|chain| !chain.hops.is_empty()).collect()
}

fn hops(name: &str, headers: &Headers) -> Vec<String> {
    if name.eq_ignore_ascii_case(X_FORWARDED_FOR) {
        x_forwarded_for(headers)
    } else if name.eq_ignore_ascii_case(FORWARDED) {
        forwarded(headers)
    } else {
        one_address(name, headers)
    }
}

/// The address in a header with a single address. With several lines, the one from the proxy is unknown.
fn one_address(name: &str, headers: &Headers) -> Vec<String> {
    let mut lines: Vec<String> =
        headers.get_all(name).map(|line| String::from_utf8_lossy(line).into_owned()).collect();
    if lines.len() > 1 {
        vec![lines.join(", ")]
    } else {
        lines.retain(|line| !line.trim().is_empty());
        lines
    }
}

/// An address, possibly quoted, in brackets, or with a port.
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

/// The `for=` of each element of `Forwarded`. An element without one counts as a hop without an address. So does a
/// line with an unclosed quote, whose commas are ambiguous.
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

/// The trimmed parts between those `separator`s outside quoted strings (RFC 9110, 5.6.4); `None` for an unclosed
/// quote.
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
        found(OtherEnd::of(peer.parse().ok()), "", lines).ip.to_string()
    }

    fn found(end: OtherEnd, header: &str, lines: &[(&str, &str)]) -> ClientAddress {
        let proxies = TrustedProxies {
            ranges: ["127.0.0.0/8", "10.0.0.0/8"].map(|range| range.parse().unwrap()).to_vec(),
            unix: true,
            header: ClientIpHeader::parse(header).unwrap(),
            proxy_protocol: false,
        };
        let mut headers = Headers::default();
        for (name, value) in lines {
            headers.push(*name, value.as_bytes());
        }
        locate(end, &proxies, &headers)
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
        for hops in ["203.0.113.1", "203.0.113.1, 10.0.0.3"] {
            let lines = [("X-Forwarded-For", hops), ("Forwarded", "for=203.0.113.1")];
            assert_eq!(client("127.0.0.1", &lines), "203.0.113.1", "{hops}");
        }
    }

    #[test]
    fn net_03_a_mapped_peer_is_its_ipv4_address() {
        assert_eq!(client("::ffff:198.51.100.9", &[]), "198.51.100.9");
    }

    #[test]
    fn the_named_header_is_the_only_one_that_is_read() {
        let own = ("Forwarded", "for=192.168.1.9");
        for (header, lines, seen) in [
            ("x-forwarded-for", [("X-Forwarded-For", "203.0.113.1"), own], "203.0.113.1"),
            ("Forwarded", [("X-Forwarded-For", "203.0.113.1"), own], "192.168.1.9"),
            ("x-real-ip", [("X-Real-IP", "203.0.113.7"), own], "203.0.113.7"),
            ("x-real-ip", [("X-Real-IP", " [2001:db8::7]:443"), own], "2001:db8::7"),
            ("x-real-ip", [("X-Real-IP", "203.0.113.7"), ("x-real-ip", "203.0.113.8")], "0.0.0.0"),
            ("x-real-ip", [("X-Real-IP", "203.0.113.7, 203.0.113.8"), own], "0.0.0.0"),
            ("x-real-ip", [("X-Forwarded-For", "203.0.113.1"), own], "127.0.0.1"),
            ("cf-connecting-ip", [("CF-Connecting-IP", "203.0.113.9"), own], "203.0.113.9"),
        ] {
            let client = found(OtherEnd::of("127.0.0.1".parse().ok()), header, &lines);
            assert_eq!(client.ip.to_string(), seen, "{header} {lines:?}: {}", client.explanation);
            let stranger = found(OtherEnd::of("198.51.100.9".parse().ok()), header, &lines);
            assert_eq!(stranger.ip.to_string(), "198.51.100.9", "{header}");
        }
    }

    #[test]
    fn what_the_connection_says_comes_before_what_its_headers_say() {
        let forged = [("X-Forwarded-For", "203.0.113.1")];
        let peer: Option<IpAddr> = "127.0.0.1".parse().ok();
        let client = |text: &str| Said::Client(text.parse().unwrap());
        for (peer, said, seen) in [
            (peer, client("198.51.100.9"), "198.51.100.9"),
            (peer, client("10.0.0.3"), "203.0.113.1"),
            (peer, Said::Own, "127.0.0.1"),
            (peer, Said::Nobody, "0.0.0.0"),
            (None, client("198.51.100.9"), "198.51.100.9"),
            (None, Said::Own, "0.0.0.0"),
            (None, Said::Nothing, "203.0.113.1"),
        ] {
            let client = found(OtherEnd { peer, said }, "", &forged);
            assert_eq!(client.ip.to_string(), seen, "{peer:?} {said:?}: {}", client.explanation);
        }
        assert_eq!(found(OtherEnd::of(None), "", &[]).ip.to_string(), "0.0.0.0");
    }

    #[test]
    fn a_socket_is_trusted_only_where_that_is_said() {
        let proxies = TrustedProxies { unix: false, ..TrustedProxies::default() };
        let mut headers = Headers::default();
        headers.push("X-Forwarded-For", "203.0.113.1");
        let client = locate(OtherEnd::of(None), &proxies, &headers);
        assert_eq!(client.ip.to_string(), "0.0.0.0");
        assert!(client.explanation.contains("trusted_proxies lacks \"unix:\""), "{}", client.explanation);
    }
}
