//! The first part of a delivery's page: the verdict, its cause, what to do, and the checks in a strip.

use std::time::Duration;

use super::page::search_url;
use crate::config::toml_members;
use crate::domain::{Check, DeliveryRow, Outcome, counted, plain};
use crate::http::inspector::remembered::Apply;
use crate::http::inspector::words::{shown_time, took};
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
    pub action: Option<ActionView>,
    /// How the line gets into force, where it is one of the configuration.
    pub apply: Option<Apply>,
    /// Whether the line begins with the header of its section.
    pub has_section: bool,
}

/// What does or proves a step.
pub struct ActionView {
    /// A page, or where a form is sent to.
    pub url: String,
    /// The fields of that form; none: it is a link.
    pub fields: Vec<(&'static str, String)>,
    pub words: &'static str,
    /// Whether it is the first thing to do on the page.
    pub is_primary: bool,
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
    /// Whether a step is the first thing to do on the page.
    pub fn has_primary(&self) -> bool {
        self.fixes.iter().any(|fix| fix.action.as_ref().is_some_and(|action| action.is_primary))
    }

    /// What is said of the delivery of `row`.
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
    let line = fix.line.as_deref().unwrap_or_default();
    FixView {
        step: plain(&fix.step),
        line: fix.line.as_deref().map(plain),
        action: fix.action.as_ref().and_then(|action| action_view(row, fix, action)),
        apply: toml_members(line).is_ok_and(|members| !members.is_empty()).then(|| apply.clone()),
        has_section: line.starts_with('['),
    }
}

fn action_view(row: &DeliveryRow, fix: &Fix, action: &Action) -> Option<ActionView> {
    let form = |pairs: &[(&str, &str)]| {
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        format!("/what-if?{query}")
    };
    let link = |url: String, words| ActionView { url, fields: Vec::new(), words, is_primary: false };
    let source = row.source.as_str();
    Some(match (action, &fix.line) {
        (Action::TestSecret, _) => {
            link(form(&[("source", source), ("only", "secret")]), "Test another secret")
        }
        (Action::ChangeRules, None) => link(form(&[("source", source)]), "Try other rules"),
        (Action::ChangeRules, Some(line)) => ActionView {
            url: "/what-if".to_owned(),
            fields: vec![("source", row.source.clone()), ("toml", line.clone())],
            words: "See what would change",
            is_primary: false,
        },
        (Action::Compare, _) => link(format!("/diff?a={}&b={}", row.duplicate_of?, row.id), "Compare"),
        (Action::ShowSecret { source, is_token }, _) => {
            let words = if *is_token { "Show the token" } else { "Show the secret" };
            let source: String = form_urlencoded::byte_serialize(source.as_bytes()).collect();
            link(format!("/sources/{source}#setup-title"), words)
        }
        (Action::Connect, _) => link("/connect".to_owned(), "Find the public address"),
        (Action::Open(other), _) => link(format!("/deliveries/{other}"), "View the accepted delivery"),
        (Action::Replay, _) => ActionView {
            url: format!("/deliveries/{}/replay", row.id),
            fields: vec![("to", "receiver".to_owned()), ("signature", "fresh".to_owned())],
            words: "Replay",
            is_primary: true,
        },
    })
}

fn alike_view(row: &DeliveryRow, code: &str, alike: Alike) -> AlikeView {
    let all = counted(u64::try_from(alike.count).unwrap_or(u64::MAX), "more delivery");
    let since = alike.since.to_string();
    AlikeView {
        url: search_url(&format!("{} {}", term("source", &row.source), term("cause", code))),
        count: if alike.is_all { all } else { all.replacen(' ', "+ ", 1) },
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
