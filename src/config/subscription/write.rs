//! Writes a subscription in two forms: for the store with sealed secrets, for users with masked secrets.

use std::time::Duration;

use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::fault::JsonFault;
use super::mask::{is_reference, mask, mask_header};
use crate::config::seal::Sealer;
use crate::domain::json::{not_an_object, pointer};
use crate::domain::{
    Backoff, Credential, HeaderValue, MissingValue, RetryPolicy, Scheme, Secret, SigningRule, Subscription,
};

/// The stored form of the subscription.
#[must_use]
pub fn stored_json(subscription: &Subscription, sealer: &Sealer) -> String {
    write(subscription, &|secret, _| {
        if is_reference(secret) {
            Value::from(secret.name())
        } else {
            json!({"sealed": sealer.seal(secret.expose())})
        }
    })
}

/// The displayed form of the subscription.
#[must_use]
pub fn shown_json(subscription: &Subscription) -> String {
    write(subscription, &|secret, is_header| {
        Value::from(if is_header { mask_header(secret) } else { mask(secret) })
    })
}

/// Applies an RFC 7396 merge patch to `present`, the displayed form. Unpatched members keep their text.
///
/// # Errors
/// When one of the two is not an object.
pub fn merged(present: &str, patch: &str) -> Result<String, JsonFault> {
    type Members = std::collections::BTreeMap<String, Box<RawValue>>;
    let read = |text: &str| {
        serde_json::from_str::<Members>(text).map_err(|fault| JsonFault::new("", not_an_object(text, &fault)))
    };
    let mut members = read(present)?;
    for (key, value) in read(patch)? {
        // The other format's name for the same member.
        let key = match key.as_str() {
            "webhook_url" => "url".to_owned(),
            "payload" => "payload_template".to_owned(),
            "event" => "events".to_owned(),
            _ => key,
        };
        let is_whole = matches!(key.as_str(), "payload_template" | "filters");
        let merged = match members.get(&key).filter(|_| !is_whole) {
            Some(before) if key == "retry_policy" => merge(before.get(), value.get(), &is_of_that_backoff),
            Some(before) => merge(before.get(), value.get(), &|_, _| true),
            None => Some(value.get().to_owned()),
        };
        match merged.filter(|text| text != "null").and_then(|text| RawValue::from_string(text).ok()) {
            Some(raw) => members.insert(key, raw),
            None => members.remove(&key),
        };
    }
    serde_json::to_string(&members).map_err(|fault| JsonFault::new("", fault.to_string()))
}

/// Whether the patch keeps the backoff; a different one starts with its own default figures.
fn is_of_that_backoff(before: &Value, patch: &Value) -> bool {
    let grows = |policy: &Value| match (policy.get("backoff"), policy.get("delays"), policy.get("schedule")) {
        (Some(backoff), ..) => Some(backoff.clone()),
        (None, None, None) => None,
        (None, ..) => Some(Value::from("schedule")),
    };
    grows(patch).is_none_or(|wanted| grows(before) == Some(wanted))
}

/// `before` with `patch` applied, or only the patch if `before` cannot be used.
fn merge(before: &str, patch: &str, is_of_use: &dyn Fn(&Value, &Value) -> bool) -> Option<String> {
    let mut before: Value = serde_json::from_str(before).ok()?;
    let patch: Value = serde_json::from_str(patch).ok()?;
    if !is_of_use(&before, &patch) {
        before = Value::Object(Map::new());
    }
    merge_value(&mut before, patch);
    Some(before.to_string())
}

/// RFC 7396, section 2.
fn merge_value(target: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Some(members) = target.as_object_mut() else { return };
    for (key, value) in patch {
        if value.is_null() {
            members.shift_remove(&key);
        } else {
            merge_value(members.entry(key).or_insert(Value::Null), value);
        }
    }
}

/// Every secret of a subscription with its place.
pub fn secrets_of(subscription: &Subscription) -> Vec<(String, &Secret)> {
    let mut secrets = Vec::new();
    for header in &subscription.headers {
        if let HeaderValue::Secret(secret) = &header.value {
            secrets.push((pointer::child("/headers", &header.name), secret));
        }
    }
    match &subscription.auth {
        Some(Credential::Bearer(token)) => secrets.push(("/auth/bearer".to_owned(), token)),
        Some(Credential::ApiKey { key, secret, .. }) => {
            secrets.push(("/auth/api_key/key".to_owned(), key));
            secrets.extend(secret.as_ref().map(|secret| ("/auth/api_key/secret".to_owned(), secret)));
        }
        Some(Credential::Basic { password, .. }) => {
            secrets.push(("/auth/basic/password".to_owned(), password));
        }
        None => {}
    }
    let signing = subscription.signature.secrets.iter().enumerate();
    secrets.extend(signing.map(|(at, secret)| (format!("/signature/secrets/{at}"), secret)));
    secrets
}

