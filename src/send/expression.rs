//! CEL, for what a path cannot say: compiled when configured, bounded, and never able to bring the program down.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use cel::objects::{Key, Map};
use cel::{Context, ExecutionError, Program, Value};
use serde_json::value::RawValue;

use super::scope::Scope;
use crate::domain::Timestamp;

/// The longest expression, in bytes.
const MAX_LENGTH: usize = 1_000;
/// The most operators: an expression is evaluated recursively.
const MAX_OPERATORS: usize = 64;
/// The deepest brackets.
const MAX_DEPTH: usize = 16;
/// The stack on which an expression is parsed, which is recursive too.
const PARSER_STACK: usize = 16 * 1024 * 1024;
/// The most bytes of JSON that come out.
const MAX_OUTPUT: usize = 4 * 1024 * 1024;
/// Macros that walk a list; one inside another would walk it squared.
const MACROS: [&str; 6] = ["all", "exists", "exists_one", "filter", "map", "existsOne"];

/// A compiled expression. Cheap to clone.
#[derive(Clone)]
pub struct Expression {
    source: String,
    program: Arc<Program>,
    /// The names it speaks of, those that its macros bind among them.
    variables: Vec<String>,
}

/// Why an expression has no value for an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoValue {
    /// The event lacks this.
    Missing(String),
    /// It cannot be computed.
    Failed(String),
}

impl Expression {
    /// Compiles `source`.
    ///
    /// # Errors
    /// One sentence: it is too long, too deep, or no CEL.
    pub fn compile(source: &str) -> Result<Self, String> {
        check_bounds(source)?;
        let text = source.to_owned();
        let parsed = std::thread::Builder::new()
            .stack_size(PARSER_STACK)
            .spawn(move || Program::compile(&text).map_err(|fault| first_line(&fault.to_string())))
            .map_err(|fault| format!("cannot be compiled now: {fault}"))?
            .join();
        let program = parsed.map_err(|_| "is no CEL expression".to_owned())??;
        let variables = program.references().variables().into_iter().map(str::to_owned).collect();
        Ok(Self { source: source.to_owned(), program: Arc::new(program), variables })
    }

    /// The text.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The value for an event, as JSON.
    ///
    /// # Errors
    /// When the event lacks something it speaks of, or it cannot be computed.
    pub fn evaluate(&self, scope: &Scope) -> Result<Box<RawValue>, NoValue> {
        // A fault of the library must not take the sender with it.
        let value = catch_unwind(AssertUnwindSafe(|| self.value(scope)))
            .unwrap_or_else(|_| Err(NoValue::Failed(format!("{}: cannot be computed", self.source))))?;
        let mut text = String::new();
        write_json(&value, &mut text)
            .and_then(|()| RawValue::from_string(text).map_err(|fault| fault.to_string()))
            .map_err(|why| NoValue::Failed(format!("{}: {why}", self.source)))
    }

    fn value(&self, scope: &Scope) -> Result<Value, NoValue> {
        let mut context = Context::default();
        context
            .add_function("epoch", epoch)
            .map_err(|fault| NoValue::Failed(format!("{}: {fault}", self.source)))?;
        for name in &self.variables {
            // What the event lacks, or a macro binds, the evaluation itself finds out.
            let Some(member) = scope.member(name) else { continue };
            let json: serde_json::Value = serde_json::from_str(member.get())
                .map_err(|fault| NoValue::Failed(format!("{name}: {fault}")))?;
            context.add_variable_from_value(name.as_str(), to_cel(&json));
        }
        self.program.execute(&context).map_err(|fault| match fault {
            ExecutionError::NoSuchKey(key) => NoValue::Missing(format!("{key} in {}", self.source)),
            ExecutionError::UndeclaredReference(name) => NoValue::Missing(name.to_string()),
            other => NoValue::Failed(format!("{}: {}", self.source, first_line(&other.to_string()))),
        })
    }
}

impl std::fmt::Debug for Expression {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Expression({})", self.source)
    }
}

/// RFC 3339 text as whole seconds since 1970, as Slack's `ts` wants them.
fn epoch(text: Arc<String>) -> Result<i64, ExecutionError> {
    let at = Timestamp::parse_rfc3339(&text);
    at.map(Timestamp::as_secs)
        .ok_or_else(|| ExecutionError::function_error("epoch", "an RFC 3339 time expected"))
}

fn first_line(text: &str) -> String {
    let line = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default().trim();
    line.chars().take(200).collect()
}

/// Keeps out what would cost too much, before any parser sees it.
fn check_bounds(source: &str) -> Result<(), String> {
    if source.len() > MAX_LENGTH {
        return Err(format!("is longer than {MAX_LENGTH} bytes"));
    }
    let mut brackets: Vec<bool> = Vec::new();
    let mut operators = 0_usize;
    let mut word = String::new();
    let mut quote = None;
    let mut letters = source.chars();
    while let Some(letter) = letters.next() {
        if let Some(mark) = quote {
            if letter == '\\' {
                letters.next();
            } else if letter == mark {
                quote = None;
            }
            continue;
        }
        match letter {
            '"' | '\'' => quote = Some(letter),
            '(' | '[' | '{' => {
                let is_macro = letter == '(' && MACROS.contains(&word.as_str());
                if is_macro && brackets.contains(&true) {
                    return Err(format!(
                        "{word}() stands inside another list macro; use one after the other"
                    ));
                }
                brackets.push(is_macro);
            }
            ')' | ']' | '}' => {
                brackets.pop();
            }
            '+' | '-' | '*' | '/' | '%' | '<' | '>' | '=' | '!' | '&' | '|' | '?' | '.' => {
                operators = operators.saturating_add(1);
            }
            _ => {}
        }
        if letter.is_alphanumeric() || letter == '_' {
            word.push(letter);
        } else if !letter.is_whitespace() {
            word.clear();
        }
        if brackets.len() > MAX_DEPTH {
            return Err(format!("has brackets more than {MAX_DEPTH} deep"));
        }
    }
    if operators > MAX_OPERATORS {
        return Err(format!("has more than {MAX_OPERATORS} operators"));
    }
    Ok(())
}

