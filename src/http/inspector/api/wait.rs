//! `GET wait`: waits until a delivery matches. For tests of other programs: send, wait, assert.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, web};
use serde::Deserialize;
use utoipa::IntoParams;

use super::objects::RowObject;
use super::openapi::Done;
use crate::domain::DeliveryFilter;
use crate::http::inspector::InspectorState;
use crate::http::inspector::access::Access;
use crate::http::inspector::problem::Problem;
use crate::http::inspector::request::{As, DeliveryParams, Members, Query, Word};
use crate::inspect::duration::span;
use crate::inspect::first_since;

/// `Duration` as a request writes it.
type DurationParam = As<Duration>;

/// The default waiting time.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);
/// The maximum waiting time.
const MAX_TIMEOUT: Duration = Duration::from_secs(300);

/// How long to wait.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
pub struct WaitParams {
    /// The longest wait, such as `500ms` or `30s`; at most `5m`. Default: `30s`.
    #[param(inline)]
    timeout: Option<DurationParam>,
}

impl Members for WaitParams {}

impl Word for Duration {
    fn expected() -> String {
        "a time up to 5m, such as 30s or 500ms".to_owned()
    }

    fn read(text: &str) -> Result<Self, Option<String>> {
        duration(text).ok_or(None)
    }
}

/// The first matching row, or 408.
pub async fn wait(
    Query((params, how)): Query<(DeliveryParams, WaitParams)>,
    request: HttpRequest,
    state: web::Data<InspectorState>,
) -> Result<Done<RowObject>, Problem> {
    let mut filter = DeliveryFilter::from(params);
    let timeout = how.timeout.map_or(DEFAULT_TIMEOUT, |As(timeout)| timeout);
    let from = filter.from.take();
    let mut stop = state.stopping();
    tokio::select! {
        found = first_since(&state.store, filter, from) => {
            let row = found?.ok_or_else(stopping)?;
            if let Some(access) = Access::of(&request)
                && access.is_over(&state).await
            {
                return Err(Problem::new(StatusCode::UNAUTHORIZED, "This token was revoked, or the session has ended."));
            }
            Ok(Done(RowObject::from(&row)))
        }
        () = tokio::time::sleep(timeout) => {
            let detail = format!("No delivery matched within {}.", span(timeout));
            Err(Problem::new(StatusCode::REQUEST_TIMEOUT, detail))
        }
        _ = stop.wait_for(|stopped| *stopped) => Err(stopping()),
    }
}

fn stopping() -> Problem {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "tagohook is stopping.")
}

/// `500ms`, `30s`, `2m`; a bare number is seconds. At most five minutes.
fn duration(text: &str) -> Option<Duration> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits)?;
    let number: u64 = number.parse().ok()?;
    let duration = match unit {
        "ms" => Duration::from_millis(number),
        "" | "s" => Duration::from_secs(number),
        "m" => Duration::from_secs(number.checked_mul(60)?),
        _ => return None,
    };
    (duration <= MAX_TIMEOUT).then_some(duration)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_is_read_up_to_its_limit() {
        assert_eq!(duration("500ms"), Some(Duration::from_millis(500)));
        assert_eq!(duration("7"), duration("7s"));
        assert_eq!(duration("5m"), Some(MAX_TIMEOUT));
        for refused in ["301s", "6m", "1h", "-1s", "", "s", "1.5s", "999999999999999999999s", "2é"] {
            assert_eq!(duration(refused), None, "{refused}");
        }
    }
}
