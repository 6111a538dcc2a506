//! A query as SQL: the exact result for one row.

use std::net::Ipv4Addr;

use ipnet::IpNet;
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, Result};

use crate::domain::{Condition, Pattern, Query, Timestamp};
use crate::store::log::encoding::{self, address_bytes};
use crate::store::search::text::{folded, folded_body, header_holds, user_in};

/// A condition on `deliveries d`, and on `delivery_bytes b` if it reads bytes.
#[derive(Default)]
pub struct Where {
    /// The SQL, with a `?` for each value.
    pub sql: String,
    /// The values, in their order.
    pub values: Vec<Value>,
    /// Whether it reads headers or body.
    pub reads_bytes: bool,
}

impl Where {
    /// The condition for `query`, evaluated at `now`.
    pub fn of(query: &Query, now: Timestamp) -> Self {
        let mut condition = Self::default();
        condition.query(query, now);
        condition
    }

    /// The tables that it reads, as in FROM.
    pub const fn tables(&self) -> &'static str {
        if self.reads_bytes { "deliveries d JOIN delivery_bytes b USING (seq)" } else { "deliveries d" }
    }

    fn query(&mut self, query: &Query, now: Timestamp) {
        match query {
            Query::Is(condition) => self.condition(condition, now),
            Query::Not(inner) => {
                // An unknown value (an event without an id) does not match.
                self.sql.push_str("NOT coalesce(");
                self.query(inner, now);
                self.sql.push_str(", 0)");
            }
            Query::All(all) => self.joined(all, " AND ", "1", now),
            Query::Any(any) => self.joined(any, " OR ", "0", now),
        }
    }

    fn joined(&mut self, queries: &[Query], word: &str, none: &str, now: Timestamp) {
        self.sql.push('(');
        if queries.is_empty() {
            self.sql.push_str(none);
        }
        for (at, query) in queries.iter().enumerate() {
            if at > 0 {
                self.sql.push_str(word);
            }
            self.query(query, now);
        }
        self.sql.push(')');
    }

    fn condition(&mut self, condition: &Condition, now: Timestamp) {
        match condition {
            Condition::Delivery(ids) => {
                let places = vec!["?"; ids.len()].join(",");
                self.sql.push_str(&format!("d.id IN ({places})"));
                self.values.extend(ids.iter().map(|id| Value::Blob(id.as_bytes().to_vec())));
            }
            Condition::Source(pattern) => self.pattern("d.source", pattern),
            Condition::EventId(pattern) => self.pattern("d.event_id", pattern),
            Condition::Entity(pattern) => self.pattern("d.entity", pattern),
            Condition::UnverifiedId(pattern) => self.pattern("json_extract(d.unverified, '$[1]')", pattern),
            Condition::UnverifiedDevice(pattern) => {
                self.pattern("json_extract(d.unverified, '$[2]')", pattern);
            }
            Condition::User(pattern) => {
                self.reads_bytes = true;
                self.pattern("body_user(b.body)", pattern);
            }
            Condition::Method(pattern) => self.pattern("d.method", pattern),
            Condition::Path(pattern) => self.pattern("d.path", pattern),
            Condition::EventType(pattern) => {
                self.sql.push('(');
                self.pattern("d.event_type", pattern);
                self.sql.push_str(" OR ");
                self.pattern("d.event_name", pattern);
                self.sql.push(')');
            }
            Condition::Verdict(verdict) => self.compare("d.verdict = ?", encoding::verdict_number(*verdict)),
            Condition::Reason(reason) => self.compare("d.reason = ?", reason.as_str().to_owned()),
            Condition::Status(range) => {
                self.between("d.status", (*range.start()).into(), (*range.end()).into());
            }
            Condition::Size(range) => self.between("d.size_bytes", *range.start(), *range.end()),
            Condition::Duration(range) => self.between("d.duration_us", *range.start(), *range.end()),
            Condition::ClientIp(range) => self.address(*range),
            Condition::From(moment) => self.compare("d.received_at >= ?", moment.instant(now).as_micros()),
            Condition::To(moment) => self.compare("d.received_at < ?", moment.instant(now).as_micros()),
            Condition::Header { name, text } => {
                self.reads_bytes = true;
                let needle = text.as_deref().map(|text| Value::Blob(folded(text.as_bytes())));
                self.sql.push_str("header_holds(plain_bytes(b.headers, b.packed), ?, ?)");
                self.values.extend([name.clone().into(), needle.unwrap_or(Value::Null)]);
            }
            Condition::Cause(pattern) => {
                self.sql.push_str("EXISTS (SELECT 1 FROM delivery_causes c WHERE c.seq = d.seq AND ");
                self.pattern("c.code", pattern);
                self.sql.push(')');
            }
            Condition::Pinned(is_pinned) => {
                if !is_pinned {
                    self.sql.push_str("NOT ");
                }
                self.sql.push_str(&marked("m.is_pinned"));
            }
            Condition::Tag(pattern) => {
                self.sql.push_str(
                    "EXISTS (SELECT 1 FROM delivery_marks m, json_each(m.tags) t WHERE m.seq = d.seq AND ",
                );
                self.pattern("t.value", pattern);
                self.sql.push(')');
            }
            Condition::Note(text) => {
                let needle = folded(text.as_bytes());
                self.compare(&marked("text_holds(?, m.note)"), needle);
            }
            Condition::Body(text) => {
                self.reads_bytes = true;
                self.compare("body_holds(b.body, ?)", folded(text.as_bytes()));
            }
            Condition::Anywhere(text) => {
                self.reads_bytes = true;
                let needle = folded(text.as_bytes());
                self.sql.push_str(
                    r"(
                        text_holds(
                            ?, d.path, d.source, d.event_type, d.event_name, d.event_id, d.entity,
                            plain_bytes(b.headers, b.packed)
                        )
                        OR body_holds(b.body, ?)
                    )",
                );
                self.values.extend([needle.clone().into(), needle.into()]);
            }
        }
    }

    fn compare(&mut self, sql: &str, value: impl Into<Value>) {
        self.sql.push_str(sql);
        self.values.push(value.into());
    }

    fn between(&mut self, column: &str, first: u64, last: u64) {
        let whole = |number: u64| Value::Integer(i64::try_from(number).unwrap_or(i64::MAX));
        self.sql.push_str(column);
        self.sql.push_str(" BETWEEN ? AND ?");
        self.values.extend([whole(first), whole(last)]);
    }

    fn address(&mut self, range: IpNet) {
        let of = |address| Value::Blob(address_bytes(address).to_vec());
        self.sql.push_str("(d.client_ip BETWEEN ? AND ?");
        self.values.extend([range.network(), range.broadcast()].map(of));
        if matches!(range, IpNet::V6(_)) {
            // IPv4 addresses are stored in this range but are not IPv6 addresses.
            self.sql.push_str(" AND d.client_ip NOT BETWEEN ? AND ?");
            self.values.extend([Ipv4Addr::UNSPECIFIED, Ipv4Addr::BROADCAST].map(|end| of(end.into())));
        }
        self.sql.push(')');
    }

    fn pattern(&mut self, column: &str, pattern: &Pattern) {
        match pattern.as_exact() {
            Some(text) => self.compare(&format!("{column} = ?"), text.to_owned()),
            None => self.compare(&format!("text_matches({column}, ?)"), pattern.pieces().join("*")),
        }
    }
}

