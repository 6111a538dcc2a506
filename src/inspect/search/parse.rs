//! Makes a query of words: OR binds least, then AND, which may be left out, then NOT.

use super::fields::{self, Place, Wrong};
use super::words::{Kind, Meant, SearchFault, Word, words};
use crate::domain::{Condition, Query};

/// The most brackets and NOTs within each other.
const MAX_DEPTH: usize = 30;
/// The most conditions of a query.
const MAX_CONDITIONS: usize = 100;

/// The query that `text` spells; nothing but blanks finds everything.
///
/// # Errors
/// Where a field is not known, a value cannot be read, or brackets, quotes or AND, OR, NOT do not fit.
pub fn parse(text: &str) -> Result<Query, SearchFault> {
    let words = words(text)?;
    if words.is_empty() {
        return Ok(Query::everything());
    }
    read(text, &words)
}

fn read(text: &str, words: &[Word]) -> Result<Query, SearchFault> {
    let conditions =
        words.iter().filter(|word| matches!(word.kind, Kind::Text { .. } | Kind::Field { .. })).count();
    if conditions > MAX_CONDITIONS {
        let message = format!("These are {conditions} conditions; {MAX_CONDITIONS} are the most");
        return Err(fault(0, message));
    }
    let mut parser = Parser { text, words, end: text.chars().count() };
    let query = parser.any(0)?;
    match parser.words.first() {
        None => Ok(query),
        Some(word) => Err(fault(word.at, "This bracket has no opening match")),
    }
}

fn fault(at: usize, message: impl Into<String>) -> SearchFault {
    SearchFault { at, message: message.into(), meant: None, expected: None }
}

struct Parser<'w> {
    text: &'w str,
    /// What is left.
    words: &'w [Word],
    end: usize,
}

