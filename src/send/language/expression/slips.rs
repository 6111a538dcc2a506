//! Typical mistakes of users who think in JavaScript or in paths, and the CEL equivalents.

use super::tokens::{Kind, Token, character};

/// CEL's reserved words: not even a member after a dot may have such a name.
const RESERVED: [&str; 19] = [
    "as",
    "break",
    "const",
    "continue",
    "else",
    "false",
    "for",
    "function",
    "if",
    "import",
    "in",
    "let",
    "loop",
    "null",
    "package",
    "namespace",
    "return",
    "true",
    "var",
];

/// The first mistake, with advice on how to fix it; `None` if nothing looks wrong.
pub fn find(source: &str, tokens: &[Token<'_>]) -> Option<String> {
    let at = |place: usize| tokens.get(place);
    tokens.iter().enumerate().find_map(|(place, token)| {
        let before = place.checked_sub(1).and_then(at);
        let after = at(place.saturating_add(1));
        let hint = match token.kind {
            Kind::Sign => sign(token, before, after, path_before(tokens, place)),
            Kind::Name => name(token, before, after, path_before(tokens, place)),
            Kind::Number => number(token, before, path_before(tokens, place)),
            Kind::Text => None,
        }?;
        Some(format!("character {}: {hint}", character(source, token.start)))
    })
}

/// The path before the dot in front of a token: `data.list` for the `0` of `data.list.0`.
fn path_before(tokens: &[Token<'_>], place: usize) -> String {
    let mut path: Vec<&str> = Vec::new();
    for token in tokens.iter().take(place).rev() {
        let fits = match path.last() {
            None | Some(&".") => token.kind == Kind::Name || token.is("."),
            Some(_) => token.is("."),
        };
        if !fits {
            break;
        }
        path.push(token.text);
    }
    path.reverse();
    path.concat().trim_end_matches('.').to_owned()
}

fn sign(
    token: &Token<'_>,
    before: Option<&Token<'_>>,
    after: Option<&Token<'_>>,
    path: String,
) -> Option<String> {
    let follows = before.is_some_and(|before| before.end() == token.start && before.kind == Kind::Name);
    Some(match token.text {
        "===" => "=== is JavaScript; write ==".to_owned(),
        "!==" => "!== is JavaScript; write !=".to_owned(),
        "=" => "= does not compare; write ==".to_owned(),
        "=>" => "there are no arrow functions; write list.exists(v, v.value > 1)".to_owned(),
        "|" => "| is not an operator; write || for \"or\"".to_owned(),
        "&" => "& is not an operator; write && for \"and\"".to_owned(),
        "??" => "?? is JavaScript; write has(data.x) ? data.x : 'other'".to_owned(),
        "?." if after.is_some_and(|after| after.kind == Kind::Name) && follows => {
            "?. is JavaScript; use a plain dot: a missing member is not an error".to_owned()
        }
        "`" => "`…` is JavaScript; join texts with +, as in 'T = ' + string(data.value)".to_owned(),
        "<" if after.is_some_and(|after| after.is(">") && after.start == token.end()) => {
            "<> is not an operator; write !=".to_owned()
        }
        "“" | "”" | "„" | "‘" | "’" => {
            "a text is written in straight quotes, 'like this'".to_owned()
        }
        "≠" => "write != for ≠".to_owned(),
        "≥" => "write >= for ≥".to_owned(),
        "≤" => "write <= for ≤".to_owned(),
        "..." => "... is JavaScript; lists are joined with +".to_owned(),
        "**" => "** is not an operator; write x * x".to_owned(),
        "++" | "+=" | "-=" => format!("{} changes a value; an expression only reads", token.text),
        ";" => "; ends a statement; write one expression without it".to_owned(),
        "\\" if after.is_some_and(|after| after.is(".")) => {
            "\\. belongs to paths; in an expression write data['a.b']".to_owned()
        }
        "{" if after.is_some_and(|after| after.is("{")) => {
            "{{ }} belongs to templates; write the expression without them".to_owned()
        }
        "$" | "#" | "@" | "~" | "^" | "\\" => {
            let name = if path.is_empty() {
                String::new()
            } else {
                format!("; a member with it is written {path}['…']")
            };
            format!("{} is not part of CEL{name}", token.text)
        }
        _ => return None,
    })
}

fn name(
    token: &Token<'_>,
    before: Option<&Token<'_>>,
    after: Option<&Token<'_>>,
    path: String,
) -> Option<String> {
    let text = token.text;
    let after_dot = before.is_some_and(|before| before.is("."));
    if text.starts_with('`') {
        return None;
    }
    if !text.is_ascii() {
        return Some(if after_dot && !path.is_empty() {
            format!("CEL's names are ASCII; write {path}['{text}']")
        } else {
            format!("CEL's names are ASCII; write event.data['{text}']")
        });
    }
    if after_dot && RESERVED.contains(&text) && !path.is_empty() {
        return Some(format!("{text} is a word of CEL; write {path}['{text}']"));
    }
    let is_between = before
        .is_some_and(|before| before.kind != Kind::Sign || before.is(")") || before.is("]"))
        && after.is_some_and(|after| after.kind != Kind::Sign || after.is("(") || after.is("!"));
    match text {
        "and" | "AND" if is_between => Some("write && for \"and\"".to_owned()),
        "or" | "OR" if is_between => Some("write || for \"or\"".to_owned()),
        "not" | "NOT" if !after_dot && after.is_some_and(|after| after.kind == Kind::Name) => {
            Some("write ! for \"not\"".to_owned())
        }
        "if" | "else" | "return" | "function" | "var" | "let" | "const" => {
            Some(format!("{text} is a statement; write condition ? one : other"))
        }
        "undefined" if !after_dot => Some("CEL has no undefined; write !has(data.x)".to_owned()),
        "typeof" if !after_dot => Some("typeof is JavaScript; write type(x) == string".to_owned()),
        "new" if !after_dot && after.is_some_and(|after| after.kind == Kind::Name) => {
            Some("new is JavaScript; a time is written timestamp(event.timestamp)".to_owned())
        }
        _ => None,
    }
}

fn number(token: &Token<'_>, before: Option<&Token<'_>>, path: String) -> Option<String> {
    let is_step =
        before.is_some_and(|before| before.is(".") && before.end() == token.start) && !path.is_empty();
    if is_step {
        return Some(format!("an item of a list is written {path}[{}]", token.text));
    }
    let digits = token.text.trim_end_matches(['u', 'U']);
    let is_whole = digits.bytes().all(|digit| digit.is_ascii_digit());
    let signed =
        if before.is_some_and(|before| before.is("-")) { format!("-{digits}") } else { digits.to_owned() };
    let fits = signed.parse::<i64>().is_ok() || (digits != token.text && digits.parse::<u64>().is_ok());
    (is_whole && !fits).then(|| {
        format!(
            "{digits} is beyond the 64 bits of CEL's numbers; compare the text: string(data.x) == '{digits}'"
        )
    })
}

/// `data.soil-moisture` is a subtraction. If the second half is not a known event member, it was meant as one name.
pub fn dashed<'s>(tokens: &[Token<'s>], root: &str) -> Option<String> {
    let place = tokens.windows(3).position(|window| {
        let [one, dash, other] = window else { return false };
        let touches = one.end() == dash.start && dash.end() == other.start;
        dash.is("-") && touches && one.kind == Kind::Name && other.kind == Kind::Name && other.text == root
    })?;
    let (one, other) = (tokens.get(place)?, tokens.get(place.saturating_add(2))?);
    let path = path_before(tokens, place);
    let path = if path.is_empty() { "event.data" } else { path.as_str() };
    Some(format!("{path}['{}-{}']", one.text, other.text))
}
