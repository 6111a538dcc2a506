//! The pace of sending: timeout, retries, rate, batches.

use std::time::Duration;

use serde_json::{Map, Value};

use super::fault::JsonFault;
use crate::config::values;
use crate::domain::suggestion;
use crate::domain::{Backoff, Batch, RateLimit, RetryPolicy};

/// The longest timeout of an attempt; a larger number is read as milliseconds.
const MAX_TIMEOUT: Duration = Duration::from_secs(300);
/// The most attempts.
const MAX_ATTEMPTS: u32 = 1_000;
/// Defaults for an incomplete policy (contract, section 5).
const ATTEMPTS: u32 = 3;
const BASE: Duration = Duration::from_secs(1);
const MAX_DELAY: Duration = Duration::from_secs(3_600);
/// The bounds of a batch's bytes.
const MAX_BYTES: std::ops::RangeInclusive<u64> = 1_024..=16 * 1024 * 1024;
/// The longest delay that can be configured.
const LONGEST: Duration = Duration::from_secs(30 * 86_400);

fn fault(pointer: &str, message: impl Into<String>) -> JsonFault {
    JsonFault::new(pointer, message)
}

/// A time as text (`"30s"`) or as seconds, fractions allowed.
fn duration(value: &Value) -> Result<Duration, String> {
    let allowed = "a duration as \"5s\", or seconds";
    let read = match value {
        Value::String(text) if text.trim() == "0" => Some(Duration::ZERO),
        Value::String(text) => Some(values::duration(text)?),
        Value::Number(number) => {
            number.as_f64().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        }
        _ => None,
    };
    read.filter(|duration| *duration <= LONGEST).ok_or_else(|| format!("{allowed}, up to 30 days"))
}

/// The timeout of an attempt. A number above 300 is read as milliseconds, as in the specification's own code.
pub fn timeout(value: &Value, warnings: &mut Vec<String>) -> Result<Duration, Vec<JsonFault>> {
    let millis = value.as_f64().filter(|number| *number > MAX_TIMEOUT.as_secs_f64());
    let read = match millis {
        Some(millis) => Duration::try_from_secs_f64(millis / 1_000.0).map_err(|fault| fault.to_string()),
        None => duration(value),
    };
    let timeout = read.map_err(|what| vec![fault("", what)])?;
    if timeout.is_zero() || timeout > MAX_TIMEOUT {
        return Err(vec![fault("", "more than 0 and at most 300 seconds")]);
    }
    if let Some(millis) = millis {
        warnings.push(format!("timeout: {millis} is read as milliseconds; seconds are up to 300"));
    }
    Ok(timeout)
}

/// `{max_requests, window_ms}`, or `true` for the specification's figures.
pub fn rate_limit(value: &Value, _: &mut Vec<String>) -> Result<Option<RateLimit>, Vec<JsonFault>> {
    let Some(members) = object(value, &["max_requests", "window_ms"])? else {
        return Ok((*value == Value::Bool(true)).then_some(RateLimit::SPECIFIED));
    };
    let mut faults = Vec::new();
    let max_requests =
        whole(members, "max_requests", 1..=1_000_000, RateLimit::SPECIFIED.max_requests, &mut faults);
    let window_ms = whole(members, "window_ms", 1..=86_400_000, 60_000, &mut faults);
    let window = Duration::from_millis(u64::from(window_ms));
    if faults.is_empty() { Ok(Some(RateLimit { max_requests, window })) } else { Err(faults) }
}