impl<'w> Parser<'w> {
    fn next(&mut self) -> Option<&'w Word> {
        let (first, rest) = self.words.split_first()?;
        self.words = rest;
        Some(first)
    }

    fn next_is(&self, kind: &Kind) -> bool {
        self.words.first().is_some_and(|word| word.kind == *kind)
    }

    /// The fault of a field, and the corrected search.
    fn wrong(&self, word: &Word, name: &str, wrong: Wrong) -> SearchFault {
        let meant = wrong.meant.map(|(place, meant)| {
            let colon = word.at.saturating_add(name.chars().count());
            let (from, to) = match place {
                Place::Name => (word.at, colon),
                Place::Value => (colon.saturating_add(1), word.end),
            };
            let before = self.text.chars().take(from);
            let after = self.text.chars().skip(to);
            Meant { search: before.chain(meant.chars()).chain(after).collect(), word: meant }
        });
        SearchFault { at: word.at, message: wrong.message, meant, expected: wrong.expected }
    }

    fn any(&mut self, depth: usize) -> Result<Query, SearchFault> {
        let mut any = vec![self.all(depth)?];
        while self.next_is(&Kind::Or) {
            self.next();
            any.push(self.all(depth)?);
        }
        Ok(if any.len() == 1 { any.remove(0) } else { Query::Any(any) })
    }

    fn all(&mut self, depth: usize) -> Result<Query, SearchFault> {
        let mut all = vec![self.one(depth)?];
        loop {
            if self.next_is(&Kind::And) {
                self.next();
            } else if self.words.is_empty() || self.next_is(&Kind::Or) || self.next_is(&Kind::Close) {
                break;
            }
            all.push(self.one(depth)?);
        }
        Ok(if all.len() == 1 { all.remove(0) } else { Query::All(all) })
    }

    fn one(&mut self, depth: usize) -> Result<Query, SearchFault> {
        let end = self.end;
        let word = self.next().ok_or_else(|| fault(end, "Something to look for is missing here"))?;
        if depth >= MAX_DEPTH {
            return Err(fault(word.at, format!("More than {MAX_DEPTH} brackets and NOTs within each other")));
        }
        match &word.kind {
            Kind::Not => Ok(Query::Not(Box::new(self.one(depth.saturating_add(1))?))),
            Kind::Open => {
                let inner = self.any(depth.saturating_add(1))?;
                match self.next() {
                    Some(Word { kind: Kind::Close, .. }) => Ok(inner),
                    _ => Err(fault(word.at, "This bracket is not closed")),
                }
            }
            Kind::Text { text, is_quoted } => {
                // A star at an end changes nothing: the text may be anywhere.
                let text = if *is_quoted { text.as_str() } else { text.trim_matches('*') };
                Ok(if text.is_empty() {
                    Query::everything()
                } else {
                    Query::Is(Condition::Anywhere(text.to_owned()))
                })
            }
            Kind::Field { name, value, is_quoted } => {
                fields::read(name, value, *is_quoted).map_err(|wrong| self.wrong(word, name, wrong))
            }
            Kind::And | Kind::Or | Kind::Close => {
                Err(fault(word.at, "Something to look for is missing before this"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Moment, Pattern, Reason, Verdict};
    use std::time::Duration;

    fn is(condition: Condition) -> Query {
        Query::Is(condition)
    }

    fn either(pattern: Pattern, places: [fn(Pattern) -> Condition; 2]) -> Query {
        Query::Any(places.map(|place| is(place(pattern.clone()))).into())
    }

    fn any_text(text: &str) -> Query {
        is(Condition::Anywhere(text.into()))
    }

    #[test]
    fn the_example_of_the_page_is_read() {
        let query = parse(
            "verdict:rejected reason:signature_mismatch source:tagorun type:data.* device:66f1… ip:203.0.113.0/24 \
             header.user-agent:curl body:\"co2\" status:>=400 after:-2h",
        )
        .unwrap();
        let expected = Query::All(vec![
            is(Condition::Verdict(Verdict::Rejected)),
            is(Condition::Reason(Reason::SignatureMismatch)),
            is(Condition::Source(Pattern::exactly("tagorun"))),
            is(Condition::EventType(Pattern::parse("data.*"))),
            either(Pattern::parse("66f1*"), [Condition::Entity, Condition::UnverifiedDevice]),
            is(Condition::ClientIp("203.0.113.0/24".parse().unwrap())),
            is(Condition::Header { name: "user-agent".into(), text: Some("curl".into()) }),
            is(Condition::Body("co2".into())),
            is(Condition::Status(400..=u16::MAX)),
            is(Condition::From(Moment::Ago(Duration::from_secs(7_200)))),
        ]);
        assert_eq!(query, expected);
    }

    #[test]
    fn and_binds_before_or_and_not_before_both() {
        let a = || any_text("a");
        let b = || any_text("b");
        let c = || any_text("c");
        let not = |query| Query::Not(Box::new(query));
        for (text, expected) in [
            ("a b OR c", Query::Any(vec![Query::All(vec![a(), b()]), c()])),
            ("a AND (b OR c)", Query::All(vec![a(), Query::Any(vec![b(), c()])])),
            ("NOT a b", Query::All(vec![not(a()), b()])),
            ("-a -(b c)", Query::All(vec![not(a()), not(Query::All(vec![b(), c()]))])),
            ("NOT NOT a", not(not(a()))),
            ("  ", Query::everything()),
            ("*", Query::everything()),
            ("a*", a()),
            ("\"a*\"", any_text("a*")),
        ] {
            assert_eq!(parse(text).as_ref(), Ok(&expected), "{text}");
        }
    }

    #[test]
    fn text_that_only_looks_like_words_of_the_language_is_text() {
        for text in [
            "http://example.com/a:b",
            "aa:bb:cc:dd:ee:ff",
            "f(x)",
            "a)b",
            "{\"a\":1}",
            "10:30",
            "and",
            "a-b",
            "-",
            "É:x",
        ] {
            assert_eq!(parse(text), Ok(any_text(text)), "{text}");
        }
        assert_eq!(parse(r#""say \"AND\" \\ (""#), Ok(any_text(r#"say "AND" \ ("#)));
        assert_eq!(parse("(f(x))"), Ok(any_text("f(x)")));
    }

    #[test]
    fn a_fault_says_where_and_what_is_taken() {
        for (text, at, part) in [
            ("a verdcit:rejected", 2, "Unknown field “verdcit”"),
            ("a colour:red", 2, "Fields are verdict, reason"),
            ("é verdict:no", 2, "accepted, duplicate, rejected, captured"),
            ("reason:", 0, "needs a value"),
            ("status:many", 0, "400..499"),
            ("status:500..400", 0, "400..499"),
            ("size:5..1", 0, "1000..2000"),
            ("after:yesterday", 0, "-2h"),
            ("ip:1.2.3", 0, "CIDR"),
            ("a (b", 2, "not closed"),
            ("a \"b", 2, "not closed"),
            ("a OR", 4, "missing"),
            ("AND a", 0, "missing before"),
            ("()", 1, "missing before"),
            ("size:>big", 0, "10KB"),
            ("took:5", 0, "100ms"),
            ("header.x:", 0, "text is expected"),
        ] {
            let fault = parse(text).unwrap_err();
            assert_eq!(fault.at, at, "{text}: {fault}");
            assert!(fault.to_string().contains(part), "{text}: {fault}");
        }
        assert!(parse(&"(".repeat(5_000)).is_err());
        assert!(parse(&"NOT ".repeat(5_000)).is_err());
        assert!(parse(&"a ".repeat(MAX_CONDITIONS)).is_ok());
        assert!(parse(&"a ".repeat(MAX_CONDITIONS + 1)).is_err());
    }

    #[test]
    fn a_slip_is_corrected_where_it_is() {
        for (text, word, search) in [
            ("é -verdcit:rejected b", "verdict", "é -verdict:rejected b"),
            ("(verdict:rejectd)", "rejected", "(verdict:rejected)"),
            ("reason:not_json,stael a", "not_json,stale", "reason:not_json,stale a"),
            ("devcie:\"a b\"", "device", "device:\"a b\""),
            ("pinned:ture", "true", "pinned:true"),
            ("verdict:refused", "rejected", "verdict:rejected"),
            ("verdict:accepted,repeat", "accepted,duplicate", "verdict:accepted,duplicate"),
        ] {
            let meant = parse(text).unwrap_err().meant.unwrap();
            assert_eq!((meant.word.as_str(), meant.search.as_str()), (word, search));
            assert!(parse(&meant.search).is_ok(), "{search}");
        }
        for text in ["colour:red", "verdict:\"rejectd\"", "status:many", "verdict:zzz"] {
            assert_eq!(parse(text).unwrap_err().meant, None, "{text}");
        }
        let shown = parse("verdcit:x").unwrap_err().to_string();
        assert_eq!(shown, "Unknown field “verdcit”; did you mean “verdict”? (at character 1)");
        let shown = parse("pinned:ture").unwrap_err().to_string();
        let expected =
            "“pinned:ture” is not valid; did you mean “true”? expected true or false (at character 1)";
        assert_eq!(shown, expected, "what was meant comes first");
    }

    #[test]
    fn ranges_units_and_lists_are_read() {
        let status = |range| Ok(is(Condition::Status(range)));
        assert_eq!(parse("status:4xx"), status(400..=499));
        assert_eq!(parse("status:<400"), status(0..=399));
        assert_eq!(parse("status:401..403"), status(401..=403));
        assert_eq!(parse("size:>1KiB"), Ok(is(Condition::Size(1_025..=u64::MAX))));
        assert_eq!(parse("took:>=10ms"), Ok(is(Condition::Duration(10_000..=u64::MAX))));
        let two = Query::Any(vec![
            is(Condition::Verdict(Verdict::Duplicate)),
            is(Condition::Verdict(Verdict::Rejected)),
        ]);
        assert_eq!(parse("verdict:duplicate,rejected"), Ok(two));
        assert!(matches!(parse("reason:signature_*"), Ok(Query::Any(all)) if all.len() == 3));
        let day = crate::domain::Timestamp::parse_rfc3339("2026-03-09T00:00:00Z").unwrap();
        assert_eq!(parse("before:2026-03-09"), Ok(is(Condition::To(Moment::At(day)))));
        assert_eq!(parse("header.x-a:*"), Ok(is(Condition::Header { name: "x-a".into(), text: None })));
    }

    #[test]
    fn what_a_click_writes_is_read_back_as_it_was() {
        for value in ["evt_1", "a b", "q\"\\", "data.*", "", "ünï", "(x)", "-a", "a…"] {
            let read = parse(&super::super::term("id", value));
            if value.is_empty() {
                assert!(read.is_err());
            } else {
                let expected = either(Pattern::exactly(value), [Condition::EventId, Condition::UnverifiedId]);
                assert_eq!(read, Ok(expected), "{value}");
            }
        }
    }
}
