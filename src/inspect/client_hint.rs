//! The fix for a client whose address is not allowed: it depends on what the proxy in front did.

use std::net::IpAddr;

use ipnet::IpNet;

use super::told::{Action, Diagnosis};
use crate::domain::{Allowlist, ClientAddress, StoredDelivery};

/// Headers in which proxies write an address, beyond `X-Forwarded-For` and `Forwarded`.
const OTHERS: [&str; 9] = [
    "X-Real-IP",
    "X-Client-IP",
    "Client-IP",
    "True-Client-IP",
    "CF-Connecting-IP",
    "Fastly-Client-IP",
    "Fly-Client-IP",
    "X-Cluster-Client-IP",
    "X-Envoy-External-Address",
];

/// Why the client of `delivery` may not send to a source that allows `ranges`, as its `rule` says, and what to do first.
pub fn diagnosis(delivery: &StoredDelivery, rule: &str, ranges: &[IpNet]) -> Diagnosis {
    let (client, source) = (&delivery.client, &delivery.row.source);
    let takes = format!("source “{source}” takes only {rule}");
    if client.is_unknown() {
        let why = client.explanation.strip_prefix("unknown: ").unwrap_or(&client.explanation);
        let cause = format!("The client's address is unknown, and {takes}. The cause: {why}.");
        let headline = "The client's address is unknown";
        return Diagnosis::new("client-unknown", headline, cause).fix(unknown(delivery));
    }
    if client.is_unnamed() {
        let missing = client.explanation.strip_prefix(ClientAddress::UNNAMED).unwrap_or_default();
        let missing = missing.trim_start_matches(": ");
        let header = missing.strip_prefix("no ").unwrap_or("X-Forwarded-For");
        let cause = format!(
            "{} is a trusted proxy, but it did not name its client: the request has {missing}. It was judged by the \
             proxy's own address, and {takes}.",
            client.peer
        );
        let told = Diagnosis::new("client-unnamed", "Your proxy does not name its client", cause)
            .fix(format!("Let the proxy add {header}."));
        return match unread(delivery) {
            Some(unread) => told.fix(unread),
            None => told,
        };
    }
    if let Some(told) = hidden(delivery, ranges, &takes) {
        return told;
    }
    let cause = format!("{} is not in the allowlist of source “{source}”.", client.ip);
    let told = Diagnosis::new("ip_not_allowed", "IP address not allowed", cause)
        .line(
            format!("If that sender is yours, allow it: set this in the [[source]] “{source}”."),
            allow_line(ranges, client.ip),
        )
        .proved_by(Action::ChangeRules);
    let told = match is_direct(client) {
        true => told.fix("If it came through your proxy, put the proxy into trusted_proxies."),
        false => told,
    };
    told.evidence(nearest_range(client.ip, ranges).unwrap_or_default())
}

/// Whether no forwarding header was read, so that the client is who connected.
fn is_direct(client: &ClientAddress) -> bool {
    client.explanation.starts_with("direct connection")
}

/// The allowlist with one address more.
fn allow_line(ranges: &[IpNet], address: IpAddr) -> String {
    let address = address.to_string();
    let all: Vec<String> = ranges
        .iter()
        .map(Allowlist::shown_range)
        .filter(|range| *range != address)
        .chain([address.clone()])
        .map(|one| format!("\"{one}\""))
        .collect();
    format!("allow = [{}]", all.join(", "))
}

/// A proxy that is not trusted, and hides a client that it names.
fn hidden(delivery: &StoredDelivery, ranges: &[IpNet], takes: &str) -> Option<Diagnosis> {
    let (client, peer) = (&delivery.client, delivery.client.peer);
    let chain =
        ["X-Forwarded-For", "Forwarded"].into_iter().find(|name| delivery.headers.get(name).is_some())?;
    if !is_direct(client) {
        return None;
    }
    let named = named_client(delivery, chain);
    let cause = match named {
        Some(named) if ranges.iter().any(|range| range.contains(&named)) => format!(
            "The request came through {peer}. Its {chain}, which was ignored, names {named}. That address would be \
             allowed."
        ),
        Some(named) => format!(
            "The request came through {peer}, but {takes}. Its {chain}, which was ignored, names {named}."
        ),
        None => format!("The request came through {peer}, but {takes}. Its {chain} was ignored."),
    };
    let told = Diagnosis::new("proxy-hides-client", "This proxy is not trusted", cause)
        .line(
            format!("If {peer} is your proxy or tunnel, trust it: add this to the configuration."),
            format!("[receiver]\ntrusted_proxies = [\"{peer}\"]"),
        )
        .line(
            format!(
                "If instead {peer} is the sender itself, allow it in the [[source]] “{}”.",
                delivery.row.source
            ),
            allow_line(ranges, peer),
        );
    Some(told.evidence(nearest_range(peer, ranges).unwrap_or_default()))
}