/// `{size, flush_interval_ms, max_bytes}`, or `true` for the specification's figures.
pub fn batch(value: &Value, _: &mut Vec<String>) -> Result<Option<Batch>, Vec<JsonFault>> {
    let Some(members) = object(value, &["size", "flush_interval_ms", "max_bytes"])? else {
        return Ok((*value == Value::Bool(true)).then_some(Batch::SPECIFIED));
    };
    let mut faults = Vec::new();
    let size = whole(members, "size", 1..=1_000, Batch::SPECIFIED.size, &mut faults);
    let flush_ms = whole(members, "flush_interval_ms", 1..=3_600_000, 5_000, &mut faults);
    let flush_interval = Duration::from_millis(u64::from(flush_ms));
    let max_bytes = max_bytes(members.get("max_bytes"), &mut faults);
    if faults.is_empty() { Ok(Some(Batch { size, flush_interval, max_bytes })) } else { Err(faults) }
}

/// A size such as `"1 MiB"`, or bytes.
fn max_bytes(value: Option<&Value>, faults: &mut Vec<JsonFault>) -> usize {
    let read = match value {
        None | Some(Value::Null) => return Batch::SPECIFIED.max_bytes,
        Some(Value::String(text)) => values::size(text).ok(),
        Some(value) => value.as_u64(),
    };
    let bytes = read.filter(|bytes| MAX_BYTES.contains(bytes)).and_then(|bytes| usize::try_from(bytes).ok());
    bytes.unwrap_or_else(|| {
        faults.push(fault("/max_bytes", "a size from 1 KiB to 16 MiB, as \"1 MiB\", or bytes"));
        Batch::SPECIFIED.max_bytes
    })
}

/// The members of an object with only these keys; `None` for `true` and `false`.
fn object<'v>(value: &'v Value, keys: &[&str]) -> Result<Option<&'v Map<String, Value>>, Vec<JsonFault>> {
    match value {
        Value::Bool(_) => Ok(None),
        Value::Object(members) => {
            let unknown = unknown_keys(members, keys);
            if unknown.is_empty() { Ok(Some(members)) } else { Err(unknown) }
        }
        _ => Err(vec![fault("", format!("an object of {}, or true", keys.join(" and ")))]),
    }
}

fn unknown_keys(members: &Map<String, Value>, keys: &[&str]) -> Vec<JsonFault> {
    members
        .keys()
        .filter(|key| !keys.contains(&key.as_str()))
        .map(|key| fault(&format!("/{key}"), format!("unknown key{}", suggestion(key, keys.iter().copied()))))
        .collect()
}

fn whole(
    members: &Map<String, Value>,
    key: &str,
    bounds: std::ops::RangeInclusive<u32>,
    default: u32,
    faults: &mut Vec<JsonFault>,
) -> u32 {
    let Some(value) = members.get(key).filter(|value| !value.is_null()) else { return default };
    let number = value.as_u64().and_then(|number| u32::try_from(number).ok());
    number.filter(|number| bounds.contains(number)).unwrap_or_else(|| {
        let what = format!("a whole number from {} to {}", bounds.start(), bounds.end());
        faults.push(fault(&format!("/{key}"), what));
        default
    })
}

/// The attempts of a message. `beside` is a `max_attempts` outside the policy.
pub fn retry_policy(
    given: Option<&Value>,
    beside: Option<&Value>,
    pointer: &str,
    faults: &mut Vec<JsonFault>,
) -> RetryPolicy {
    let empty = Map::new();
    let members = match (given, beside) {
        (None, None) => return RetryPolicy::default(),
        (None, Some(_)) => &empty,
        (Some(Value::Object(members)), _) => members,
        (Some(_), _) => {
            faults.push(fault(pointer, "an object, as {\"max_attempts\": 3, \"backoff\": \"exponential\"}"));
            return RetryPolicy::default();
        }
    };
    let mut found = unknown_keys(
        members,
        &["max_attempts", "backoff", "base", "max_delay", "jitter", "delays", "schedule"],
    );
    let backoff = backoff(members, &mut found);
    let scheduled = match &backoff {
        Backoff::Schedule(delays) => u32::try_from(delays.len()).unwrap_or(MAX_ATTEMPTS).saturating_add(1),
        _ => ATTEMPTS,
    };
    let max_attempts = max_attempts(members, beside, scheduled, faults, &mut found);
    let max_delay = timed(members, "max_delay", MAX_DELAY.max(longest(&backoff)), &mut found);
    let jitter = match members.get("jitter") {
        None | Some(Value::Null) => true,
        Some(Value::Bool(jitter)) => *jitter,
        Some(_) => {
            found.push(fault("/jitter", "true or false"));
            true
        }
    };
    faults.extend(found.into_iter().map(|at| JsonFault::new(format!("{pointer}{}", at.pointer), at.message)));
    RetryPolicy { max_attempts, backoff, max_delay, jitter }
}

