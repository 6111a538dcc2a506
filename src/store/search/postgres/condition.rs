//! A query as SQL, as far as SQL can answer it.
//!
//! SQL decides conditions on columns. Conditions on texts, which ignore case letter by letter, are decided in the node. So
//! a query becomes a condition that each matching row meets, and a tree in which the node decides about the rows that meet
//! it: the answers on columns come with each row.

use std::net::Ipv4Addr;

use ipnet::IpNet;

use super::value::Value;
use crate::domain::{Condition, Pattern, Query, Timestamp};
use crate::store::log::encoding::{address_bytes, verdict_number};
use crate::store::search::text::folded;

/// A query for the node.
pub enum Decision {
    All(Vec<Self>),
    Any(Vec<Self>),
    Not(Box<Self>),
    /// The answer of SQL, by its place in `Plan::columns`.
    Column(usize),
    /// A header with that name whose value contains a folded text, if there is one.
    Header(String, Option<Vec<u8>>),
    /// A folded text in the body.
    Body(Vec<u8>),
    /// A folded text in the request line, the event's fields, a header or the body.
    Anywhere(Vec<u8>),
    /// The event id in a body that was rejected unread.
    UnverifiedId(Pattern),
    /// The device in such a body.
    UnverifiedDevice(Pattern),
    /// The user that the body names.
    User(Pattern),
    /// A tag.
    Tag(Pattern),
    /// A folded text in the note.
    Note(Vec<u8>),
}

/// How a query is answered.
#[derive(Default)]
pub struct Plan {
    /// A condition on `deliveries d` that every matching row meets.
    pub necessary: String,
    /// The values of `$1`, `$2`, …
    pub values: Vec<Value>,
    /// The conditions on columns of the query, each true or false.
    pub columns: Vec<String>,
    /// Whether an index leads to the rows: they are few, or found in order.
    pub is_led: bool,
    /// The decision left to the node; `None` if SQL decides everything.
    pub rest: Option<Decision>,
    /// Whether the node reads headers.
    pub reads_headers: bool,
    /// Whether the node reads bodies.
    pub reads_body: bool,
    /// Whether the node reads the ids in bodies that were rejected unread.
    pub reads_unverified: bool,
    /// Whether the node reads notes and tags.
    pub reads_marks: bool,
}

/// A part of a query.
struct Part {
    /// A condition that every row meets for which the part matches.
    necessary: String,
    /// Whether the part matches every row that meets it.
    is_exact: bool,
    decision: Decision,
}

impl Plan {
    /// The plan for `query`, evaluated at `now`.
    pub fn of(query: &Query, now: Timestamp) -> Self {
        let mut plan = Self { is_led: is_led(query), ..Self::default() };
        let part = plan.part(query, now, false);
        plan.necessary = part.necessary;
        plan.rest = (!part.is_exact).then_some(part.decision);
        plan
    }

    /// A part of the query, or its negation.
    fn part(&mut self, query: &Query, now: Timestamp, is_denied: bool) -> Part {
        match query {
            Query::Is(condition) => self.leaf(condition, now, is_denied),
            Query::Not(inner) => self.part(inner, now, !is_denied),
            Query::All(all) if is_denied => self.any(all, now, is_denied),
            Query::Any(any) if is_denied => self.all(any, now, is_denied),
            Query::All(all) => self.all(all, now, is_denied),
            Query::Any(any) => self.any(any, now, is_denied),
        }
    }

    fn all(&mut self, queries: &[Query], now: Timestamp, is_denied: bool) -> Part {
        let (necessary, is_exact, decisions) = self.joined(queries, now, is_denied, " AND ", "TRUE");
        Part { necessary, is_exact, decision: Decision::All(decisions) }
    }

    fn any(&mut self, queries: &[Query], now: Timestamp, is_denied: bool) -> Part {
        let (necessary, is_exact, decisions) = self.joined(queries, now, is_denied, " OR ", "FALSE");
        Part { necessary, is_exact, decision: Decision::Any(decisions) }
    }

    fn joined(
        &mut self,
        queries: &[Query],
        now: Timestamp,
        is_denied: bool,
        word: &str,
        none: &str,
    ) -> (String, bool, Vec<Decision>) {
        let parts: Vec<Part> = queries.iter().map(|query| self.part(query, now, is_denied)).collect();
        let is_exact = parts.iter().all(|part| part.is_exact);
        let (sql, decisions): (Vec<String>, Vec<Decision>) =
            parts.into_iter().map(|part| (part.necessary, part.decision)).unzip();
        let sql = if sql.is_empty() { none.to_owned() } else { format!("({})", sql.join(word)) };
        (sql, is_exact, decisions)
    }

