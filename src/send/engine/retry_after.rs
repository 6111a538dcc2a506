//! `Retry-After` (RFC 9110, 10.2.3): seconds, or a date.

use std::time::{Duration, SystemTime};

use crate::domain::Timestamp;

/// How long an endpoint asks us to wait; a date in the past means no wait. `None` if the value is neither a number of
/// seconds nor a date.
#[must_use]
pub fn retry_after(value: &str, now: Timestamp) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // Too many digits for a number: use the maximum.
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::from(u32::MAX))));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    let since_1970 = date.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    let at = Timestamp::from_secs(i64::try_from(since_1970.as_secs()).ok()?);
    Some(if at > now { at.abs_diff(now) } else { Duration::ZERO })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rt_06_both_forms_are_read_and_anything_else_asks_for_nothing() {
        let now = Timestamp::parse_rfc3339("2015-10-21T07:28:00Z").unwrap();
        let wait = |value: &str| retry_after(value, now).map(|wait| wait.as_secs());
        assert_eq!(wait("5"), Some(5));
        assert_eq!(wait(" 0 "), Some(0));
        assert_eq!(wait("86400"), Some(86_400));
        assert_eq!(wait("99999999999999999999999"), Some(u64::from(u32::MAX)));
        assert_eq!(wait("Wed, 21 Oct 2015 07:28:07 GMT"), Some(7));
        assert_eq!(wait("Wed, 21 Oct 2015 07:27:00 GMT"), Some(0));
        for nothing in ["-1", "abc", "1e30", "5.5", "", "+5", "2015-10-21T07:28:07Z"] {
            assert_eq!(wait(nothing), None, "{nothing}");
        }
    }
}
