//! The nearest miss: what a refused delivery probably was meant to be, beside what its gates say.

use std::net::IpAddr;

use ipnet::IpNet;

use super::cause::is_from_tagoio;
use super::charset::charset_hint;
use super::diagnosis::NO_NAME;
use super::naming;
use crate::domain::{Credential, Outcome, Reason, Scheme, Source, StoredDelivery, nearest};
use crate::signing::diagnose::clock;

/// Sentences that go on where the finding of the failed gate ends.
#[must_use]
pub fn hints(delivery: &StoredDelivery, sources: &[Source]) -> Vec<String> {
    let Some(reason) = delivery.row.reason else { return Vec::new() };
    let source = sources.iter().find(|source| source.name == delivery.row.source);
    let hint = match (reason, source) {
        (Reason::UnknownSource, _) => nearest_source(&delivery.row.source, sources),
        (Reason::IpNotAllowed, Some(source)) => {
            return [not_believed(delivery), nearest_range(delivery.row.client_ip, &source.allow.ranges)]
                .into_iter()
                .flatten()
                .collect();
        }
        (Reason::CredentialsMissing | Reason::CredentialsWrong, Some(source)) => {
            other_credential(delivery, source)
        }
        (Reason::SignatureMissing, _) => is_from_tagoio(delivery).then(|| cannot_sign(sources)),
        (Reason::Stale, Some(source)) => {
            clock(&delivery.headers, delivery.row.received_at, source.signature.tolerance)
                .map(|told| told.fix)
        }
        (Reason::InvalidPayload, Some(source)) if lacks_name(delivery) => {
            Some(naming::hint(delivery, source))
        }
        (Reason::NotJson, _) => charset_hint(&delivery.headers, &delivery.body)
            .or_else(|| looks_like(&delivery.body).map(str::to_owned)),
        _ => None,
    };
    hint.into_iter().collect()
}

fn lacks_name(delivery: &StoredDelivery) -> bool {
    delivery.checks.iter().any(|check| check.outcome == Outcome::Fail && check.rule.starts_with(NO_NAME))
}

fn nearest_source(asked: &str, sources: &[Source]) -> Option<String> {
    let names = || sources.iter().map(|source| source.name.as_str());
    let begun = || names().find(|name| !asked.is_empty() && name.starts_with(asked));
    Some(match nearest(asked, names()).or_else(begun) {
        Some(name) => format!("Probably “{name}” is meant."),
        None => format!("There are: {}.", names().collect::<Vec<_>>().join(", ")),
    })
}

fn not_believed(delivery: &StoredDelivery) -> Option<String> {
    let chain =
        ["X-Forwarded-For", "Forwarded"].into_iter().find(|name| delivery.headers.get(name).is_some())?;
    let peer = delivery.client.peer;
    (delivery.client.ip == peer).then(|| {
        format!(
            "It carries {chain}, which was not believed, because the connection came from {peer} and that is no trusted \
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

fn other_credential(delivery: &StoredDelivery, source: &Source) -> Option<String> {
    let has = |name: &str| delivery.headers.get(name).is_some_and(|value| !value.trim_ascii().is_empty());
    let authorization = delivery.headers.get("Authorization").map(String::from_utf8_lossy);
    // Without a scheme in front the whole value is masked.
    let scheme = authorization
        .as_deref()
        .and_then(|value| value.split_whitespace().next())
        .filter(|word| word.bytes().all(|byte| byte.is_ascii_alphabetic()))
        .map(str::to_owned);
    let asks_key = source.credentials.iter().find_map(|credential| match credential {
        Credential::ApiKey { header, .. } => Some(header.as_str()),
        _ => None,
    });
    if let (Some(scheme), Some(header)) = (&scheme, asks_key) {
        return Some(format!("It carries Authorization: {scheme} …, but the key is looked for in {header}."));
    }
    let presented = ["X-API-Key", "Api-Key", "X-Auth-Token", "Device-Token", "Account-Token"]
        .into_iter()
        .find(|name| has(name));
    if let (Some(presented), None) = (presented, asks_key) {
        return Some(format!("It carries {presented}, but the credential is looked for in Authorization."));
    }
    let is_missing = delivery.row.reason == Some(Reason::CredentialsMissing);
    let none =
        "No header of a credential is there at all: the sender does not set it, or a proxy takes it out.";
    (is_missing && scheme.is_none()).then(|| none.to_owned())
}

fn cannot_sign(sources: &[Source]) -> String {
    let unsigned = sources.iter().find(|source| source.signature.scheme == Scheme::None);
    let said = "This is a TagoIO Action, which cannot sign, but can send a header";
    match unsigned {
        Some(source) => {
            format!("{said}: let it post to /webhook/{} with that source's credential.", source.name)
        }
        None => {
            format!("{said}: add a source with signature = \"none\" and a credential, and let it post there.")
        }
    }
}

/// What a body that is no JSON probably is.
fn looks_like(body: &[u8]) -> Option<&'static str> {
    let text = String::from_utf8_lossy(body.get(..64 * 1024).unwrap_or(body));
    let text = text.trim_start_matches('\u{feff}').trim();
    let holds = |part: &str| text.contains(part);
    if body.is_empty() {
        return Some("The body is empty: the sender sent none, or something on the way dropped it.");
    }
    if text.starts_with('<') {
        return Some("It looks like HTML or XML: the sender posts a page, or its template makes no JSON.");
    }
    if !text.starts_with(['{', '[']) && holds("=") && !text.contains(char::is_whitespace) {
        return Some("It looks like a form (a=b&c=d): set the sender's body type to JSON.");
    }
    if holds("{{") || holds("}}") {
        return Some("It holds {{ }}: the sender's template was not filled in.");
    }
    if text.starts_with("{'") || text.starts_with("[{'") || holds("': ") {
        return Some("It has single quotes, as Python's str() writes a dict: use json.dumps.");
    }
    let word =
        |word: &str| text.split(|letter: char| !letter.is_ascii_alphanumeric()).any(|found| found == word);
    if word("NaN") || word("Infinity") {
        return Some("NaN and Infinity are no JSON: send null, or text.");
    }
    if word("undefined") || word("None") || word("True") || word("False") {
        return Some(
            "It holds a word of a programming language (undefined, None, True, False) where JSON has null, true, false.",
        );
    }
    let compact: String = text.chars().filter(|letter| !letter.is_whitespace()).collect();
    if compact.contains(",}") || compact.contains(",]") {
        return Some("It has a comma before a closing bracket.");
    }
    if holds("//") && text.lines().any(|line| line.trim_start().starts_with("//")) {
        return Some("It has comments, which JSON does not know.");
    }
    let opened = compact.matches(['{', '[']).count();
    (opened > compact.matches(['}', ']']).count())
        .then_some("It ends before its brackets are closed: it was cut on its way.")
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

    #[test]
    fn a_body_that_is_no_json_is_told_by_its_looks() {
        for (body, part) in [
            ("", "empty"),
            ("<html>", "HTML"),
            ("a=b&c=d", "form"),
            ("{'a': 1}", "single quotes"),
            ("{\"a\": NaN}", "NaN"),
            ("{\"a\": None}", "None"),
            ("{\"a\": 1,}", "comma"),
            ("{\n// x\n\"a\": 1}", "comments"),
            ("{\"a\": [1", "cut"),
            ("{\"a\": {{value}} }", "template"),
        ] {
            assert!(looks_like(body.as_bytes()).unwrap_or_default().contains(part), "{body}");
        }
        assert_eq!(looks_like(b"{\"a\" 1}"), None);
    }
}
