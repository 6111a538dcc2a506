//! Regular expressions in filters and CEL, with RE2's meaning as CEL requires: `\d`, `\w`, `\s` and `\b` are ASCII.

use regex::{Regex, RegexBuilder};

/// The most bytes of a compiled pattern.
const MAX_SIZE: usize = 1 << 20;

/// Compiles a pattern.
///
/// # Errors
/// What is wrong with it, worded to follow "the pattern".
pub fn compile(pattern: &str) -> Result<Regex, String> {
    RegexBuilder::new(&ascii_classes(pattern)).size_limit(MAX_SIZE).dfa_size_limit(MAX_SIZE).build().map_err(
        |fault| match fault {
            regex::Error::CompiledTooBig(_) => "is too large; use smaller repetitions".to_owned(),
            other => reason(pattern, &other.to_string()),
        },
    )
}

/// The last line of the library's report, which says what is wrong; unsupported features are explained.
fn reason(pattern: &str, report: &str) -> String {
    if pattern.contains("(?=")
        || pattern.contains("(?!")
        || pattern.contains("(?<=")
        || pattern.contains("(?<!")
    {
        return "looks ahead or behind with (?…); that is not available".to_owned();
    }
    let why =
        report.lines().rev().find_map(|line| line.strip_prefix("error: ")).unwrap_or("it cannot be read");
    format!("is not a regular expression: {why}")
}

/// The pattern with its classes expanded.
fn ascii_classes(pattern: &str) -> String {
    let mut ascii = String::with_capacity(pattern.len());
    let mut letters = pattern.chars();
    let mut is_class = false;
    while let Some(letter) = letters.next() {
        if letter != '\\' {
            is_class = match letter {
                '[' => true,
                ']' => false,
                _ => is_class,
            };
            ascii.push(letter);
            continue;
        }
        match letters.next() {
            Some('d') => ascii.push_str("[0-9]"),
            Some('D') => ascii.push_str("[^0-9]"),
            Some('w') => ascii.push_str("[0-9A-Za-z_]"),
            Some('W') => ascii.push_str("[^0-9A-Za-z_]"),
            Some('s') => ascii.push_str(r"[\t\n\f\r ]"),
            Some('S') => ascii.push_str(r"[^\t\n\f\r ]"),
            Some('b') if !is_class => ascii.push_str(r"(?-u:\b)"),
            Some(other) => {
                ascii.push('\\');
                ascii.push(other);
            }
            None => ascii.push('\\'),
        }
    }
    ascii
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_ascii_inside_and_outside_brackets() {
        for (pattern, yes, no) in [
            (r"^\d+$", "42", "٣"),
            (r"^[\d.]+$", "4.2", "٣"),
            (r"^\w+$", "a_1", "é"),
            (r"^[^\w]$", "é", "a"),
            (r"^\W$", "é", "a"),
            (r"^\S\s$", "a ", "a\u{a0}"),
            (r"\bab\b", "éab", "xab"),
            (r"^\\d$", r"\d", "1"),
        ] {
            let compiled = compile(pattern).unwrap();
            assert!(compiled.is_match(yes), "{pattern} {yes}");
            assert!(!compiled.is_match(no), "{pattern} {no}");
        }
    }

    #[test]
    fn what_is_not_a_pattern_is_refused_with_a_reason() {
        assert!(compile("[").unwrap_err().contains("unclosed character class"));
        assert!(compile("(?=x)").unwrap_err().contains("not available"));
        assert!(compile("(a{1000}){1000}").unwrap_err().contains("too large"));
    }
}
