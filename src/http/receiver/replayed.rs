//! The client of a stored delivery by today's rules, and of a replay: it is judged by the address of its original.

use super::client_ip::locate;
use super::state::{ReceiverState, Rules};
use crate::config::TrustedProxies;
use crate::domain::{ClientAddress, Headers, StoredDelivery};
use crate::http::connection::other_end::{OtherEnd, Said};
use crate::inspect::replay::MARK;

/// The start of the explanation for a client that a PROXY protocol header named.
const PROXY_PROTOCOL: &str = "PROXY protocol of ";
/// The end of the explanation for the client of a replay.
const REPLAYED: &str = "; replayed from the inspector";

/// The client of a request: of the original, if it is a replay of ours.
pub fn client(end: OtherEnd, state: &ReceiverState, rules: &Rules, headers: &Headers) -> ClientAddress {
    let original = headers.get(MARK).and_then(|mark| state.replays.take(mark));
    let Some(original) = original else { return locate(end, &rules.trusted_proxies, headers) };
    let mut client = located(&original, &rules.trusted_proxies, headers);
    client.explanation.push_str(REPLAYED);
    client
}

/// The client of a stored delivery, found again by the proxies that are trusted now.
pub fn client_today(delivery: &StoredDelivery, proxies: &TrustedProxies) -> ClientAddress {
    located(&delivery.client, proxies, &delivery.headers)
}

fn located(stored: &ClientAddress, proxies: &TrustedProxies, headers: &Headers) -> ClientAddress {
    let is_said = stored.explanation.starts_with(PROXY_PROTOCOL);
    let said = if is_said { Said::Client(stored.ip) } else { Said::Nothing };
    let peer = Some(stored.peer).filter(|peer| !peer.is_unspecified());
    locate(OtherEnd { peer, said }, proxies, headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_that_is_trusted_now_names_the_client_of_a_stored_request() {
        let headers: Headers = std::iter::once(crate::domain::Header {
            name: "X-Forwarded-For".into(),
            value: b"203.0.113.9".to_vec(),
        })
        .collect();
        let trusted = |entries: &[&str]| {
            TrustedProxies::parse(&entries.iter().map(ToString::to_string).collect::<Vec<_>>()).unwrap()
        };
        let then = locate(OtherEnd::of(Some("198.51.100.1".parse().unwrap())), &trusted(&[]), &headers);
        assert_eq!(then.ip.to_string(), "198.51.100.1");
        let now = located(&then, &trusted(&["198.51.100.1"]), &headers);
        assert_eq!((now.ip.to_string(), now.peer), ("203.0.113.9".to_owned(), then.peer));
        assert_eq!(located(&now, &trusted(&[]), &headers), then, "and no longer, if it is not");
        let said = ClientAddress { explanation: format!("{PROXY_PROTOCOL}trusted proxy 10.0.0.1"), ..now };
        assert_eq!(located(&said, &trusted(&[]), &headers).ip, said.ip, "a connection's own word counts");
    }
}
