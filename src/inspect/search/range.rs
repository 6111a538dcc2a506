//! The stretch of time that a search is about: found in it, and put into it.

use super::words::{Kind, Word, words};
use crate::domain::{Condition, Query, Timestamp};

/// The fields that bound the time.
const BOUNDS: [&str; 4] = ["after", "from", "before", "to"];

/// A stretch of time with two, one or no ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// Its first moment.
    pub from: Option<Timestamp>,
    /// The moment after its last.
    pub to: Option<Timestamp>,
}

impl Span {
    /// Between which times everything lies that `query` can find, asked at `now`.
    #[must_use]
    pub fn of(query: &Query, now: Timestamp) -> Self {
        match query {
            Query::Is(Condition::From(moment)) => Self { from: Some(moment.instant(now)), to: None },
            Query::Is(Condition::To(moment)) => Self { from: None, to: Some(moment.instant(now)) },
            Query::All(all) => all.iter().fold(Self::default(), |span, one| span.and(Self::of(one, now))),
            _ => Self::default(),
        }
    }

    fn and(self, other: Self) -> Self {
        let later = self.from.max(other.from);
        let earlier = match (self.to, other.to) {
            (Some(one), Some(two)) => Some(one.min(two)),
            (one, two) => one.or(two),
        };
        Self { from: later, to: earlier }
    }
}

/// `query` without the bounds of time that `Span::of` reads.
#[must_use]
pub fn timeless(query: &Query) -> Query {
    match query {
        Query::Is(Condition::From(_) | Condition::To(_)) => Query::everything(),
        Query::All(all) => Query::All(all.iter().map(timeless).filter(|one| !one.is_everything()).collect()),
        other => other.clone(),
    }
}

/// The search `text` with these words for its bounds of time, `after:-1h` for example, in place of those that it has.
#[must_use]
pub fn within(text: &str, bounds: &str) -> String {
    let kept = without_bounds(text);
    format!("{kept} {bounds}").trim().to_owned()
}

fn without_bounds(text: &str) -> String {
    // What cannot be read has no bounds, and finds nothing anyway.
    let Ok(words) = words(text) else { return text.trim().to_owned() };
    let mut depth = 0_usize;
    let mut is_any = false;
    let mut outer = Vec::new();
    for (place, word) in words.iter().enumerate() {
        match word.kind {
            Kind::Open => depth = depth.saturating_add(1),
            Kind::Close => depth = depth.saturating_sub(1),
            Kind::Or if depth == 0 => is_any = true,
            _ => {}
        }
        if depth == 0 && is_bound(&word.kind) {
            outer.push(place);
        }
    }
    if is_any {
        return format!("({})", text.trim());
    }
    // An AND next to a removed condition has nothing to join.
    let mut left_out: Vec<&Word> = Vec::new();
    for place in outer {
        let before = place.checked_sub(1).and_then(|before| words.get(before));
        if before.is_some_and(|before| before.kind == Kind::Not) {
            continue;
        }
        let after = words.get(place.saturating_add(1));
        let joins = |word: &&Word| word.kind == Kind::And && !left_out.contains(word);
        let join = before.filter(joins).or_else(|| after.filter(joins));
        left_out.extend(words.get(place).into_iter().chain(join));
    }
    let is_left_out = |at: usize| left_out.iter().any(|word| (word.at..word.end).contains(&at));
    let kept: String =
        text.chars().enumerate().map(|(at, letter)| if is_left_out(at) { '\n' } else { letter }).collect();
    // Blanks inside quotes stay as they are.
    let parts: Vec<&str> = kept.split('\n').map(str::trim).filter(|part| !part.is_empty()).collect();
    parts.join(" ")
}

fn is_bound(kind: &Kind) -> bool {
    matches!(kind, Kind::Field { name, .. } if BOUNDS.contains(&name.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::search::parse;

    #[test]
    fn bounds_are_replaced_and_everything_else_is_kept() {
        for (text, expected) in [
            ("", "after:-1h"),
            ("after:-2d", "after:-1h"),
            ("verdict:rejected after:-2h before:2026-03-09 \"a  b\"", "verdict:rejected \"a  b\" after:-1h"),
            ("a AND after:-2h AND b", "a AND b after:-1h"),
            ("after:-2h AND b", "b after:-1h"),
            ("b AND from:-2h", "b after:-1h"),
            ("from:-2h AND before:-1h", "after:-1h"),
            ("a OR after:-2h", "(a OR after:-2h) after:-1h"),
            ("(a OR after:-2h) b before:-1h", "(a OR after:-2h) b after:-1h"),
            ("-after:-2h a", "-after:-2h a after:-1h"),
            ("NOT after:-2h", "NOT after:-2h after:-1h"),
            ("\"after:-2h\"", "\"after:-2h\" after:-1h"),
        ] {
            let made = within(text, "after:-1h");
            assert_eq!(made, expected, "{text}");
            assert!(parse(&made).is_ok(), "{made}");
        }
        assert_eq!(within("x after:-1h", ""), "x");
    }

    #[test]
    fn the_span_of_a_search_is_what_its_outer_bounds_say() {
        let now = Timestamp::from_secs(1_000_000);
        let span = |text: &str| Span::of(&parse(text).unwrap(), now);
        let secs = |secs| Some(Timestamp::from_secs(secs));
        assert_eq!(span("x after:-60s"), Span { from: secs(999_940), to: None });
        assert_eq!(span("after:-60s after:-10s before:-5s before:-2s").from, secs(999_990));
        assert_eq!(span("after:-60s before:-5s before:-2s").to, secs(999_995));
        for text in ["x OR after:-60s", "-after:-60s", "x"] {
            assert_eq!(span(text), Span::default(), "{text}");
        }
        let plain = timeless(&parse("verdict:rejected after:-60s").unwrap());
        assert_eq!(plain, Query::All(vec![parse("verdict:rejected").unwrap()]));
        assert!(timeless(&parse("after:-60s").unwrap()).is_everything());
    }
}
