//! What the running instance says: clock, receiver, proxies, sources, endpoints.

use std::net::IpAddr;
use std::time::{Duration, UNIX_EPOCH};

use serde_json::Value;

use super::finding::Finding;
use super::machine::endpoints as counted_endpoints;
use crate::cli::inspector::{Api, encoded, text};
use crate::domain::{Clock as _, Timestamp};
use crate::send::{Client, Method, Outgoing, OwnReceiver};
use crate::telemetry::SystemClock;

/// A clock may differ by this much: the date of a response has whole seconds.
const CLOCK: Duration = Duration::from_secs(3);
/// How many deliveries are looked at.
const NEWEST: usize = 20;
/// How long the receiver may take.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Looks at the instance.
///
/// # Errors
/// When it does not answer, or refuses.
pub async fn look(api: &Api) -> anyhow::Result<Vec<Finding>> {
    let (sources, date) = api.get_dated("sources").await?;
    let mut found = vec![
        Finding::well("inspector", format!("{} answers", api.base())),
        clock(date.as_deref(), SystemClock.wall()),
    ];
    if let Some(finding) = receiver(api).await? {
        found.push(finding);
    }
    found.push(proxies(api).await?);
    let sources = sources.get("sources").and_then(Value::as_array).cloned().unwrap_or_default();
    found.push(public_address(&sources));
    // The list also has what is only timed: the test URL, and sources that the configuration no longer has.
    found.extend(sources.iter().filter(|source| source.get("signature").is_some()).map(source));
    found.push(endpoints(&api.get("health").await?));
    let overview = api.get("overview").await?;
    for one in overview.get("attention").and_then(Value::as_array).into_iter().flatten() {
        let (sentence, url) = (text(one, "sentence"), text(one, "url"));
        let is_grave = one.get("grave").and_then(Value::as_bool) == Some(true);
        let make = if is_grave { Finding::bad } else { Finding::notice };
        found.push(make("attention", sentence, format!("{}: {}", text(one, "action"), api.page(&url))));
    }
    Ok(found)
}

fn clock(date: Option<&str>, here: Timestamp) -> Finding {
    let there = date.and_then(|date| httpdate::parse_http_date(date).ok()?.duration_since(UNIX_EPOCH).ok());
    let Some(there) = there.and_then(|there| i64::try_from(there.as_secs()).ok()).map(Timestamp::from_secs)
    else {
        return Finding::skipped("clock", "the response has no date");
    };
    let apart = here.abs_diff(there);
    if apart <= CLOCK {
        return Finding::well("clock", "the same here and at the instance");
    }
    let side = if here > there { "behind" } else { "ahead of" };
    let todo = "set both clocks by NTP: signatures with a time fail otherwise";
    Finding::bad("clock", format!("the instance is {} s {side} this machine", apart.as_secs()), todo)
}

/// The receiver of a local instance.
async fn receiver(api: &Api) -> anyhow::Result<Option<Finding>> {
    let Some(receiver) = api.data_dir().and_then(OwnReceiver::of_data_dir) else { return Ok(None) };
    let url = url::Url::parse(&receiver.url("readyz"))?;
    let request = Outgoing {
        method: Method::Get,
        url,
        headers: Vec::new(),
        body: bytes::Bytes::new(),
        timeout: TIMEOUT,
        max_answer: 1_024,
    };
    let outcome = Client::of_receiver(&receiver)?.send(request).await;
    let shown = &receiver;
    Ok(Some(match outcome.result {
        Ok(response) if response.status == 200 => Finding::well("receiver", format!("{shown} is ready")),
        Ok(response) => {
            let told = String::from_utf8_lossy(&response.body).trim().to_owned();
            let todo = "see the log: usually a full disk, or a database that does not answer";
            Finding::bad("receiver", format!("{shown} is not ready ({}): {told}", response.status), todo)
        }
        Err(failure) => {
            let todo = "see the log, and restart it";
            Finding::bad("receiver", format!("{shown} does not answer: {}", failure.detail), todo)
        }
    }))
}

/// Whether a proxy in front is trusted: otherwise every delivery seems to come from it.
async fn proxies(api: &Api) -> anyhow::Result<Finding> {
    let rows = api.pages("deliveries", "", Some(NEWEST)).await?;
    if rows.is_empty() {
        return Ok(Finding::skipped("proxies", "no delivery has arrived yet"));
    }
    for row in &rows {
        let delivery = api.get(&format!("deliveries/{}", encoded(&text(row, "id")))).await?;
        let lines = delivery.get("headers").and_then(Value::as_array).into_iter().flatten();
        let forwarded = lines.filter_map(|line| line.pointer("/0")?.as_str()).find(|name| {
            ["x-forwarded-for", "forwarded", "x-real-ip"].iter().any(|known| name.eq_ignore_ascii_case(known))
        });
        let (peer, client) = (text(&delivery, "peer_ip"), text(&delivery, "client_ip"));
        if let Some(header) = forwarded
            && peer == client
            && peer.parse::<IpAddr>().is_ok_and(is_inside)
        {
            let todo = format!("if that is your proxy: receiver.trusted_proxies = [\"{peer}\"]");
            return Ok(Finding::notice("proxies", format!("{peer} sends {header} and is not trusted"), todo));
        }
    }
    Ok(Finding::well("proxies", "the clients of the newest deliveries are known"))
}