/// How to write a secret; the flag says that it is a header value.
type WriteSecret<'a> = &'a dyn Fn(&Secret, bool) -> Value;

fn write(subscription: &Subscription, secret: WriteSecret<'_>) -> String {
    let mut members: Vec<(&str, String)> = Vec::new();
    let mut put = |key: &'static str, value: Value| members.push((key, value.to_string()));
    put("name", Value::from(&*subscription.name));
    put("url", Value::from(&*subscription.url));
    put("events", json!(subscription.events));
    if let Some(sources) = &subscription.sources {
        put("sources", json!(sources));
    }
    put("headers", headers(subscription, secret));
    if let Some(auth) = &subscription.auth {
        put("auth", self::auth(auth, secret));
    }
    put("signature", signature(&subscription.signature, secret));
    put("enabled", Value::from(subscription.enabled));
    put("retry_policy", policy(&subscription.retry_policy));
    put("timeout", seconds(subscription.timeout));
    if let Some(filters) = &subscription.filters {
        members.push(("filters", filters.clone()));
    }
    if let Some(template) = &subscription.payload_template {
        members.push(("payload_template", template.clone()));
    }
    let mut put = |key: &'static str, value: Value| members.push((key, value.to_string()));
    let missing = if subscription.missing == MissingValue::Error { "error" } else { "null" };
    put("missing", Value::from(missing));
    put("ordered", Value::from(subscription.ordered));
    if let Some(fallback) = &subscription.fallback {
        put("fallback", Value::from(&**fallback));
    }
    if let Some(limit) = subscription.rate_limit {
        let window_ms = u64::try_from(limit.window.as_millis()).unwrap_or(u64::MAX);
        put("rate_limit", json!({"max_requests": limit.max_requests, "window_ms": window_ms}));
    }
    if let Some(batch) = subscription.batch {
        let flush_ms = u64::try_from(batch.flush_interval.as_millis()).unwrap_or(u64::MAX);
        put(
            "batch",
            json!({"size": batch.size, "flush_interval_ms": flush_ms, "max_bytes": batch.max_bytes}),
        );
    }
    let members: Vec<String> =
        members.iter().map(|(key, value)| format!("{}:{value}", Value::from(*key))).collect();
    format!("{{{}}}", members.join(","))
}

fn headers(subscription: &Subscription, secret: WriteSecret<'_>) -> Value {
    let line = |value: &HeaderValue| match value {
        HeaderValue::Text(text) => Value::from(&**text),
        HeaderValue::Secret(hidden) => secret(hidden, true),
    };
    Value::Object(
        subscription.headers.iter().map(|header| (header.name.clone(), line(&header.value))).collect(),
    )
}

fn auth(auth: &Credential, secret: WriteSecret<'_>) -> Value {
    match auth {
        Credential::Bearer(token) => json!({"bearer": secret(token, false)}),
        Credential::ApiKey { key, secret: half, header, secret_header } => {
            let mut members = json!({"key": secret(key, false), "header": header});
            if let (Some(half), Some(members)) = (half, members.as_object_mut()) {
                members.insert("secret".to_owned(), secret(half, false));
                members.insert("secret_header".to_owned(), Value::from(&**secret_header));
            }
            json!({"api_key": members})
        }
        Credential::Basic { username, password } => {
            json!({"basic": {"username": username, "password": secret(password, false)}})
        }
    }
}

fn signature(rule: &SigningRule, secret: WriteSecret<'_>) -> Value {
    if rule.scheme == Scheme::None {
        return json!({"scheme": "none"});
    }
    let secrets: Vec<Value> = rule.secrets.iter().map(|hidden| secret(hidden, false)).collect();
    json!({"scheme": rule.scheme.as_str(), "secrets": secrets})
}

fn policy(policy: &RetryPolicy) -> Value {
    let mut members = Map::new();
    members.insert("max_attempts".to_owned(), Value::from(policy.max_attempts));
    members.insert("backoff".to_owned(), Value::from(policy.backoff.as_str()));
    match &policy.backoff {
        Backoff::Exponential(base) | Backoff::Linear(base) | Backoff::Fixed(base) => {
            members.insert("base".to_owned(), seconds(*base));
        }
        Backoff::Schedule(delays) => {
            members.insert("delays".to_owned(), delays.iter().map(|delay| seconds(*delay)).collect());
        }
    }
    members.insert("max_delay".to_owned(), seconds(policy.max_delay));
    members.insert("jitter".to_owned(), Value::from(policy.jitter));
    Value::Object(members)
}

/// Whole seconds are written as an integer.
fn seconds(duration: Duration) -> Value {
    if duration.subsec_nanos() == 0 {
        Value::from(duration.as_secs())
    } else {
        Value::from(duration.as_secs_f64())
    }
}
