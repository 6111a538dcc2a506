//! Does a public address lead here? Says what answered, in a sentence and with what to do.

use url::Url;

use crate::certificates::NO_TLS;
use crate::domain::{AttemptError, ClientAddress};
use crate::http::inspector::address_check::{Found, Level, is_local};
use crate::http::inspector::state::InspectorState;
use crate::http::receiver::reach::{Reached, Seen};
use crate::send::source_path;

/// Asks the address; returns its base if it leads here.
pub async fn check(state: &InspectorState, at: &str) -> (Found, Option<Url>) {
    let Some(source) = state.first_source() else {
        return (Found::fault("No source is configured.", "Add a [[source]] to the configuration."), None);
    };
    let base = address(at);
    let Some(url) = base.as_ref().and_then(|base| base.join(&source_path(&source.name)).ok()) else {
        return (Found::fault("That is not a web address.", "Enter it as https://example.com."), None);
    };
    let is_local = is_local(&url);
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    let host = format!("{}{port}", url.host_str().unwrap_or_default());
    let reached = state.reach.ask(state.sender.client(), url, state.clock.wall()).await;
    let found = told(&host, is_local, &reached);
    let base = base.filter(|_| found.level != Level::Ill);
    (found, base)
}

/// The base of what was typed: a path that ends with one of our routes is taken off.
pub fn address(at: &str) -> Option<Url> {
    let with_scheme = if at.contains("://") { at.to_owned() } else { format!("https://{at}") };
    let mut url = Url::parse(&with_scheme).ok()?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return None;
    }
    url.set_query(None);
    url.set_fragment(None);
    let path = url.path().to_owned();
    let base = path.find("/webhook").and_then(|at| path.get(..at)).unwrap_or(&path);
    url.set_path(&format!("{}/", base.trim_end_matches('/')));
    Some(url)
}

fn told(host: &str, is_local: bool, reached: &Reached) -> Found {
    match reached {
        Reached::Here(seen, took) => {
            let what = format!("Reachable: {host} leads to this program ({} ms).", took.as_millis());
            Found { what, ..seen_as(seen, is_local) }
        }
        Reached::Redirect(to) => Found::fault(
            format!("{host} redirects to {to}."),
            "A redirect turns a POST into a GET, and the data is lost. Enter that address instead.",
        ),
        Reached::Other(404) => Found::fault(
            format!("{host} answered 404, but not from this program."),
            "The tunnel or proxy leads somewhere else, or it passes on other paths only.",
        ),
        Reached::Other(status @ 502..=504) => Found::fault(
            format!("{host} answered {status}: the tunnel or proxy does not reach this program."),
            "Check the address and port that it forwards to.",
        ),
        Reached::Other(status) => Found::fault(
            format!("{host} answered {status}, but not from this program."),
            "A log-in page or another server is in front. Let it pass /webhook/ on.",
        ),
        Reached::Nothing(AttemptError::Tls, detail) if detail.starts_with(NO_TLS) => Found::fault(
            format!("{host} does not speak HTTPS on that port."),
            "Check the port, or enter the address with http://.",
        ),
        Reached::Nothing(error, detail) => {
            let then = match error {
                AttemptError::Dns => {
                    "Check the name. A new tunnel can take a minute until its name is known."
                }
                AttemptError::Tls => "A sender refuses this certificate, too. Let the proxy use a valid one.",
                AttemptError::Timeout => "A firewall may drop the connection, or the tunnel is not running.",
                AttemptError::BlockedAddress => "Use the address that senders on the internet use.",
                _ => "Is the tunnel or proxy running, and is the port open?",
            };
            Found::fault(format!("{host} cannot be reached: {detail}."), then)
        }
        Reached::Busy => Found::fault("Other checks are under way.", "Try again in a few seconds."),
    }
}

/// Whose address deliveries show, and what to do where that is the proxy's.
fn seen_as(seen: &Seen, is_local: bool) -> Found {
    let Seen { client, peer, explanation, is_forwarded } = seen;
    let found = |level, then: String| Found { level, what: String::new(), then, proxy: None };
    if explanation.starts_with(ClientAddress::UNNAMED) {
        found(
            Level::Warning,
            format!(
                "But the proxy {peer} does not name its client: let it add X-Forwarded-For. Otherwise every sender \
                 has its address."
            ),
        )
    } else if client.is_unspecified() {
        found(Level::Warning, format!("But the sender's address is unknown: {explanation}."))
    } else if client != peer || (*is_forwarded && explanation.contains(" of trusted proxy")) {
        let only = if is_local { " Only this machine can reach it." } else { "" };
        found(Level::Well, format!("Your own address was seen as {client}.{only}"))
    } else if *is_forwarded || (peer.is_loopback() && !is_local) {
        let then = format!(
            "But the proxy {peer} is not trusted yet: every sender will have its address. Trust it in the configuration:"
        );
        Found { proxy: Some(*peer), ..found(Level::Warning, then) }
    } else if is_local {
        found(Level::Well, "Only this machine can reach it.".to_owned())
    } else {
        let then = format!("The request came from {peer}. If that is your tunnel or proxy, trust it:");
        Found { proxy: Some(*peer), ..found(Level::Well, then) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_becomes_the_base_of_our_routes() {
        for (typed, base) in [
            ("https://a.example", "https://a.example/"),
            ("a.example", "https://a.example/"),
            ("http://a.example:8443/hooks/", "http://a.example:8443/hooks/"),
            ("https://a.example/webhook/tagorun?x=1#y", "https://a.example/"),
            ("https://a.example/hooks/webhook-test/x", "https://a.example/hooks/"),
        ] {
            assert_eq!(address(typed).unwrap().as_str(), base, "{typed}");
        }
        for wrong in ["", "https://", "ftp://a.example", "javascript:alert(1)", "a b"] {
            assert_eq!(address(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_proxy_that_hides_senders_is_told_from_one_that_names_them() {
        let at = |client: &str, explanation: &str, is_forwarded, is_local| {
            let (client, peer) = (client.parse().unwrap(), "127.0.0.1".parse().unwrap());
            let seen = Seen { client, peer, explanation: explanation.to_owned(), is_forwarded };
            seen_as(&seen, is_local)
        };
        let seen =
            |client: &str, explanation: &str, is_forwarded| at(client, explanation, is_forwarded, true).then;
        let named = "X-Forwarded-For of trusted proxy 127.0.0.1, last address";
        assert_eq!(at("203.0.113.7", named, true, false).then, "Your own address was seen as 203.0.113.7.");
        assert!(seen("127.0.0.1", named, true).starts_with("Your own address was seen as 127.0.0.1. Only"));
        assert!(seen("127.0.0.1", "direct connection", true).contains("every sender will have its address"));
        assert!(seen("127.0.0.1", "direct connection", false).contains("Only this machine can reach it"));
        let unnamed = format!("{}: no X-Forwarded-For", ClientAddress::UNNAMED);
        assert!(seen("127.0.0.1", &unnamed, false).contains("does not name its client: let it add"));
        assert!(seen("0.0.0.0", "unknown: it names a hop", true).contains("is unknown"));
        let level =
            |is_forwarded, is_local| at("127.0.0.1", "direct connection", is_forwarded, is_local).level;
        assert_eq!(
            [level(true, true), level(false, false)],
            [Level::Warning; 2],
            "a proxy that is not trusted"
        );
        assert_eq!(level(false, true), Level::Well, "no proxy at all");
    }
}
