//! Does a public address lead here? Says what answered, in a sentence and with what to do.

use url::Url;

use crate::domain::AttemptError;
use crate::http::inspector::state::InspectorState;
use crate::http::reach::{Reached, Seen};

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Whether the address leads here.
    pub is_well: bool,
    /// What was found.
    pub what: String,
    /// What to do; empty where nothing is to be done.
    pub then: String,
}

impl Found {
    fn fault(what: impl Into<String>, then: impl Into<String>) -> Self {
        Self { is_well: false, what: what.into(), then: then.into() }
    }
}

/// Asks the address.
pub async fn check(state: &InspectorState, at: &str) -> Found {
    let Some(source) = state.first_source() else {
        return Found::fault("No source is configured.", "Add a [[source]] to the configuration.");
    };
    let url = match address(at).and_then(|base| base.join(&format!("webhook/{}", source.name)).ok()) {
        Some(url) => url,
        None => return Found::fault("That is not a web address.", "Enter it as https://example.com."),
    };
    let host = url.host_str().unwrap_or_default().to_owned();
    let reached = state.reach.ask(state.sender.client(), url, state.clock.wall()).await;
    told(&host, &reached)
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

fn told(host: &str, reached: &Reached) -> Found {
    match reached {
        Reached::Here(seen, took) => {
            let what = format!("Reachable: {host} leads to this program ({} ms).", took.as_millis());
            Found { is_well: true, what, then: hidden(seen) }
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

/// What to do where the receiver cannot tell senders apart.
fn hidden(seen: &Seen) -> String {
    if seen.client != seen.peer {
        return format!("Your own address was seen as {}.", seen.client);
    }
    format!(
        "Every sender will have the address {}. To see their own, add trusted_proxies = [\"{0}\"] to [receiver].",
        seen.peer
    )
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
}
