//! Query parameters, read strictly: unknown, invalid and repeated parameters are faults.

use super::problem::FieldFault;
use crate::domain::json::pointer;
use crate::domain::{DeliveryFilter, DeliveryId, Query, Reason, Timestamp, Verdict};
use crate::inspect::search;

/// The maximum length of a value, in bytes.
const MAX_VALUE: usize = 1024;

/// The maximum number of ids in a selection.
const MOST_IDS: usize = 200;
/// The maximum length of a list of ids, in bytes, with a comma and a space after each.
const MAX_IDS: usize = MOST_IDS * 38;

/// The maximum length of a parameter's value.
fn longest(name: &str) -> usize {
    if name == "ids" { MAX_IDS } else { MAX_VALUE }
}

/// The meaning of an empty value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blank {
    /// A fault, for programs.
    Fault,
    /// Absent, for forms, which send every field.
    Absent,
}

/// The parameters of a request; reading one removes it.
#[derive(Debug)]
pub struct Params {
    left: Vec<(String, String)>,
    faults: Vec<FieldFault>,
}

impl Params {
    /// The parameters of a query string.
    #[must_use]
    pub fn read(query: &str, blank: Blank) -> Self {
        let mut params = Self { left: Vec::new(), faults: Vec::new() };
        for (name, value) in form_urlencoded::parse(query.as_bytes()).into_owned() {
            if value.is_empty() && blank == Blank::Absent {
                continue;
            }
            if value.is_empty() {
                params.fault(&name, "is empty; leave it out instead");
            } else if value.len() > longest(&name) {
                params.fault(&name, &format!("is longer than {} bytes", longest(&name)));
            } else if params.left.iter().any(|(known, _)| *known == name) {
                params.fault(&name, "is given twice");
            } else {
                params.left.push((name, value));
            }
        }
        params
    }

    /// Reads the text of `name`.
    pub fn text(&mut self, name: &str) -> Option<String> {
        let at = self.left.iter().position(|(known, _)| known == name)?;
        Some(self.left.swap_remove(at).1)
    }

    /// Reads `name` with `parse`; `expected` describes a valid value.
    pub fn parsed<T>(
        &mut self,
        name: &str,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let text = self.text(name)?;
        let parsed = parse(&text);
        if parsed.is_none() {
            self.fault(name, &format!("cannot be read: expected {expected}"));
        }
        parsed
    }

    fn fault(&mut self, name: &str, message: &str) {
        let pointer = pointer::child("", name);
        self.faults.push(FieldFault { pointer, message: format!("{name} {message}") });
    }

    /// Reports every fault, including unknown parameters; `known` are the names for the message.
    ///
    /// # Errors
    /// If there is a fault.
    pub fn finish(mut self, known: &[&str]) -> Result<(), Vec<FieldFault>> {
        for (name, _) in std::mem::take(&mut self.left) {
            self.fault(&name, &format!("is not a parameter here; there are: {}", known.join(", ")));
        }
        if self.faults.is_empty() { Ok(()) } else { Err(self.faults) }
    }
}

const FILTER_NAMES: [&str; 15] = [
    "ids",
    "source",
    "verdict",
    "reason",
    "event_type",
    "event_id",
    "entity",
    "method",
    "status",
    "client_ip",
    "pinned",
    "tag",
    "q",
    "from",
    "to",
];