    fn leaf(&mut self, condition: &Condition, now: Timestamp, is_denied: bool) -> Part {
        let Some(decision) = self.in_node(condition) else {
            let sql = self.in_sql(condition, now);
            // A missing value (an event without an id) does not match.
            let answer = if is_denied { format!("({sql}) IS NOT TRUE") } else { format!("({sql}) IS TRUE") };
            // Only bare comparisons let the planner use an index or leave out days.
            let necessary = match (is_denied, may_be_missing(condition)) {
                (false, _) => sql,
                (true, false) => format!("NOT ({sql})"),
                (true, true) => answer.clone(),
            };
            self.columns.push(answer);
            let place = self.columns.len().saturating_sub(1);
            return Part { necessary, is_exact: true, decision: Decision::Column(place) };
        };
        if is_denied {
            let decision = Decision::Not(Box::new(decision));
            return Part { necessary: "TRUE".to_owned(), is_exact: false, decision };
        }
        let necessary = match condition {
            Condition::UnverifiedId(_) | Condition::UnverifiedDevice(_) => {
                "d.unverified IS NOT NULL".to_owned()
            }
            Condition::Note(_) => marked("m.note IS NOT NULL"),
            Condition::Tag(pattern) => {
                // Each tag is a JSON string, and each letter of it is encoded alone.
                let pieces = pattern.pieces().iter().map(|piece| like(encoded(piece).as_str()));
                let tag = format!("%\"{}\"%", pieces.collect::<Vec<_>>().join("%"));
                let tag = self.value(Value::Text(tag));
                marked(&format!("m.tags LIKE {tag}"))
            }
            _ => "TRUE".to_owned(),
        };
        Part { necessary, is_exact: false, decision }
    }

    /// The decision of the node about a condition; `None` if SQL decides.
    fn in_node(&mut self, condition: &Condition) -> Option<Decision> {
        Some(match condition {
            Condition::Header { name, text } => {
                self.reads_headers = true;
                Decision::Header(name.clone(), text.as_deref().map(|text| folded(text.as_bytes())))
            }
            Condition::Body(text) => {
                self.reads_body = true;
                Decision::Body(folded(text.as_bytes()))
            }
            Condition::Anywhere(text) => {
                self.reads_headers = true;
                self.reads_body = true;
                Decision::Anywhere(folded(text.as_bytes()))
            }
            // PostgreSQL reads no JSON that has a NUL in it.
            Condition::UnverifiedId(pattern) => {
                self.reads_unverified = true;
                Decision::UnverifiedId(pattern.clone())
            }
            Condition::UnverifiedDevice(pattern) => {
                self.reads_unverified = true;
                Decision::UnverifiedDevice(pattern.clone())
            }
            Condition::User(pattern) => {
                self.reads_body = true;
                Decision::User(pattern.clone())
            }
            Condition::Tag(pattern) => {
                self.reads_marks = true;
                Decision::Tag(pattern.clone())
            }
            // A note that is not there contains an empty text.
            Condition::Note(text) if !text.is_empty() => {
                self.reads_marks = true;
                Decision::Note(folded(text.as_bytes()))
            }
            _ => return None,
        })
    }

    fn in_sql(&mut self, condition: &Condition, now: Timestamp) -> String {
        match condition {
            Condition::Delivery(ids) => {
                let ids = ids.iter().map(|id| id.as_bytes().to_vec()).collect();
                format!("d.id = ANY({})", self.value(Value::Ids(ids)))
            }
            Condition::Source(pattern) => self.pattern("d.source", pattern),
            Condition::EventId(pattern) => self.hashed("d.event_id", pattern),
            Condition::Entity(pattern) => self.hashed("d.entity", pattern),
            Condition::Method(pattern) => self.pattern("d.method", pattern),
            Condition::Path(pattern) => self.pattern("d.path", pattern),
            Condition::EventType(pattern) => {
                let canonical = self.pattern("d.event_type", pattern);
                format!("({canonical} OR {})", self.pattern("d.event_name", pattern))
            }
            Condition::Verdict(verdict) => {
                format!("d.verdict = {}", self.value(Value::Number(verdict_number(*verdict))))
            }
            Condition::Reason(reason) => {
                format!("d.reason = {}", self.value(Value::Text(reason.as_str().to_owned())))
            }
            Condition::Status(range) => {
                self.between("d.status", (*range.start()).into(), (*range.end()).into())
            }
            Condition::Size(range) => self.between("d.size_bytes", *range.start(), *range.end()),
            Condition::Duration(range) => self.between("d.duration_us", *range.start(), *range.end()),
            Condition::ClientIp(range) => self.address(*range),
            Condition::From(moment) => {
                format!("d.received_at >= {}", self.value(Value::Number(moment.instant(now).as_micros())))
            }
            Condition::To(moment) => {
                format!("d.received_at < {}", self.value(Value::Number(moment.instant(now).as_micros())))
            }
            Condition::Cause(pattern) => format!(
                "EXISTS (SELECT 1 FROM delivery_causes c WHERE c.seq = d.seq AND {})",
                self.pattern("c.code", pattern)
            ),
            Condition::Pinned(true) => marked("m.is_pinned"),
            Condition::Pinned(false) => format!("NOT {}", marked("m.is_pinned")),
            Condition::Note(_) => marked("TRUE"),
            // Decided in the node.
            Condition::UnverifiedId(_)
            | Condition::UnverifiedDevice(_)
            | Condition::User(_)
            | Condition::Header { .. }
            | Condition::Tag(_)
            | Condition::Body(_)
            | Condition::Anywhere(_) => "TRUE".to_owned(),
        }
    }