/// The longest configured delay; explicit delays are never shortened.
fn longest(backoff: &Backoff) -> Duration {
    match backoff {
        Backoff::Schedule(delays) => delays.iter().max().copied().unwrap_or_default(),
        Backoff::Fixed(base) | Backoff::Exponential(base) | Backoff::Linear(base) => *base,
    }
}

fn max_attempts(
    members: &Map<String, Value>,
    beside: Option<&Value>,
    default: u32,
    faults: &mut Vec<JsonFault>,
    found: &mut Vec<JsonFault>,
) -> u32 {
    let Some(beside) = beside else {
        return whole(members, "max_attempts", 1..=MAX_ATTEMPTS, default, found);
    };
    if members.get("max_attempts").is_some_and(|inside| inside != beside) {
        faults
            .push(fault("/max_attempts", "retry_policy.max_attempts has another value; keep one of the two"));
    }
    let mut alone = Map::new();
    alone.insert("max_attempts".to_owned(), beside.clone());
    whole(&alone, "max_attempts", 1..=MAX_ATTEMPTS, default, faults)
}

fn backoff(members: &Map<String, Value>, found: &mut Vec<JsonFault>) -> Backoff {
    let base = timed(members, "base", BASE, found);
    let delays = members.get("delays").or_else(|| members.get("schedule"));
    match (members.get("backoff"), delays) {
        (None | Some(Value::Null), None) => Backoff::Exponential(base),
        (Some(Value::String(word)), None) if word == "exponential" => Backoff::Exponential(base),
        (Some(Value::String(word)), None) if word == "linear" => Backoff::Linear(base),
        (Some(Value::String(word)), None) if word == "fixed" => Backoff::Fixed(base),
        (Some(Value::String(word)), Some(delays)) if word == "schedule" => schedule(delays, found),
        (None | Some(Value::Null), Some(delays)) => schedule(delays, found),
        (Some(Value::String(word)), None) if word == "schedule" => {
            found.push(fault(
                "/delays",
                "are missing; the delays before the second, third, … attempt, as [\"5s\", \"5m\"]",
            ));
            Backoff::Exponential(base)
        }
        (Some(Value::String(_)), Some(_)) => {
            found.push(fault("/delays", "belong to \"backoff\": \"schedule\""));
            Backoff::Exponential(base)
        }
        _ => {
            found.push(fault("/backoff", "one of exponential, linear, fixed, schedule"));
            Backoff::Exponential(base)
        }
    }
}

fn schedule(delays: &Value, found: &mut Vec<JsonFault>) -> Backoff {
    let items = delays.as_array().filter(|items| !items.is_empty());
    let Some(items) = items else {
        found.push(fault("/delays", "a list of durations, as [\"5s\", \"5m\"]"));
        return Backoff::Schedule(vec![BASE]);
    };
    let mut read = Vec::new();
    for (at, item) in items.iter().enumerate() {
        match duration(item) {
            Ok(delay) => read.push(delay),
            Err(what) => found.push(fault(&format!("/delays/{at}"), what)),
        }
    }
    Backoff::Schedule(read)
}

fn timed(members: &Map<String, Value>, key: &str, default: Duration, found: &mut Vec<JsonFault>) -> Duration {
    let Some(value) = members.get(key).filter(|value| !value.is_null()) else { return default };
    duration(value).unwrap_or_else(|what| {
        found.push(fault(&format!("/{key}"), what));
        default
    })
}