fn to_cel(json: &serde_json::Value) -> Value {
    match json {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(value) => Value::Bool(*value),
        serde_json::Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(whole), _) => Value::Int(whole),
            (None, Some(whole)) => Value::UInt(whole),
            (None, None) => Value::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
        serde_json::Value::String(text) => Value::String(Arc::new(text.clone())),
        serde_json::Value::Array(items) => Value::List(Arc::new(items.iter().map(to_cel).collect())),
        serde_json::Value::Object(members) => {
            let map = members.iter().map(|(key, value)| (Key::String(Arc::new(key.clone())), to_cel(value)));
            Value::Map(Map { map: Arc::new(map.collect()) })
        }
    }
}

fn write_json(value: &Value, out: &mut String) -> Result<(), String> {
    if out.len() > MAX_OUTPUT {
        return Err(format!("makes more than {MAX_OUTPUT} bytes"));
    }
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(value) => out.push_str(&value.to_string()),
        Value::Int(whole) => out.push_str(&whole.to_string()),
        Value::UInt(whole) => out.push_str(&whole.to_string()),
        Value::Float(number) => {
            let number = serde_json::Number::from_f64(*number).ok_or("makes a number that JSON has not")?;
            out.push_str(&number.to_string());
        }
        Value::String(text) => out.push_str(&serde_json::Value::from(text.as_str()).to_string()),
        Value::List(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write_json(item, out)?;
            }
            out.push(']');
        }
        Value::Map(map) => write_map(map, out)?,
        _ => return Err("makes a value that JSON has not".to_owned()),
    }
    Ok(())
}

/// In the order of the keys: the library has none.
fn write_map(map: &Map, out: &mut String) -> Result<(), String> {
    let mut members: Vec<(String, &Value)> =
        map.map.iter().map(|(key, value)| (key.to_string(), value)).collect();
    members.sort_by(|(one, _), (other, _)| one.cmp(other));
    out.push('{');
    for (at, (key, value)) in members.into_iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        out.push_str(&serde_json::Value::from(key).to_string());
        out.push(':');
        write_json(value, out)?;
    }
    out.push('}');
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(body: &str) -> Scope {
        Scope::new(Some("e1"), "data.received", Timestamp::from_secs(0), body.as_bytes()).unwrap()
    }

    fn value(source: &str, body: &str) -> Result<String, NoValue> {
        Expression::compile(source).unwrap().evaluate(&scope(body)).map(|value| value.get().to_owned())
    }

    #[test]
    fn the_documents_ternary_and_the_usual_expressions() {
        let ternary = "alert.severity == 'critical' ? 'danger' : 'warning'";
        assert_eq!(value(ternary, r#"{"alert":{"severity":"critical"}}"#).unwrap(), "\"danger\"");
        assert_eq!(value(ternary, r#"{"alert":{"severity":"low"}}"#).unwrap(), "\"warning\"");
        assert_eq!(
            value("epoch(event.timestamp)", r#"{"timestamp":"2026-03-09T07:14:58Z"}"#).unwrap(),
            "1773040498"
        );
        let body = r#"{"data":{"value":120.5,"n":150,"list":[{"v":1},{"v":2}]},"big":18446744073709551615}"#;
        for (source, expected) in [
            ("data.value > 100", "true"),
            ("data.n > 100", "true"),
            ("data.n > 100.5", "true"),
            ("big > 5", "true"),
            ("data.list.filter(i, i.v > 1).map(i, i.v)", "[2]"),
            ("data.n + 1", "151"),
            ("{'b': 1, 'a': [true, null]}", r#"{"a":[true,null],"b":1}"#),
            ("has(data.nothing)", "false"),
            ("size(data.list)", "2"),
            ("'é'.contains('é')", "true"),
        ] {
            assert_eq!(value(source, body).as_deref(), Ok(expected), "{source}");
        }
    }

    #[test]
    fn what_an_event_lacks_and_what_cannot_be_computed_are_told_apart() {
        assert_eq!(value("alert.severity == 'a'", "{}"), Err(NoValue::Missing("alert".into())));
        assert!(matches!(value("alert.severity == 'a'", r#"{"alert":{}}"#), Err(NoValue::Missing(_))));
        assert!(matches!(value("1 / (data.n - data.n)", r#"{"data":{"n":1}}"#), Err(NoValue::Failed(_))));
        assert!(matches!(value("epoch('yesterday')", "{}"), Err(NoValue::Failed(_))));
    }

    #[test]
    fn what_would_cost_too_much_is_refused_when_configured() {
        let deep = format!("{}1{}", "(".repeat(17), ")".repeat(17));
        let long = format!("'{}'", "x".repeat(1_000));
        let wide = vec!["1"; 70].join("+");
        for source in
            [&*deep, &long, &wide, "a.map(x, a.map(y, y))", "a.all(x, b.exists (y, y))", "1 +", "a ? b", ""]
        {
            assert!(Expression::compile(source).is_err(), "{source}");
        }
        let ternaries = format!("{}1", "a?b:".repeat(60));
        assert!(Expression::compile(&ternaries).is_ok());
        let squared = "{'a': data.list.map(x, data.list)}";
        let body = format!(r#"{{"data":{{"list":[{}]}}}}"#, vec!["12345678"; 3_000].join(","));
        assert!(matches!(value(squared, &body), Err(NoValue::Failed(_))));
    }
}
