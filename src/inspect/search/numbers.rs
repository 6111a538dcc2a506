//! Ranges, sizes and durations as they are typed in the search box.

use std::ops::RangeInclusive;
use std::time::Duration;

/// `>=a`, `>a`, `<=a`, `<a`, `a..b` or `a`.
pub fn range(text: &str, number: impl Fn(&str) -> Option<u64>) -> Option<RangeInclusive<u64>> {
    if let Some(least) = text.strip_prefix(">=") {
        return Some(number(least)?..=u64::MAX);
    }
    if let Some(below) = text.strip_prefix('>') {
        return Some(number(below)?.checked_add(1)?..=u64::MAX);
    }
    if let Some(most) = text.strip_prefix("<=") {
        return Some(0..=number(most)?);
    }
    if let Some(above) = text.strip_prefix('<') {
        return Some(0..=number(above)?.checked_sub(1)?);
    }
    if let Some((from, to)) = text.split_once("..") {
        let (from, to) = (number(from)?, number(to)?);
        return (from <= to).then_some(from..=to);
    }
    let only = number(text)?;
    Some(only..=only)
}

/// A number and what it counts.
fn split_unit(text: &str) -> Option<(u64, &str)> {
    let end = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(end)?;
    Some((number.parse().ok()?, unit.trim()))
}

/// A size in bytes: `10KB`, `1MiB`.
pub fn bytes(text: &str) -> Option<u64> {
    let (number, unit) = split_unit(text)?;
    let scale = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "kb" => 1_000,
        "k" | "kib" => 1_024,
        "mb" => 1_000_000,
        "m" | "mib" => 1_048_576,
        _ => return None,
    };
    number.checked_mul(scale)
}

/// A duration: `100ms`, `2h`.
pub fn duration(text: &str) -> Option<Duration> {
    let (number, unit) = split_unit(text)?;
    let micros = match unit {
        "us" | "µs" => 1,
        "ms" => 1_000,
        "s" => 1_000_000,
        "m" | "min" => 60_000_000,
        "h" => 3_600_000_000,
        "d" => 86_400_000_000,
        "w" => 604_800_000_000,
        _ => return None,
    };
    number.checked_mul(micros).map(Duration::from_micros)
}