/// The first address that a header of proxies names.
fn named_client(delivery: &StoredDelivery, header: &str) -> Option<IpAddr> {
    let text = String::from_utf8_lossy(delivery.headers.get(header)?).into_owned();
    let first = text.split(',').next()?.trim();
    let named = match header {
        "Forwarded" => first.split(';').find_map(|part| {
            let (name, value) = part.trim().split_once('=')?;
            name.eq_ignore_ascii_case("for").then(|| value.trim_matches('"').to_owned())
        })?,
        _ => first.to_owned(),
    };
    let bare = named.trim_start_matches('[').split(']').next().unwrap_or_default().to_owned();
    bare.parse().or_else(|_| named.rsplit_once(':').map_or(named.as_str(), |(host, _)| host).parse()).ok()
}

/// What makes the client known.
fn unknown(delivery: &StoredDelivery) -> String {
    let has = |name: &str| delivery.headers.get(name).is_some();
    let is_about = |what: &str| delivery.client.explanation.contains(what);
    if is_about("unix:") {
        return "If your proxy is who connects to the socket, put \"unix:\" into trusted_proxies.".to_owned();
    }
    if is_about("PROXY protocol") {
        return "Let the proxy send the client's address in that header.".to_owned();
    }
    if has("X-Forwarded-For") && has("Forwarded") {
        return "A proxy writes one of these headers and passes on the other as the sender wrote it. Set \
                receiver.client_ip_header to the one that your proxy writes, or let the proxy remove the other."
            .to_owned();
    }
    if let Some(hint) = unread(delivery) {
        return hint;
    }
    if has("Forwarded") {
        return "Let the proxy write the client's address into Forwarded (nghttpx: --forwarded-for=ip), or let it \
                write X-Forwarded-For."
            .to_owned();
    }
    "Let the proxy write the client's address into X-Forwarded-For.".to_owned()
}

/// A header that may have the address, and that is not read.
fn unread(delivery: &StoredDelivery) -> Option<String> {
    let known = OTHERS.into_iter().chain(["X-Forwarded-For", "Forwarded"]);
    let is_in_name = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_');
    let words = delivery.client.explanation.split(|letter| !is_in_name(letter));
    let is_read = |name: &str| words.clone().any(|word| word.eq_ignore_ascii_case(name));
    let name =
        known.into_iter().filter(|name| !is_read(name)).find(|name| delivery.headers.get(name).is_some())?;
    Some(format!(
        "The request has {name}, which is not read. If the proxy itself writes it, set receiver.client_ip_header = \
         \"{}\".",
        name.to_ascii_lowercase()
    ))
}

fn nearest_range(address: IpAddr, ranges: &[IpNet]) -> Option<String> {
    let agree = |range: &&IpNet| match (address, range.network()) {
        (IpAddr::V4(address), IpAddr::V4(network)) => {
            (address.to_bits() ^ network.to_bits()).leading_zeros().min(u32::from(range.prefix_len()))
        }
        (IpAddr::V6(address), IpAddr::V6(network)) => {
            (address.to_bits() ^ network.to_bits()).leading_zeros().min(u32::from(range.prefix_len()))
        }
        _ => 0,
    };
    let nearest = ranges.iter().max_by_key(agree)?;
    let bits = agree(&nearest);
    let near = if address.is_ipv4() { 16 } else { 32 };
    if bits >= near {
        let wider = IpNet::new(address, u8::try_from(bits).ok()?).ok()?.trunc();
        return Some(format!(
            "The nearest range is {}: the first {bits} of {} bits agree, and {wider} would contain both.",
            Allowlist::shown_range(nearest),
            nearest.prefix_len()
        ));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_range_says_how_much_agrees() {
        let ranges = ["10.0.0.0/8".parse().unwrap(), "203.0.113.0/24".parse().unwrap()];
        let said = nearest_range("203.0.112.9".parse().unwrap(), &ranges).unwrap();
        assert!(
            said.contains("203.0.113.0/24")
                && said.contains("first 23 of 24")
                && said.contains("203.0.112.0/23"),
            "{said}"
        );
        assert_eq!(nearest_range("8.8.8.8".parse().unwrap(), &ranges), None, "none is near");
        assert_eq!(nearest_range("::1".parse().unwrap(), &ranges), None);
        assert_eq!(nearest_range("::1".parse().unwrap(), &[]), None);
    }
}
