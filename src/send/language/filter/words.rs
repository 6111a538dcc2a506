//! Operator names: ours, TagoIO's signs, and those of other systems.

use crate::domain::suggestion;

/// Every operator that a condition may name.
pub const WORDS: [&str; 23] = [
    "equals",
    "not_equals",
    "in",
    "not_in",
    "greater_than",
    "greater_or_equal",
    "less_than",
    "less_or_equal",
    "between",
    "contains",
    "not_contains",
    "starts_with",
    "ends_with",
    "matches",
    "exists",
    "not_exists",
    "cidr",
    "=",
    "!",
    ">",
    "<",
    "><",
    "*",
];

/// Other systems' names for our operators, without `_`, `-`, `$` and capitals.
const ELSEWHERE: [(&str, &str); 44] = [
    ("eq", "equals"),
    ("equal", "equals"),
    ("equalto", "equals"),
    ("is", "equals"),
    ("==", "equals"),
    ("===", "equals"),
    ("ne", "not_equals"),
    ("neq", "not_equals"),
    ("notequal", "not_equals"),
    ("isnot", "not_equals"),
    ("!=", "not_equals"),
    ("!==", "not_equals"),
    ("<>", "not_equals"),
    ("gt", "greater_than"),
    ("greater", "greater_than"),
    ("above", "greater_than"),
    ("gte", "greater_or_equal"),
    ("ge", "greater_or_equal"),
    ("greaterthanorequal", "greater_or_equal"),
    ("greaterthanorequals", "greater_or_equal"),
    ("greaterequal", "greater_or_equal"),
    (">=", "greater_or_equal"),
    ("=>", "greater_or_equal"),
    ("lt", "less_than"),
    ("less", "less_than"),
    ("below", "less_than"),
    ("lte", "less_or_equal"),
    ("le", "less_or_equal"),
    ("lessthanorequal", "less_or_equal"),
    ("lessthanorequals", "less_or_equal"),
    ("lessequal", "less_or_equal"),
    ("<=", "less_or_equal"),
    ("=<", "less_or_equal"),
    ("nin", "not_in"),
    ("oneof", "in"),
    ("range", "between"),
    ("includes", "contains"),
    ("notincludes", "not_contains"),
    ("beginswith", "starts_with"),
    ("regex", "matches"),
    ("regexp", "matches"),
    ("match", "matches"),
    ("=~", "matches"),
    ("ip", "cidr"),
];

/// The shortest word that is corrected by similarity.
const SHORTEST: usize = 4;

/// The error for `word`, with the equivalent operator if there is one.
#[must_use]
pub fn unknown(word: &str) -> String {
    let all = WORDS.join(", ");
    if word.trim().is_empty() {
        return format!("is missing; one of {all}");
    }
    let near = match meant(word) {
        Some(known) => format!(" (did you mean {known}?)"),
        None if word.chars().count() >= SHORTEST => {
            let spelled = WORDS.into_iter().filter(|known| known.len() >= SHORTEST);
            suggestion(&word.to_lowercase(), spelled)
        }
        None => String::new(),
    };
    format!("{word:?} is not an operator{near}; one of {all}")
}

/// The equivalent operator, spelled differently or named as elsewhere.
fn meant(word: &str) -> Option<&'static str> {
    let plain = |word: &str| -> String {
        let letters = word.chars().filter(|letter| !matches!(letter, '_' | '-' | '$' | ' '));
        letters.flat_map(char::to_lowercase).collect()
    };
    let asked = plain(word);
    let ours = WORDS.into_iter().find(|known| plain(known) == asked);
    ours.or_else(|| ELSEWHERE.into_iter().find(|(other, _)| *other == asked).map(|(_, known)| known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_of_another_system_leads_to_the_operator_that_means_the_same() {
        for (word, meant) in [
            ("eq", "equals"),
            ("EQUALS", "equals"),
            ("$ne", "not_equals"),
            (">=", "greater_or_equal"),
            ("gte", "greater_or_equal"),
            ("GreaterThan", "greater_than"),
            ("less-than", "less_than"),
            ("regex", "matches"),
            ("startsWith", "starts_with"),
            ("contians", "contains"),
        ] {
            let said = unknown(word);
            assert!(said.contains(&format!("(did you mean {meant}?)")), "{word}: {said}");
        }
        for word in ["", " ", "~", "x", "zzzzzz"] {
            assert!(!unknown(word).contains("did you mean"), "{word}: {}", unknown(word));
        }
    }

    #[test]
    fn every_word_of_elsewhere_leads_to_an_operator_and_is_not_one_itself() {
        for (other, known) in ELSEWHERE {
            assert!(WORDS.contains(&known) && !WORDS.contains(&other), "{other} {known}");
            assert_eq!(meant(other), Some(known));
        }
    }
}
