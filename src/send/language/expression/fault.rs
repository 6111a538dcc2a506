//! The library's errors, reworded for users.

use cel::ExecutionError;
use cel::common::value::Val;

/// A failure with our own message.
pub fn failure(sentence: impl Into<String>) -> ExecutionError {
    ExecutionError::FunctionError { function: String::new(), message: sentence.into() }
}

/// The kind of a value, in plain words.
pub fn kind_of(value: &dyn Val) -> &'static str {
    kind(value.get_type().name())
}

/// The name of a CEL type, in plain words.
fn kind(name: &str) -> &'static str {
    match name {
        "string" => "text",
        "int" | "uint" | "double" | "number" => "a number",
        "bool" => "true or false",
        "null_type" => "null",
        "list" => "a list",
        "map" => "an object",
        "bytes" => "bytes",
        "google.protobuf.Timestamp" => "a timestamp",
        "google.protobuf.Duration" => "a duration",
        "optional_type" => "an optional value",
        "missing" => "a missing value",
        "type" => "a type",
        _ => "another value",
    }
}

/// Why an evaluation failed, as a clause after the expression and a colon.
pub fn sentence(error: &ExecutionError) -> String {
    match error {
        ExecutionError::FunctionError { function, message } if function.is_empty() => message.clone(),
        ExecutionError::FunctionError { function, message } => of_function(function, message),
        ExecutionError::NoSuchOverload(overload) => {
            let kinds: Vec<&str> = overload.argument_types().iter().map(|name| kind(name)).collect();
            match (overload.is_member_function(), kinds.as_slice()) {
                (true, [target]) => format!("{} does not work on {target}", call(overload.function())),
                (true, [target, rest @ ..]) => {
                    format!(
                        "{} does not work on {target} with {}",
                        call(overload.function()),
                        rest.join(", ")
                    )
                }
                _ => format!("{} does not work on {}", call(overload.function()), kinds.join(" and ")),
            }
        }
        ExecutionError::NoSuchKey(key) => format!("there is no member {key}"),
        ExecutionError::UndeclaredReference(name) => format!("there is no variable {name}"),
        ExecutionError::UnexpectedType { got, want } if want == "iterable" => {
            format!("a list macro needs a list or an object, here it is {}", kind(got))
        }
        ExecutionError::UnexpectedType { got, want } => {
            format!("{} is needed, here it is {}", kind(want), kind(got))
        }
        ExecutionError::DivisionByZero(_) | ExecutionError::RemainderByZero(_) => {
            "divides by zero".to_owned()
        }
        ExecutionError::Overflow(..) => "makes a whole number beyond 64 bits".to_owned(),
        ExecutionError::IndexOutOfBounds(_) => "the list has no item at that index".to_owned(),
        ExecutionError::DuplicateKey(_) => "an object names the same key twice".to_owned(),
        ExecutionError::UnsupportedKeyType(_) => "this value cannot be a key".to_owned(),
        ExecutionError::InvalidArgumentCount { expected, actual } => {
            format!("{expected} arguments are needed, {actual} are given")
        }
        ExecutionError::UnsupportedBinaryOperator(..) | ExecutionError::ValuesNotComparable(..) => {
            "the two values do not fit together".to_owned()
        }
        _ => "cannot be computed".to_owned(),
    }
}

/// The library's function errors are written for its programmers; errors for common mistakes are reworded.
fn of_function(function: &str, message: &str) -> String {
    match function {
        "timestamp" if message.contains("out of range") => {
            "timestamp() is out of range; for milliseconds since 1970 write timestamp(epoch(x))".to_owned()
        }
        "timestamp" => "timestamp() reads RFC 3339, as in '2026-03-09T07:14:58Z'".to_owned(),
        "duration" if !message.contains("range") => {
            "duration() reads hours, minutes and seconds, as in '1h30m' or '90s'; a day is '24h'".to_owned()
        }
        "timezone" => format!("{}; a zone is written as in 'Europe/Berlin' or '-03:00'", short(message)),
        "int" | "uint" | "double" if message.contains("parse error") => {
            format!("{function}() cannot read this text as a number")
        }
        _ => format!("{} failed: {}", call(function), short(message)),
    }
}

fn call(function: &str) -> String {
    let shown = match function {
        "math.@max" => "math.greatest",
        "math.@min" => "math.least",
        "@sortByAssociatedKeys" => "sortBy",
        other => other,
    };
    if shown.chars().all(|letter| letter.is_alphanumeric() || letter == '.' || letter == '_')
        && !shown.starts_with('_')
    {
        format!("{shown}()")
    } else {
        shown.trim_matches(['_', '@']).to_owned()
    }
}

fn short(text: &str) -> String {
    text.lines().next().unwrap_or_default().chars().take(200).collect()
}
