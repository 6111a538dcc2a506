//! A draft of a source: its configuration with some keys changed.

use std::time::Duration;

use toml::{Table, Value};

use super::fault::ConfigFaults;
use super::secrets::{SecretCheck, SecretResolver};
use super::{source_event, sources, values};
use crate::domain::{Credential, SchemaMode, Source, UnknownEvents};

/// The placeholder in the printed configuration for a literal secret.
const NEW_SECRET: &str = "file:NEW-SECRET";

/// A drafted source.
#[derive(Debug)]
pub struct DraftedSource {
    /// The source.
    pub source: Source,
    /// Its `[[source]]` entry, without secrets.
    pub toml: String,
}

/// Applies the keys of `changes` to `present`. Secrets may be literals; they are not stored.
///
/// # Errors
/// Every fault, in a sentence that repeats no secret.
pub fn draft_source(
    present: &Source,
    changes: &serde_json::Map<String, serde_json::Value>,
    resolver: &SecretResolver,
    check: SecretCheck,
) -> Result<DraftedSource, Vec<String>> {
    let mut changed = Table::new();
    for (key, value) in changes {
        let value = Value::try_from(value).map_err(|fault| vec![format!("{key}: {fault}")])?;
        changed.insert(key.clone(), value);
    }
    // Keys set by a preset also count as changes.
    let changed = source_event::with_preset(&changed).map_err(|what| vec![format!("preset: {what}")])?;
    let mut table = table_of(present);
    let mut shown = table.clone();
    for (key, value) in changed {
        shown.insert(key.clone(), without_literals(&key, &value));
        table.insert(key, value);
    }
    let mut faults = ConfigFaults::default();
    let mut read = resolver.with_literals(|secrets| {
        sources::read(std::slice::from_ref(&table), None, secrets, check, &mut faults)
    });
    match read.pop() {
        Some(source) if faults.is_empty() => {
            let entry = Value::Array(vec![Value::Table(shown)]);
            let file = Table::from_iter([("source".to_owned(), entry)]);
            Ok(DraftedSource { source, toml: file.to_string() })
        }
        _ => {
            let plain = |line: &String| line.strip_prefix("default.toml: ").unwrap_or(line).to_owned();
            Err(faults.0.iter().map(plain).collect())
        }
    }
}

/// The keys of a `[[source]]` entry, with or without its head and its name.
///
/// # Errors
/// When it is not TOML, in a sentence that repeats none of it.
pub fn toml_members(text: &str) -> Result<serde_json::Map<String, serde_json::Value>, String> {
    let table: Table =
        text.parse().map_err(|fault: toml::de::Error| format!("no TOML: {}", fault.message()))?;
    let entry = match table.get("source") {
        Some(Value::Array(entries)) if table.len() == 1 => entries.first().and_then(Value::as_table),
        _ => Some(&table),
    };
    let mut members = serde_json::Map::new();
    for (key, value) in entry.into_iter().flatten().filter(|(key, _)| *key != "name") {
        let value = serde_json::to_value(value).map_err(|_| format!("{key} cannot be read"))?;
        members.insert(key.clone(), value);
    }
    Ok(members)
}

/// Keeps references to secrets; a literal becomes a reference that must still be created.
fn without_literals(key: &str, value: &Value) -> Value {
    let is_secret = matches!(key, "secrets" | "credentials" | "handshake_token");
    match value {
        Value::String(text) if is_secret && !text.starts_with("file:") && !text.starts_with("env:") => {
            Value::from(NEW_SECRET)
        }
        Value::Array(items) => Value::Array(items.iter().map(|item| without_literals(key, item)).collect()),
        Value::Table(members) => {
            let is_plain = |name: &str| matches!(name, "username" | "header" | "secret_header");
            let member = |(name, value): (&String, &Value)| {
                let value = if is_plain(name) { value.clone() } else { without_literals(key, value) };
                (name.clone(), value)
            };
            Value::Table(members.iter().map(member).collect())
        }
        other => other.clone(),
    }
}

fn table_of(source: &Source) -> Table {
    let mut table = Table::new();
    let mut put = |key: &str, value: Value| {
        table.insert(key.to_owned(), value);
    };
    let texts = |items: Vec<String>| Value::Array(items.into_iter().map(Value::from).collect());
    put("name", source.name.as_str().into());
    put("signature", source.signature.scheme.as_str().into());
    let secrets = source.signature.secrets.iter().map(|secret| secret.name().to_owned());
    put("secrets", texts(secrets.collect()));
    put("tolerance", written(source.signature.tolerance).into());
    put("allow", texts(source.allow.ranges.iter().map(ToString::to_string).collect()));
    if source.allow.ranges.iter().any(values::matches_all) {
        put("allow_all", true.into());
    }
    put("credentials", Value::Array(source.credentials.iter().map(credential).collect()));
    let schema = match source.schema {
        SchemaMode::Enforce => "enforce",
        SchemaMode::Strict => "strict",
        SchemaMode::Warn => "warn",
        SchemaMode::Off => "off",
    };
    put("schema", schema.into());
    let unknown = match source.unknown_events {
        UnknownEvents::Accept => "accept",
        UnknownEvents::Reject => "reject",
    };
    put("unknown_events", unknown.into());
    put("event", source.event.to_string().into());
    put("id_pointer", source.id_pointer.as_str().into());
    put("id_scope", texts(source.id_scope.words().into_iter().map(str::to_owned).collect()));
    let dedupe = source.dedupe_by_body.map_or(String::new(), written);
    put("dedupe_by_body", dedupe.into());
    put("entity", source.entity.as_str().into());
    if let Some(device) = &source.device {
        put("device", device.to_string().into());
    }
    put("silence_after", source.silence_after.to_string().into());
    put("sender_timeout", written(source.sender_timeout).into());
    put("time_pointer", source.time_pointer.as_str().into());
    if let Some(rule) = &source.handshake {
        put("handshake", rule.kind.as_str().into());
        if let Some(token) = &rule.token {
            put("handshake_token", token.name().into());
        }
        put("handshake_confirm", if rule.opens_links { "auto" } else { "ask" }.into());
    }
    table
}

/// A duration as it is written in the configuration, in its largest whole unit: `5m`.
fn written(duration: Duration) -> String {
    let ms = duration.as_millis();
    let unit = [(3_600_000, "h"), (60_000, "m"), (1_000, "s")]
        .into_iter()
        .find(|(unit, _)| ms > 0 && ms.is_multiple_of(*unit));
    unit.map_or_else(|| format!("{ms}ms"), |(unit, name)| format!("{}{name}", ms / unit))
}

fn credential(credential: &Credential) -> Value {
    let table = |members: Vec<(&str, Value)>| {
        Value::Table(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    };
    match credential {
        Credential::Bearer(token) => table(vec![("bearer", token.name().into())]),
        Credential::Basic { username, password } => {
            let inner =
                table(vec![("username", username.as_str().into()), ("password", password.name().into())]);
            table(vec![("basic", inner)])
        }
        Credential::ApiKey { key, secret, header, secret_header } => {
            let mut members = vec![("key", Value::from(key.name())), ("header", header.as_str().into())];
            if let Some(secret) = secret {
                members.push(("secret", secret.name().into()));
                members.push(("secret_header", secret_header.as_str().into()));
            }
            table(vec![("api_key", table(members))])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_written_as_people_write_them() {
        let of = |ms| written(Duration::from_millis(ms));
        assert_eq!(
            [0, 1, 1_500, 30_000, 90_000, 300_000, 7_200_000].map(of),
            ["0ms", "1ms", "1500ms", "30s", "90s", "5m", "2h"]
        );
    }
}