/// The names of the filter's parameters and `more`.
#[must_use]
pub fn filter_names(more: &[&'static str]) -> Vec<&'static str> {
    FILTER_NAMES.iter().chain(more).copied().collect()
}

/// Reads the filter of deliveries.
pub fn filter(params: &mut Params) -> DeliveryFilter {
    let verdicts = Verdict::ALL.map(Verdict::as_str).join(", ");
    let reasons: Vec<&str> = Reason::ALL.iter().map(|reason| reason.as_str()).collect();
    let time = "an RFC 3339 time such as 2026-03-09T07:14:58Z";
    DeliveryFilter {
        ids: params.parsed("ids", &format!("1 to {MOST_IDS} delivery ids with commas between them"), ids),
        source: params.text("source"),
        verdict: params.parsed("verdict", &format!("one of {verdicts}"), Verdict::from_word),
        reason: params.parsed("reason", &format!("one of {}", reasons.join(", ")), Reason::from_word),
        event_type: params.text("event_type"),
        event_id: params.text("event_id"),
        entity: params.text("entity"),
        method: params.text("method"),
        status: params.parsed("status", "a status from 100 to 599", status),
        client_ip: params.parsed("client_ip", "an address or a CIDR range", search::address_range),
        pinned: params.parsed("pinned", "true or false", |text| text.parse().ok()),
        tag: params.text("tag"),
        q: search(params),
        from: params.parsed("from", time, Timestamp::parse_rfc3339),
        to: params.parsed("to", time, Timestamp::parse_rfc3339),
    }
}

fn search(params: &mut Params) -> Option<Query> {
    let text = params.text("q")?;
    match search::parse(&text) {
        Ok(query) => Some(query).filter(|query| !query.is_everything()),
        Err(fault) => {
            params.fault("q", &format!("cannot be read: {fault}"));
            None
        }
    }
}

fn ids(text: &str) -> Option<Vec<DeliveryId>> {
    let ids: Option<Vec<DeliveryId>> = text.split(',').map(|id| id.trim().parse().ok()).collect();
    ids.filter(|ids| ids.len() <= MOST_IDS)
}

fn status(text: &str) -> Option<u16> {
    text.parse().ok().filter(|status| (100..=599).contains(status))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Result<DeliveryFilter, Vec<FieldFault>> {
        let mut params = Params::read(query, Blank::Fault);
        let filter = filter(&mut params);
        params.finish(&filter_names(&[])).map(|()| filter)
    }

    #[test]
    fn every_filter_is_read() {
        let filter = read(
            "source=a&verdict=rejected&reason=not_json&event_type=user.login&event_id=42&entity=d&method=POST\
             &status=400&client_ip=::ffff:203.0.113.9&q=a%26b+c&from=2026-03-09T08:00:00%2B01:00&to=2026-03-10T00:00:00Z",
        )
        .unwrap();
        assert_eq!(filter.verdict, Some(Verdict::Rejected));
        assert_eq!(filter.reason, Some(Reason::NotJson));
        assert_eq!(filter.client_ip, "203.0.113.9/32".parse().ok());
        assert_eq!(filter.q, search::parse("a&b c").ok());
        assert_eq!(filter.from, Timestamp::parse_rfc3339("2026-03-09T07:00:00Z"));
        assert_eq!(filter.status, Some(400));
        assert_eq!(read("").unwrap(), DeliveryFilter::default());
        let range = read("client_ip=::ffff:203.0.113.7/120").unwrap().client_ip;
        assert_eq!(range, "203.0.113.0/24".parse().ok());
    }

    #[test]
    fn every_fault_is_told_with_its_parameter() {
        let faults = read("verdict=ok&status=99&colour=red&from=yesterday&client_ip=1.2.3&source=&q=a&q=b")
            .unwrap_err();
        let places: Vec<&str> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
        assert_eq!(places, ["/source", "/q", "/verdict", "/status", "/client_ip", "/from", "/colour"]);
        assert!(faults[2].message.contains("accepted, duplicate, rejected, captured"));
        assert_eq!(read("status=600").unwrap_err().len(), 1);
        assert!(read("status=599").is_ok());
        assert!(read(&format!("q={}", "x".repeat(MAX_VALUE))).is_ok());
        assert!(read(&format!("q={}", "x".repeat(MAX_VALUE + 1))).is_err());
    }

    #[test]
    fn an_empty_field_of_a_form_is_absent() {
        let mut params = Params::read("source=&verdict=&q=x", Blank::Absent);
        assert_eq!(filter(&mut params).q, search::parse("x").ok());
        assert_eq!(params.finish(&[]), Ok(()));
    }
}
