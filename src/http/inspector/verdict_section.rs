//! The first part of a delivery's page: the verdict, its cause, what to do, and the checks in a strip.

use std::time::Duration;

use super::page::search_url;
use super::remembered::Apply;
use super::row_view::{shown_time, took};
use crate::config::toml_members;
use crate::domain::{Check, DeliveryRow, Outcome, plain};
use crate::inspect::duration::seconds;
use crate::inspect::search::term;
use crate::inspect::{Action, Diagnosis, Fix};
use crate::store::Alike;

/// The verdict and its cause.
pub struct VerdictSection {
    pub headline: String,
    pub cause: String,
    pub fixes: Vec<FixView>,
    pub alike: Option<AlikeView>,
    pub evidence: Vec<String>,
    pub checks: Vec<CheckView>,
}

/// A step of what to do.
pub struct FixView {
    pub step: String,
    pub line: Option<String>,
    /// A page that does or proves it, and what the link says.
    pub action: Option<(String, &'static str)>,
    /// How the line gets into force, where it is one of the configuration.
    pub apply: Option<Apply>,
    /// Whether the line begins with the header of its section.
    pub has_section: bool,
}

/// Other deliveries with the same cause.
pub struct AlikeView {
    pub url: String,
    /// `38 more deliveries`.
    pub count: String,
    /// RFC 3339, and for people.
    pub since: (String, String),
}

/// What a check found.
pub struct CheckView {
    pub name: &'static str,
    pub outcome: &'static str,
    /// The sign of its outcome.
    pub sign: &'static str,
    pub is_open: bool,
    pub seen: String,
    pub rule: String,
    pub took: String,
    pub faults: Vec<(String, String)>,
    pub notes: Vec<String>,
}

impl VerdictSection {
    /// The section for the delivery of `row`.
    pub fn of(
        row: &DeliveryRow,
        diagnosis: &Diagnosis,
        checks: &[Check],
        alike: Option<Alike>,
        autopsy: Option<String>,
        apply: &Apply,
    ) -> Self {
        Self {
            headline: plain(&diagnosis.headline),
            cause: plain(&diagnosis.cause),
            fixes: diagnosis.fixes.iter().map(|fix| fix_view(row, fix, apply)).collect(),
            alike: alike.map(|alike| alike_view(row, &diagnosis.code, alike)),
            evidence: diagnosis.evidence.iter().map(|said| plain(said)).chain(autopsy).collect(),
            checks: checks.iter().map(check).collect(),
        }
    }
}

fn fix_view(row: &DeliveryRow, fix: &Fix, apply: &Apply) -> FixView {
    let what_if = |name: &str, value: &str| {
        let reason = row.reason.map_or(String::new(), |reason| term("reason", reason.as_str()));
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("source", &row.source)
            .append_pair("q", &reason)
            .append_pair(name, value)
            .finish();
        format!("/what-if?{query}")
    };
    let line = fix.line.as_deref().unwrap_or_default();
    let action = fix.action.as_ref().and_then(|action| match action {
        Action::TestSecret => Some((what_if("only", "secret"), "Test another secret")),
        Action::ChangeRules => Some((what_if("toml", line), "See what would change")),
        Action::Compare => row.duplicate_of.map(|first| (format!("/diff?a={first}&b={}", row.id), "Compare")),
        Action::ShowSecret { source, is_token } => {
            let words = if *is_token { "Show the token" } else { "Show the secret" };
            let source: String = form_urlencoded::byte_serialize(source.as_bytes()).collect();
            Some((format!("/sources/{source}#setup-title"), words))
        }
        Action::Connect => Some(("/connect".to_owned(), "Find the public address")),
    });
    FixView {
        step: plain(&fix.step),
        line: fix.line.as_deref().map(plain),
        action,
        apply: toml_members(line).is_ok_and(|members| !members.is_empty()).then(|| apply.clone()),
        has_section: line.starts_with('['),
    }
}

fn alike_view(row: &DeliveryRow, code: &str, alike: Alike) -> AlikeView {
    let or_more = if alike.is_all { "" } else { " or more" };
    let noun = if alike.count == 1 { "delivery" } else { "deliveries" };
    let since = alike.since.to_string();
    AlikeView {
        url: search_url(&format!("{} {}", term("source", &row.source), term("cause", code))),
        count: format!("{}{or_more} more {noun}", alike.count),
        since: (since.clone(), minute(&since, &row.received_at.to_string())),
    }
}

/// A time to the minute, without its day where that is the one of `other`.
fn minute(time: &str, other: &str) -> String {
    let shown = shown_time(time);
    let to_the_minute = shown.get(..16).unwrap_or(&shown);
    match (time.get(..10), other.get(..10)) {
        (Some(day), Some(same)) if day == same => to_the_minute.get(11..).unwrap_or_default().to_owned(),
        _ => to_the_minute.to_owned(),
    }
}

fn check(check: &Check) -> CheckView {
    CheckView {
        name: check.gate.as_str(),
        outcome: check.outcome.as_str(),
        sign: match check.outcome {
            Outcome::Pass => "✓",
            Outcome::Fail => "✕",
            Outcome::Skipped => "–",
        },
        is_open: check.outcome == Outcome::Fail,
        seen: plain(&check.seen),
        rule: plain(&check.rule),
        took: took(u64::from(check.duration_us)),
        faults: check.faults.iter().map(|fault| (plain(&fault.path), plain(&fault.message))).collect(),
        notes: check.notes.iter().map(|note| plain(note)).collect(),
    }
}

/// How long its client, or its sender, waited, where that was not long enough.
pub fn waited(after: Option<Duration>) -> Option<String> {
    after.map(|after| seconds(after.as_secs_f64()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_of_the_same_day_is_told_without_its_day() {
        let (early, late) = ("2026-11-28T13:00:07.000Z", "2026-11-28T14:01:26.039Z");
        assert_eq!(minute(early, late), "13:00");
        assert_eq!(minute("2026-11-27T13:00:07.000Z", late), "2026-11-27 13:00");
    }
}
