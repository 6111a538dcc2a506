//! The deliveries that arrived before the stream begins, oldest first.

use serde_json::Value;

use super::lanes::Job;
use crate::cli::inspector::{Api, encoded};

/// The rows of a page.
const PAGE: usize = 500;

/// Which deliveries: those in the log after `after` and up to `through`, received at `from` or later.
pub struct Span<'a> {
    /// The filter, as `&verdict=accepted`.
    pub filter: &'a str,
    /// The last position before them.
    pub after: i64,
    /// The last position.
    pub through: i64,
    /// The earliest time, as RFC 3339.
    pub from: Option<&'a str>,
}

/// Reads them, without those that retention removed. Only their order is known, not their positions: each has the first
/// position that it may have.
///
/// # Errors
/// When the instance does not answer, or refuses.
pub async fn read(api: &Api, span: Span<'_>) -> anyhow::Result<Vec<Job>> {
    let from = span.from.map_or(String::new(), |from| format!("&from={}", encoded(from)));
    let query = format!("{}{from}", span.filter);
    let first = span.after.saturating_add(1);
    let last_before = if span.after > 0 {
        let found = api.pages("deliveries", &format!("&before={first}{query}"), Some(1)).await?;
        found.first().and_then(|row| row.get("id")).and_then(Value::as_str).map(str::to_owned)
    } else {
        None
    };
    let mut jobs = Vec::new();
    let mut before = span.through.saturating_add(1).to_string();
    loop {
        let told = api.get(&format!("deliveries?limit={PAGE}&before={before}{query}")).await?;
        for row in told.get("deliveries").and_then(Value::as_array).into_iter().flatten() {
            let Some(job) = Job::of(first, row) else { continue };
            if Some(&job.id) == last_before.as_ref() {
                jobs.reverse();
                return Ok(jobs);
            }
            jobs.push(job);
        }
        match told.get("next").and_then(Value::as_str) {
            Some(next) => next.clone_into(&mut before),
            None => break,
        }
    }
    jobs.reverse();
    Ok(jobs)
}
