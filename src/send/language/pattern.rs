//! Regular expressions in filters and CEL, with RE2's meaning as CEL requires: `\d`, `\w`, `\s` and `\b` are ASCII.

use regex::{Regex, RegexBuilder};

/// The most bytes of a compiled pattern.
const MAX_SIZE: usize = 1 << 20;

/// Compiles a pattern.
///
/// # Errors
/// What is wrong with it, worded to follow "the pattern".
pub fn compile(pattern: &str) -> Result<Regex, String> {
    if let Some(meant) = of_javascript(pattern) {
        return Err(format!("is written as in JavaScript; write {meant} (a slash as text is \\/)"));
    }
    RegexBuilder::new(&ascii_classes(pattern)).size_limit(MAX_SIZE).dfa_size_limit(MAX_SIZE).build().map_err(
        |fault| match fault {
            regex::Error::CompiledTooBig(_) => "is too large; use smaller repetitions".to_owned(),
            other => reason(pattern, &other.to_string()),
        },
    )
}

/// What `/…/i` means here: with its slashes it would match nothing that is meant. `/api/` is left alone, as text.
fn of_javascript(pattern: &str) -> Option<String> {
    let (inner, flags) = pattern.strip_prefix('/')?.rsplit_once('/')?;
    let is_anchored = inner.starts_with('^') || (inner.ends_with('$') && !inner.ends_with("\\$"));
    if inner.is_empty() || inner.contains('/') && !inner.contains("\\/") {
        return None;
    }
    let are_flags = flags.bytes().all(|flag| b"dgimsuvy".contains(&flag));
    if !are_flags || (flags.is_empty() && !is_anchored) {
        return None;
    }
    let ours: String = flags.chars().filter(|flag| matches!(flag, 'i' | 'm' | 's')).collect();
    Some(if ours.is_empty() { inner.to_owned() } else { format!("(?{ours}){inner}") })
}

/// The last line of the library's report, which says what is wrong; what is not there is said with its reason.
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

    #[test]
    fn a_pattern_of_javascript_is_refused_with_what_it_means_here() {
        for (pattern, meant) in [
            ("/^M/i", "write (?i)^M "),
            ("/^M/", "write ^M "),
            ("/m$/", "write m$ "),
            ("/a.c/gims", "write (?ims)a.c "),
            (r"/^a\/b/", r"write ^a\/b "),
        ] {
            let why = compile(pattern).unwrap_err();
            assert!(
                why.starts_with("is written as in JavaScript") && why.contains(meant),
                "{pattern}: {why}"
            );
        }
        // Slashes that are meant as text, a path for example.
        for (pattern, text) in
            [("/api/", "/api/v1"), ("/a/b/i", "/a/b/i"), ("^/x/i", "/x/i"), (r"\/m\/i", "/m/i")]
        {
            assert!(compile(pattern).unwrap().is_match(text), "{pattern}");
        }
    }
}