fn is_inside(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_loopback() || address.is_private(),
        IpAddr::V6(address) => address.is_loopback() || address.is_unique_local(),
    }
}

fn public_address(sources: &[Value]) -> Finding {
    match sources.iter().find_map(|source| source.get("public_url")?.as_str()) {
        Some(url) => Finding::well("public address", format!("checked: {url}")),
        None => Finding::notice(
            "public address",
            "not checked: TagoRUN and TagoIO must reach the receiver over the internet",
            "the page Connect a sender of the inspector (/connect) checks it",
        ),
    }
}

/// What arrived at a source. TagoIO's Actions send a token and no signature.
fn source(source: &Value) -> Finding {
    let count = |key: &str| source.get(key).and_then(Value::as_u64).unwrap_or_default();
    let (name, accepted, refused) = (text(source, "id"), count("accepted_24h"), count("refused_24h"));
    let check = if name == "tagoio" { "TagoIO source" } else { "source" };
    if accepted == 0 && refused > 0 {
        let todo = format!("`tagohook deliveries list source:{name} verdict:rejected` has the reasons");
        return Finding::bad(
            check,
            format!("{name} refused all {refused} deliveries of the last 24 h"),
            todo,
        );
    }
    match source.get("last_seen").and_then(Value::as_str) {
        Some(last) => Finding::well(
            check,
            format!("{name}: last delivery {last}, {accepted} accepted and {refused} refused in 24 h"),
        ),
        None => {
            let todo = match name.as_str() {
                "tagoio" => {
                    "set its Action as on the page Connect a sender (/connect), with the header Authorization"
                }
                _ => {
                    "`tagohook trigger user.login` sends one; the page Connect a sender (/connect) has the steps"
                }
            };
            Finding::notice(check, format!("{name}: no delivery yet"), todo)
        }
    }
}

fn endpoints(health: &Value) -> Finding {
    let all = health.get("endpoints").and_then(Value::as_array).cloned().unwrap_or_default();
    if all.is_empty() {
        return Finding::skipped("endpoints", "no subscriptions");
    }
    let is_well = |endpoint: &&Value| ["healthy", "unknown"].contains(&text(endpoint, "status").as_str());
    let unwell: Vec<String> = all
        .iter()
        .filter(|endpoint| !is_well(endpoint))
        .map(|endpoint| {
            let why = match text(endpoint, "error").as_str() {
                "-" => text(endpoint, "response_code"),
                error => error.to_owned(),
            };
            format!("{} is {} ({why})", text(endpoint, "url"), text(endpoint, "status"))
        })
        .collect();
    if unwell.is_empty() {
        return Finding::well("endpoints", format!("{} healthy", counted_endpoints(all.len())));
    }
    let todo = "`tagohook subscriptions test NAME` sends a test and prints the response";
    Finding::bad("endpoints", unwell.join("; "), todo)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cli::doctor::finding::State;

    #[test]
    fn a_clock_that_is_far_away_is_a_problem() {
        let date = "Mon, 09 Mar 2026 07:14:58 GMT";
        let after =
            |secs: i64| Timestamp::parse_rfc3339("2026-03-09T07:14:58Z").unwrap().moved(secs * 1_000_000);
        assert_eq!(clock(Some(date), after(2)).state, State::Well);
        assert_eq!(clock(None, after(0)).state, State::Skipped);
        for (secs, side) in [(120, "120 s behind this machine"), (-120, "120 s ahead of this machine")] {
            let wrong = clock(Some(date), after(secs));
            assert!(wrong.state == State::Bad && wrong.found.contains(side), "{}", wrong.found);
        }
    }

    #[test]
    fn a_source_that_refuses_everything_is_a_problem_and_a_silent_one_a_notice() {
        let of = |told: Value| source(&told).state;
        assert_eq!(of(json!({"id": "a", "accepted_24h": 0, "refused_24h": 4, "last_seen": "x"})), State::Bad);
        assert_eq!(
            of(json!({"id": "a", "accepted_24h": 1, "refused_24h": 4, "last_seen": "x"})),
            State::Well
        );
        assert_eq!(of(json!({"id": "tagoio", "accepted_24h": 0, "refused_24h": 0})), State::Notice);
    }

    #[test]
    fn an_endpoint_that_does_not_answer_is_named() {
        let told = json!({"endpoints": [
            {"url": "http://a/", "status": "healthy"},
            {"url": "http://b/", "status": "unreachable", "error": "connection refused"},
        ]});
        let finding = endpoints(&told);
        assert_eq!(finding.found, "http://b/ is unreachable (connection refused)");
        assert_eq!(endpoints(&json!({"endpoints": []})).state, State::Skipped);
    }
}
