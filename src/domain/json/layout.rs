//! Formats JSON on several lines, with every token as written.

use super::lexer::{Kind, Lexer};

/// JSON with one line per member and item, indented by two blanks per level; only blanks change.
#[must_use]
pub fn laid_out(json: &str) -> String {
    let mut out = String::with_capacity(json.len().saturating_mul(2));
    let mut depth = 0_usize;
    let line = |out: &mut String, depth: usize| {
        out.push('\n');
        out.extend(std::iter::repeat_n("  ", depth));
    };
    let mut tokens = Lexer::new(json.as_bytes(), 0).peekable();
    let mut is_empty = false;
    while let Some(token) = tokens.next() {
        let ends = matches!(token.kind, Kind::ObjectEnd | Kind::ArrayEnd);
        if ends && !is_empty {
            depth = depth.saturating_sub(1);
            line(&mut out, depth);
        }
        out.push_str(json.get(token.start..token.end).unwrap_or_default());
        is_empty = false;
        match token.kind {
            Kind::ObjectStart | Kind::ArrayStart => {
                let is_end = |kind: Kind| matches!(kind, Kind::ObjectEnd | Kind::ArrayEnd);
                is_empty = tokens.peek().is_some_and(|next| is_end(next.kind));
                if !is_empty {
                    depth = depth.saturating_add(1);
                    line(&mut out, depth);
                }
            }
            Kind::Comma => line(&mut out, depth),
            Kind::Colon => out.push(' '),
            _ => {}
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_laid_out_without_changing_a_token() {
        let json = r#"{"a": "x,\"{y}\\","n":1.0,"e":{},"l":[1,{"b":[ ]}]}"#;
        let shown = laid_out(json);
        assert_eq!(
            shown,
            "{\n  \"a\": \"x,\\\"{y}\\\\\",\n  \"n\": 1.0,\n  \"e\": {},\n  \"l\": [\n    1,\n    {\n      \"b\": []\n    }\n  ]\n}"
        );
        let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(read(&shown), read(json));
    }
}