    /// The placeholder of a new value.
    fn value(&mut self, value: Value) -> String {
        self.values.push(value);
        format!("${}", self.values.len())
    }

    fn between(&mut self, column: &str, first: u64, last: u64) -> String {
        let whole = |number: u64| Value::Number(i64::try_from(number).unwrap_or(i64::MAX));
        let first = self.value(whole(first));
        format!("{column} BETWEEN {first} AND {}", self.value(whole(last)))
    }

    fn address(&mut self, range: IpNet) -> String {
        let of = |address| Value::Bytes(address_bytes(address).to_vec());
        let first = self.value(of(range.network()));
        let within = format!("d.client_ip BETWEEN {first} AND {}", self.value(of(range.broadcast())));
        if matches!(range, IpNet::V4(_)) {
            return format!("({within})");
        }
        // IPv4 addresses are stored in this range but are not IPv6 addresses.
        let first = self.value(of(Ipv4Addr::UNSPECIFIED.into()));
        let last = self.value(of(Ipv4Addr::BROADCAST.into()));
        format!("({within} AND d.client_ip NOT BETWEEN {first} AND {last})")
    }

    /// A pattern on a column with an index on its hash.
    fn hashed(&mut self, column: &str, pattern: &Pattern) -> String {
        match pattern.as_exact() {
            Some(text) => {
                let text = self.value(Value::Text(text.to_owned()));
                format!("(hashtext({column}) = hashtext({text}) AND {column} = {text})")
            }
            None => self.pattern(column, pattern),
        }
    }

    fn pattern(&mut self, column: &str, pattern: &Pattern) -> String {
        match pattern.as_exact() {
            Some(text) => format!("{column} = {}", self.value(Value::Text(text.to_owned()))),
            None => {
                let pieces: Vec<String> = pattern.pieces().iter().map(|piece| like(piece)).collect();
                format!("{column} LIKE {}", self.value(Value::Text(pieces.join("%"))))
            }
        }
    }
}

/// Whether an index leads to the rows of `query`: to deliveries by their ids, those of an event or of a device.
fn is_led(query: &Query) -> bool {
    match query {
        Query::Is(Condition::Delivery(_)) => true,
        Query::Is(Condition::EventId(pattern) | Condition::Entity(pattern)) => pattern.as_exact().is_some(),
        // Of several events together, none of their indexes gives the order.
        Query::Is(_) | Query::Not(_) | Query::Any(_) => false,
        Query::All(all) => all.iter().any(is_led),
    }
}

/// Whether a condition reads a column that some deliveries have no value in.
const fn may_be_missing(condition: &Condition) -> bool {
    matches!(
        condition,
        Condition::EventType(_) | Condition::EventId(_) | Condition::Entity(_) | Condition::Reason(_)
    )
}

/// The condition that the delivery has marks for which `sql` is true.
fn marked(sql: &str) -> String {
    format!("EXISTS (SELECT 1 FROM delivery_marks m WHERE m.seq = d.seq AND {sql})")
}

/// A text for LIKE, with wildcards taken literally.
fn like(text: &str) -> String {
    text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
}

/// A text as in a JSON string.
fn encoded(text: &str) -> String {
    let quoted = serde_json::to_string(text).unwrap_or_default();
    quoted.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Moment;

    fn necessary(query: &Query) -> String {
        Plan::of(query, Timestamp::from_secs(0)).necessary
    }

    #[test]
    fn a_condition_on_time_is_a_bare_comparison_so_that_only_its_days_are_read() {
        let at = Moment::At(Timestamp::from_secs(86_400));
        let (from, to) = (Query::Is(Condition::From(at)), Query::Is(Condition::To(at)));
        let between = Query::All(vec![from, Query::Not(Box::new(to))]);
        assert_eq!(necessary(&between), "(d.received_at >= $1 AND NOT (d.received_at < $2))");
    }

    #[test]
    fn a_delivery_without_a_value_matches_only_what_is_denied() {
        let is = Query::Is(Condition::EventId(Pattern::exactly("a")));
        let sql = "(hashtext(d.event_id) = hashtext($1) AND d.event_id = $1)";
        assert_eq!(necessary(&is), sql);
        assert_eq!(necessary(&Query::Not(Box::new(is))), format!("({sql}) IS NOT TRUE"));
    }
}
