//! Gate 1: may this address send?

use super::trace::{Finding, Gated};
use crate::domain::{Allowlist, ClientAddress, Reason};

/// Checks the client's address against the source's ranges; an empty list allows every address.
pub fn check(allow: &Allowlist, client: &ClientAddress) -> Gated<()> {
    let seen = format!("{} ({})", client.ip, client.explanation);
    if allow.ranges.is_empty() {
        return Finding::new(seen, "any address").skip(());
    }
    match allow.find(client.ip) {
        Some(range) => Finding::new(seen, format!("in {}", Allowlist::shown_range(range))).pass(()),
        None => {
            let ranges: Vec<String> = allow.shown().collect();
            Finding::new(seen, format!("one of {}", ranges.join(", "))).fail(Reason::IpNotAllowed)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Gate, Outcome};
    use crate::receive::trace::Trace;

    fn outcome(ranges: &[&str], ip: &str) -> Outcome {
        let allow = Allowlist { ranges: ranges.iter().map(|range| range.parse().unwrap()).collect() };
        let ip = ip.parse().unwrap();
        let client = ClientAddress { ip, peer: ip, explanation: "direct connection".into() };
        let mut trace = Trace::start();
        let _ = trace.gate(Gate::Allowlist, check(&allow, &client));
        trace.finish()[0].outcome
    }

    #[test]
    fn an_address_is_allowed_by_any_range_that_holds_it() {
        assert_eq!(outcome(&["10.0.0.0/8", "203.0.113.0/24"], "203.0.113.255"), Outcome::Pass);
        assert_eq!(outcome(&["203.0.113.0/24"], "203.0.114.0"), Outcome::Fail);
        assert_eq!(outcome(&[], "198.51.100.1"), Outcome::Skipped);
    }

    #[test]
    fn s_14_addresses_are_compared_as_addresses_not_as_text() {
        assert_eq!(outcome(&["2001:DB8::1/128"], "2001:db8:0::1"), Outcome::Pass);
    }
}
