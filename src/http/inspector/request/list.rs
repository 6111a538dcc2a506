//! What lists are asked with: which deliveries, how many rows, and from where on.

use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::fields::Members;
use super::vocabulary::{
    Cursor, CursorParam, FlagParam, Ids, IdsParam, Limit, NetParam, ReasonParam, SearchParam, StatusParam,
    TextParam, TimeParam, VerdictParam,
};
use super::words::{As, Range};
use crate::domain::{DeliveryFilter, Timestamp};

/// The default number of rows.
pub const ROWS: usize = 50;

/// Which deliveries.
#[derive(Clone, Debug, Default, Deserialize, IntoParams, ToSchema)]
pub struct DeliveryParams {
    /// Up to 200 delivery ids with commas between them.
    #[schema(inline)]
    #[param(inline)]
    pub ids: Option<IdsParam>,
    /// The source.
    #[schema(inline)]
    #[param(inline)]
    pub source: Option<TextParam>,
    /// The verdict.
    #[schema(inline)]
    #[param(inline)]
    pub verdict: Option<VerdictParam>,
    /// Why it was rejected.
    #[schema(inline)]
    #[param(inline)]
    pub reason: Option<ReasonParam>,
    /// The event type, canonical or as sent.
    #[schema(inline)]
    #[param(inline)]
    pub event_type: Option<TextParam>,
    /// The event id, as far as it was verified.
    #[schema(inline)]
    #[param(inline)]
    pub event_id: Option<TextParam>,
    /// What the event is about, as far as it was verified.
    #[schema(inline)]
    #[param(inline)]
    pub entity: Option<TextParam>,
    /// The method.
    #[schema(inline)]
    #[param(inline)]
    pub method: Option<TextParam>,
    /// The status that was answered.
    #[schema(inline)]
    #[param(inline)]
    pub status: Option<StatusParam>,
    /// The address of the client, or a CIDR range.
    #[schema(inline)]
    #[param(inline)]
    pub client_ip: Option<NetParam>,
    /// Whether it is pinned.
    #[schema(inline)]
    #[param(inline)]
    pub pinned: Option<FlagParam>,
    /// One of its tags.
    #[schema(inline)]
    #[param(inline)]
    pub tag: Option<TextParam>,
    /// A search as in the search box.
    #[schema(inline)]
    #[param(inline)]
    pub q: Option<SearchParam>,
    /// Received at this time or later.
    #[schema(inline)]
    #[param(inline)]
    pub from: Option<TimeParam>,
    /// Received before this time.
    #[schema(inline)]
    #[param(inline)]
    pub to: Option<TimeParam>,
}

impl Members for DeliveryParams {}

fn value<T>(read: Option<As<T>>) -> Option<T> {
    read.map(|As(value)| value)
}

impl DeliveryParams {
    /// The same as parameters of a list: `verdict=rejected&q=…`.
    #[must_use]
    pub fn to_query(&self) -> String {
        let ids = |As(Ids(ids)): &As<Ids>| ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        let text = |read: &Option<As<String>>| read.as_ref().map(|As(text)| text.clone());
        let time = |read: &Option<As<Timestamp>>| read.as_ref().map(|As(time)| time.to_string());
        let pairs = [
            ("ids", self.ids.as_ref().map(ids)),
            ("source", text(&self.source)),
            ("verdict", self.verdict.map(|As(verdict)| verdict.as_str().to_owned())),
            ("reason", self.reason.map(|As(reason)| reason.as_str().to_owned())),
            ("event_type", text(&self.event_type)),
            ("event_id", text(&self.event_id)),
            ("entity", text(&self.entity)),
            ("method", text(&self.method)),
            ("status", self.status.map(|As(status)| status.to_string())),
            ("client_ip", self.client_ip.map(|As(range)| range.to_string())),
            ("pinned", self.pinned.map(|As(pinned)| pinned.to_string())),
            ("tag", text(&self.tag)),
            ("q", self.q.as_ref().map(|As(search)| search.text.clone())),
            ("from", time(&self.from)),
            ("to", time(&self.to)),
        ];
        let given = pairs.into_iter().filter_map(|(name, value)| Some((name, value?)));
        form_urlencoded::Serializer::new(String::new()).extend_pairs(given).finish()
    }
}

impl From<DeliveryParams> for DeliveryFilter {
    fn from(params: DeliveryParams) -> Self {
        Self {
            ids: value(params.ids).map(|Ids(ids)| ids),
            source: value(params.source),
            verdict: value(params.verdict),
            reason: value(params.reason),
            event_type: value(params.event_type),
            event_id: value(params.event_id),
            entity: value(params.entity),
            method: value(params.method),
            status: value(params.status),
            client_ip: value(params.client_ip),
            pinned: value(params.pinned),
            tag: value(params.tag),
            q: value(params.q).map(|search| search.query).filter(|query| !query.is_everything()),
            from: value(params.from),
            to: value(params.to),
        }
    }
}

/// A page of a list whose positions are numbers.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
pub struct Page {
    /// The maximum number of rows; 50 without it.
    #[param(inline)]
    pub limit: Option<Limit>,
    /// The `next` of an earlier response.
    #[param(inline)]
    pub before: Option<CursorParam>,
}

impl Members for Page {}

impl Page {
    /// The maximum number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.limit.map_or(ROWS, Range::size)
    }

    /// The position before which they are.
    #[must_use]
    pub fn before(&self) -> Option<i64> {
        self.before.as_ref().map(|As(Cursor(at))| *at)
    }
}

/// Cuts the rows of a page, of which one more than `limit` was read. Returns the position of the next page.
pub fn cut<T>(rows: &mut Vec<T>, limit: usize, position: impl Fn(&T) -> String) -> Option<String> {
    let has_more = rows.len() > limit;
    rows.truncate(limit);
    rows.last().filter(|_| has_more).map(position)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Reason, Verdict};
    use crate::http::inspector::problem::{FieldFault, Problem};
    use crate::http::inspector::request::{Blank, Fields};
    use crate::inspect::search;

    fn read(query: &str) -> Result<DeliveryFilter, Vec<FieldFault>> {
        let fields = Fields::of_query(query, Blank::Fault);
        fields.read::<DeliveryParams>().map(DeliveryFilter::from).map_err(Problem::into_faults)
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
        assert!(read(&format!("q={}", "x".repeat(1024))).is_ok());
        assert!(read(&format!("q={}", "x".repeat(1025))).is_err());
    }

    #[test]
    fn an_empty_field_of_a_form_is_absent() {
        let fields = Fields::of_query("source=&verdict=&q=x", Blank::Absent);
        let params: DeliveryParams = fields.read().unwrap();
        assert_eq!(DeliveryFilter::from(params).q, search::parse("x").ok());
    }
}