/// The condition that the delivery has marks for which `sql` is true.
fn marked(sql: &str) -> String {
    format!("EXISTS (SELECT 1 FROM delivery_marks m WHERE m.seq = d.seq AND {sql})")
}

/// Registers the functions that these conditions use on a connection.
pub fn add_functions(connection: &Connection) -> Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function("text_holds", -1, flags, |context| {
        let needle = bytes(context, 0);
        Ok((1..context.len()).any(|at| holds(&folded(bytes(context, at)), needle)))
    })?;
    // GLOB would compare texts only up to their first NUL.
    connection.create_scalar_function("text_matches", 2, flags, |context| {
        let pattern = context.get_or_create_aux(1, |pattern| pattern.as_str().map(Pattern::parse))?;
        Ok(match context.get_raw(0) {
            ValueRef::Text(text) => Some(pattern.matches(&String::from_utf8_lossy(text))),
            _ => None,
        })
    })?;
    connection.create_scalar_function("body_holds", 2, flags, |context| {
        Ok(holds(&folded_body(bytes(context, 0)), bytes(context, 1)))
    })?;
    connection.create_scalar_function("body_user", 1, flags, |context| Ok(user_in(bytes(context, 0))))?;
    connection.create_scalar_function("header_holds", 3, flags, |context| {
        let name = String::from_utf8_lossy(bytes(context, 1));
        let needle = match context.get_raw(2) {
            ValueRef::Null => None,
            _ => Some(bytes(context, 2)),
        };
        Ok(header_holds(bytes(context, 0), &name, needle))
    })
}

fn holds(text: &[u8], needle: &[u8]) -> bool {
    memchr::memmem::find(text, needle).is_some()
}

fn bytes<'c>(context: &'c Context<'_>, at: usize) -> &'c [u8] {
    match context.get_raw(at) {
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes,
        _ => &[],
    }
}
