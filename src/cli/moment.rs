//! Times on the command line.

use super::fault::Fault;
use crate::config::duration;
use crate::domain::{Clock as _, Timestamp};
use crate::telemetry::SystemClock;

/// Reads `--since`, a time such as `2026-03-09T07:14:58Z` or a duration such as `2h`, as an RFC 3339 time.
///
/// # Errors
/// `Fault::Usage`.
pub fn read_since(text: &str) -> anyhow::Result<String> {
    if let Some(time) = Timestamp::parse_rfc3339(text) {
        return Ok(time.to_string());
    }
    let back = duration(text).map_err(|_| {
        Fault::usage(format!(
            "--since {text:?}: expected a duration such as 2h or 30m, or a time such as 2026-03-09T07:14:58Z"
        ))
    })?;
    Ok(SystemClock.wall().minus(back).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beginning_is_a_time_or_a_duration() {
        assert_eq!(read_since("2026-03-09T07:14:58Z").unwrap(), "2026-03-09T07:14:58.000Z");
        assert!(read_since("2h").unwrap().ends_with('Z'));
        for wrong in ["", "yesterday", "2 hours ago"] {
            assert!(read_since(wrong).unwrap_err().to_string().contains("expected a duration"), "{wrong}");
        }
    }
}
