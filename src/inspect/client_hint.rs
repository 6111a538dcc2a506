//! What to do about a client whose address is not allowed: the cure depends on what the proxy in front did.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::domain::{ClientAddress, StoredDelivery};

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

/// What was seen, against the `rule` of the source, and what to do first.
pub fn diagnosis(delivery: &StoredDelivery, seen: &str, rule: &str) -> String {
    let (client, source) = (&delivery.client, &delivery.row.source);
    let takes = format!("source “{source}” takes only {rule}");
    if client.is_unknown() {
        let why = client.explanation.strip_prefix("unknown: ").unwrap_or(&client.explanation);
        return format!("The client's address is unknown, and {takes}. The cause: {why}.");
    }
    if client.is_unnamed() {
        let missing = client.explanation.strip_prefix(ClientAddress::UNNAMED).unwrap_or_default();
        let missing = missing.trim_start_matches(": ");
        let header = missing.strip_prefix("no ").unwrap_or("X-Forwarded-For");
        return format!(
            "{} is a trusted proxy, but it did not name its client: the request has {missing}. It was judged by \
             the proxy's own address, and {takes}. Let the proxy add {header}.",
            client.peer
        );
    }
    let proxy = match client.ip == client.peer {
        true => "; if it came through your proxy, put the proxy into trusted_proxies",
        false => "",
    };
    format!(
        "The request came from {seen}, but {takes}. If that sender is yours, add its address to allow{proxy}."
    )
}

/// More about it, for a source that allows `ranges`.
pub fn hints(delivery: &StoredDelivery, ranges: &[IpNet]) -> Vec<String> {
    let client = &delivery.client;
    if client.is_unknown() {
        return vec![unknown(delivery)];
    }
    if client.is_unnamed() {
        return unread(delivery).into_iter().collect();
    }
    not_believed(delivery).into_iter().chain(nearest_range(client.ip, ranges)).collect()
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

fn not_believed(delivery: &StoredDelivery) -> Option<String> {
    let chain =
        ["X-Forwarded-For", "Forwarded"].into_iter().find(|name| delivery.headers.get(name).is_some())?;
    let peer = delivery.client.peer;
    (delivery.client.ip == peer).then(|| {
        format!(
            "It has {chain}, which was ignored, because the connection came from {peer} and that is not a trusted \
             proxy: if it is your proxy or tunnel, add it to trusted_proxies."
        )
    })
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
            "The nearest range is {nearest}: the first {bits} of {} bits agree, and {wider} would hold both.",
            nearest.prefix_len()
        ));
    }
    Some(format!("No range is near to it; the nearest is {nearest}."))
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
        assert!(nearest_range("8.8.8.8".parse().unwrap(), &ranges).unwrap().contains("No range is near"));
        assert!(nearest_range("::1".parse().unwrap(), &ranges).unwrap().contains("No range is near"));
        assert_eq!(nearest_range("::1".parse().unwrap(), &[]), None);
    }
}
