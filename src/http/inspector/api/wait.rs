//! `GET wait`: waits until a delivery matches. For tests of other programs: send, wait, assert.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};

use super::objects::RowObject;
use crate::http::inspector::InspectorState;
use crate::http::inspector::params::{Blank, Params, filter, filter_names};
use crate::http::inspector::problem::Problem;
use crate::inspect::first_since;

/// The default waiting time.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);
/// The maximum waiting time.
const MAX_TIMEOUT: Duration = Duration::from_secs(300);

/// The first matching row, or 408.
pub async fn wait(request: HttpRequest, state: web::Data<InspectorState>) -> HttpResponse {
    let mut params = Params::read(request.query_string(), Blank::Fault);
    let mut filter = filter(&mut params);
    let timeout = params.parsed("timeout", "a time up to 5m, such as 30s or 500ms", duration);
    let timeout = timeout.unwrap_or(DEFAULT_TIMEOUT);
    if let Err(faults) = params.finish(&filter_names(&["timeout"])) {
        return Problem::bad_parameters(faults).response();
    }
    let from = filter.from.take();
    let mut stop = state.stopping();
    tokio::select! {
        found = first_since(&state.store, filter, from) => match found {
            Ok(Some(row)) => HttpResponse::Ok().json(RowObject::from(&row)),
            Ok(None) => stopping(),
            Err(fault) => Problem::store_fault(&fault).response(),
        },
        () = tokio::time::sleep(timeout) => {
            let detail = format!("No delivery matched within {timeout:?}.");
            Problem::new(StatusCode::REQUEST_TIMEOUT, detail).response()
        }
        _ = stop.wait_for(|stopped| *stopped) => stopping(),
    }
}

fn stopping() -> HttpResponse {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "tagohook is stopping.").response()
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
