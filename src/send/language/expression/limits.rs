//! Rejects expressions that would cost too much before any parser sees them.

use super::tokens::{Kind, Token, character};

/// The longest expression, in bytes.
pub const MAX_LENGTH: usize = 1_000;
/// The most operators: evaluation is recursive.
const MAX_OPERATORS: usize = 100;
/// The deepest bracket nesting.
const MAX_DEPTH: usize = 16;
/// Macros that walk a list; nested ones would take quadratic time.
const MACROS: [&str; 7] = ["all", "exists", "exists_one", "existsOne", "filter", "map", "sortBy"];
/// What counts as an operator.
const OPERATORS: [&str; 16] =
    ["+", "-", "*", "/", "%", "<", ">", "<=", ">=", "==", "!=", "!", "&&", "||", "?", "in"];

/// Checks the limits and the matching of brackets.
///
/// # Errors
/// One sentence: which limit, or which bracket.
pub fn check(source: &str, tokens: &[Token<'_>]) -> Result<(), String> {
    let operators =
        tokens.iter().filter(|token| token.kind != Kind::Text && OPERATORS.contains(&token.text)).count();
    if operators > MAX_OPERATORS {
        return Err(format!("has {operators} operators; at most {MAX_OPERATORS} are allowed"));
    }
    let mut open: Vec<(&Token<'_>, bool)> = Vec::new();
    let mut before = "";
    for token in tokens {
        match token.text {
            "(" | "[" | "{" if token.kind == Kind::Sign => {
                let is_macro = token.text == "(" && MACROS.contains(&before);
                if is_macro && open.iter().any(|(_, is_macro)| *is_macro) {
                    return Err(format!("{before}() is inside another list macro; use one after the other"));
                }
                open.push((token, is_macro));
            }
            ")" | "]" | "}" if token.kind == Kind::Sign => {
                let fits = match open.pop().map(|(bracket, _)| bracket.text) {
                    Some("(") => token.text == ")",
                    Some("[") => token.text == "]",
                    Some(_) => token.text == "}",
                    None => false,
                };
                if !fits {
                    let place = character(source, token.start);
                    return Err(format!("the {} at character {place} has no opening match", token.text));
                }
            }
            _ => {}
        }
        if open.len() > MAX_DEPTH {
            return Err(format!("has brackets more than {MAX_DEPTH} deep"));
        }
        before = token.text;
    }
    match open.first() {
        Some((bracket, _)) => {
            let place = character(source, bracket.start);
            Err(format!("the {} at character {place} is never closed", bracket.text))
        }
        None => Ok(()),
    }
}
