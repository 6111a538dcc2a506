//! What is said at the start about a configuration without faults.

use super::super::types::ReceiverConfig;
use super::super::values::matches_all;
use crate::domain::{ListenAddress, Scheme, Source};

/// Behind a proxy without `trusted_proxies`, every client has the proxy's address (NET-10).
pub(super) fn proxy_notice(receiver: &ReceiverConfig, sources: &[Source]) -> Option<String> {
    let is_local = match receiver.listen {
        ListenAddress::Tcp(address) => address.ip().is_loopback() && receiver.trusted_proxies.is_empty(),
        ListenAddress::Unix(_) => !receiver.trusted_proxies.unix,
    };
    let lists =
        sources.iter().find(|source| source.allow.ranges.iter().any(|range| !range.network().is_loopback()));
    lists.filter(|_| is_local).map(|source| {
        format!(
            "source {}: allow names addresses beyond this machine, but the receiver listens on {} and no proxy is \
             trusted: every client will look like the proxy; set receiver.trusted_proxies",
            source.name, receiver.listen
        )
    })
}

/// Every client may name itself.
pub(super) fn trust_notice(receiver: &ReceiverConfig) -> Option<String> {
    let all = receiver.trusted_proxies.ranges.iter().find(|range| matches_all(range))?;
    Some(format!(
        "receiver.trusted_proxies: {all} trusts every client: each can send any address as its own, and pass any \
         allowlist; name only your proxies"
    ))
}

/// Secrets that nothing checks.
pub(super) fn unused_secrets(sources: &[Source]) -> impl Iterator<Item = String> {
    let is_unused = |source: &&Source| {
        let rule = &source.signature;
        rule.scheme == Scheme::None && !rule.secrets.is_empty() && source.handshake.is_none()
    };
    sources.iter().filter(is_unused).map(|source| {
        format!(
            "source {}: has secrets, but with signature = \"none\" no signature is checked; set the sender's scheme, or \
             leave the secrets out",
            source.name
        )
    })
}

/// One line for all variables that look like ours but are not.
pub(super) fn foreign_notice(names: &[String]) -> Option<String> {
    (!names.is_empty()).then(|| {
        format!(
            "not options of tagohook, so ignored: {}; `tagohook default-config` lists the options",
            names.join(", ")
        )
    })
}
