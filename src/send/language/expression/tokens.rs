//! The tokens of an expression, read before parsing: for its limits, and to recognise other languages.

/// The kind of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A name: letters of any script, so that an error message can quote it.
    Name,
    /// A number.
    Number,
    /// A text in quotes.
    Text,
    /// A CEL sign, or any other single character.
    Sign,
}

/// A token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token<'s> {
    /// What it is.
    pub kind: Kind,
    /// The original text.
    pub text: &'s str,
    /// Where it begins, in bytes.
    pub start: usize,
}

impl Token<'_> {
    /// Where it ends.
    #[must_use]
    pub fn end(&self) -> usize {
        self.start.saturating_add(self.text.len())
    }

    /// Whether it is this sign.
    #[must_use]
    pub fn is(&self, sign: &str) -> bool {
        self.kind == Kind::Sign && self.text == sign
    }
}

/// Signs of more than one character, longest first; some are only recognised to be rejected.
const SIGNS: [&str; 16] =
    ["===", "!==", "...", "**", "=>", "==", "!=", "<=", ">=", "&&", "||", "??", "?.", "++", "+=", "-="];

/// The tokens of `source`.
///
/// # Errors
/// When a quote is not closed.
pub fn tokens(source: &str) -> Result<Vec<Token<'_>>, String> {
    let mut found: Vec<Token<'_>> = Vec::new();
    let mut start = 0;
    while let Some(rest) = source.get(start..).filter(|rest| !rest.is_empty()) {
        let Some(first) = rest.chars().next() else { break };
        if first.is_whitespace() {
            start = start.saturating_add(first.len_utf8());
            continue;
        }
        if rest.starts_with("//") {
            start = start.saturating_add(rest.find('\n').unwrap_or(rest.len()));
            continue;
        }
        let after_dot = found.last().is_some_and(|last| last.is(".") && last.end() == start);
        let (kind, length) = token(rest, first, after_dot)
            .ok_or_else(|| format!("the quote at character {} is never closed", character(source, start)))?;
        let text = rest.get(..length).unwrap_or(rest);
        found.push(Token { kind, text, start });
        start = start.saturating_add(text.len().max(1));
    }
    Ok(found)
}

/// The position as users count it: in characters, starting at 1.
pub fn character(source: &str, at: usize) -> usize {
    source.get(..at).unwrap_or(source).chars().count().saturating_add(1)
}

/// The kind and the length of the token at the start of `rest`; `None` for an unterminated string.
fn token(rest: &str, first: char, after_dot: bool) -> Option<(Kind, usize)> {
    if let Some(length) = text(rest) {
        return length.map(|length| (Kind::Text, length));
    }
    if after_dot && first == '`' {
        // A member name in CEL's own quotes: data.`soil-moisture`.
        return rest.get(1..)?.find('`').map(|end| (Kind::Name, end.saturating_add(2)));
    }
    let run = |fits: fn(char) -> bool| rest.find(|letter| !fits(letter)).unwrap_or(rest.len());
    if first.is_alphabetic() || first == '_' {
        return Some((Kind::Name, run(|letter| letter.is_alphanumeric() || letter == '_')));
    }
    if first.is_ascii_digit() {
        return Some((
            Kind::Number,
            if after_dot { run(|letter| letter.is_ascii_digit()) } else { number(rest) },
        ));
    }
    let sign = SIGNS.iter().find(|sign| rest.starts_with(**sign));
    Some((Kind::Sign, sign.map_or(first.len_utf8(), |sign| sign.len())))
}

/// The length of a number: `1`, `0x1f`, `1.5e-3`, `2u`.
fn number(rest: &str) -> usize {
    let mut length = 0_usize;
    let mut before = ' ';
    for letter in rest.chars() {
        let signs_power =
            matches!(letter, '+' | '-') && matches!(before, 'e' | 'E') && !rest.starts_with("0x");
        let has_fraction = letter == '.'
            && !rest.get(..length).unwrap_or_default().contains('.')
            && rest
                .get(length.saturating_add(1)..)
                .is_some_and(|next| next.starts_with(|next: char| next.is_ascii_digit()));
        if !(letter.is_ascii_alphanumeric() || signs_power || has_fraction) {
            break;
        }
        length = length.saturating_add(1);
        before = letter;
    }
    length
}

/// The length of a string at the start of `rest`: `None` if there is no opening quote, `Some(None)` if it is not
/// closed.
fn text(rest: &str) -> Option<Option<usize>> {
    let prefix = rest.find(['"', '\'']).filter(|at| *at <= 2)?;
    let (marks, quoted) = rest.split_at_checked(prefix)?;
    if !matches!(marks.to_ascii_lowercase().as_str(), "" | "r" | "b" | "br" | "rb") {
        return None;
    }
    let is_raw = marks.contains(['r', 'R']);
    let quote = quoted.get(..1)?;
    let triple = quote.repeat(3);
    let end = if quoted.starts_with(&triple) { triple.as_str() } else { quote };
    let mut at = end.len();
    while let Some(inside) = quoted.get(at..).filter(|inside| !inside.is_empty()) {
        if inside.starts_with(end) {
            return Some(Some(prefix.saturating_add(at).saturating_add(end.len())));
        }
        let letter = inside.chars().next()?;
        at = at.saturating_add(letter.len_utf8());
        if letter == '\\' && !is_raw {
            at = at.saturating_add(quoted.get(at..)?.chars().next().map_or(0, char::len_utf8));
        }
    }
    Some(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(source: &str) -> Vec<&str> {
        tokens(source).unwrap().into_iter().map(|token| token.text).collect()
    }

    #[test]
    fn tokens_are_what_cel_sees() {
        assert_eq!(
            texts("a.b == 25.5e-1 && !c[0]"),
            ["a", ".", "b", "==", "25.5e-1", "&&", "!", "c", "[", "0", "]"]
        );
        assert_eq!(
            texts(r#"'it\'s' + r'\' + """a"b""" // x"#),
            [r"'it\'s'", "+", r"r'\'", "+", r#""""a"b""""#]
        );
        assert_eq!(texts("data.list.0.value"), ["data", ".", "list", ".", "0", ".", "value"]);
        assert_eq!(texts("a ?? b === c"), ["a", "??", "b", "===", "c"]);
        assert_eq!(texts("data.`soil-moisture` > 1"), ["data", ".", "`soil-moisture`", ">", "1"]);
        assert_eq!(texts("température>1"), ["température", ">", "1"]);
    }

    #[test]
    fn an_open_quote_is_told_with_its_place() {
        assert!(tokens("é == 'x").unwrap_err().contains("character 6"));
        assert!(tokens(r"'x\'").is_err());
    }
}
