//! `/webhook-test`: accepts anything, shows it, and responds as requested.

use std::time::Duration;

use actix_web::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS,
    ACCESS_CONTROL_REQUEST_METHOD, HeaderValue, ORIGIN,
};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;

use crate::domain::{DeliveryId, Timestamp};

/// The longest delay of a response.
const MAX_DELAY: Duration = Duration::from_secs(60);

/// The requested response: `?status=503&delay=2s&fail_rate=0.3`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Wish {
    /// The status of a failure, or of every response without `fail_rate`.
    status: Option<u16>,
    /// How long the response is delayed, at most 60 s.
    pub delay: Duration,
    /// The fraction of responses that fail.
    fail_rate: Option<f64>,
}

impl Wish {
    /// Reads the query; the error says which parameter is wrong and what is allowed. Other parameters are ignored.
    pub fn read(query: &str) -> Result<Self, String> {
        let mut wish = Self { status: None, delay: Duration::ZERO, fail_rate: None };
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match name.as_ref() {
                "status" => wish.status = Some(read_status(&value)?),
                "delay" => wish.delay = read_delay(&value)?,
                "fail_rate" => wish.fail_rate = Some(read_fail_rate(&value)?),
                _ => {}
            }
        }
        Ok(wish)
    }

    /// The response status; `dice` is a uniform random number from 0 to 1, excluding 1.
    pub fn status(&self, dice: f64) -> u16 {
        match (self.status, self.fail_rate) {
            (status, None) => status.unwrap_or(200),
            (status, Some(rate)) if dice < rate => status.unwrap_or(500),
            (_, Some(_)) => 200,
        }
    }
}

fn read_status(value: &str) -> Result<u16, String> {
    let status = value.parse::<u16>().ok().filter(|status| (200..=599).contains(status));
    status.ok_or_else(|| "status: 200 to 599".to_owned())
}

fn read_delay(value: &str) -> Result<Duration, String> {
    let (number, unit_s) = if let Some(number) = value.strip_suffix("ms") {
        (number, 0.001)
    } else {
        (value.strip_suffix('s').unwrap_or(value), 1.0)
    };
    let seconds = number.trim().parse::<f64>().ok().map(|number| number * unit_s);
    let delay = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    delay.filter(|delay| *delay <= MAX_DELAY).ok_or_else(|| "delay: 0 to 60s, as 2s or 500ms".to_owned())
}

fn read_fail_rate(value: &str) -> Result<f64, String> {
    let rate = value.parse::<f64>().ok().filter(|rate| (0.0..=1.0).contains(rate));
    rate.ok_or_else(|| "fail_rate: 0 to 1".to_owned())
}

#[derive(Serialize)]
struct Received {
    status: &'static str,
    timestamp: String,
    delivery_id: String,
}

/// Whether this is a browser's CORS preflight rather than the request itself.
pub fn is_preflight(request: &HttpRequest) -> bool {
    let headers = request.headers();
    *request.method() == Method::OPTIONS
        && headers.contains_key(ORIGIN)
        && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

/// The response to a preflight: any page may send anything. Nothing is captured.
pub fn preflight(request: &HttpRequest) -> HttpResponse {
    let asked = |name| request.headers().get(name).cloned();
    let mut answer = HttpResponse::NoContent();
    answer.insert_header((ACCESS_CONTROL_MAX_AGE, "600"));
    let allowed = [
        (ACCESS_CONTROL_ALLOW_METHODS, asked(ACCESS_CONTROL_REQUEST_METHOD)),
        (ACCESS_CONTROL_ALLOW_HEADERS, asked(ACCESS_CONTROL_REQUEST_HEADERS)),
    ];
    for (name, value) in allowed {
        if let Some(value) = value {
            answer.insert_header((name, value));
        }
    }
    for_any_page(answer.finish())
}

/// The answer to our own look at this endpoint.
pub fn probed(status: u16) -> HttpResponse {
    HttpResponse::build(StatusCode::from_u16(status).unwrap_or(StatusCode::OK)).finish()
}

/// Makes a response readable for pages of any site.
pub fn for_any_page(mut answer: HttpResponse) -> HttpResponse {
    let any = HeaderValue::from_static("*");
    answer.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, any.clone());
    answer.headers_mut().insert(ACCESS_CONTROL_EXPOSE_HEADERS, any);
    answer
}

/// The response to a captured request.
pub fn received(status: u16, received_at: Timestamp, id: DeliveryId) -> HttpResponse {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    let mut response = HttpResponse::build(status);
    if matches!(status, StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT | StatusCode::NOT_MODIFIED) {
        return response.finish();
    }
    response.json(Received {
        status: "received",
        timestamp: received_at.to_string(),
        delivery_id: id.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wish_is_read_and_its_limits_hold() {
        let wish = Wish::read("status=503&delay=2s&fail_rate=0.3&mine=x").unwrap();
        assert_eq!((wish.status(0.29), wish.status(0.3), wish.delay), (503, 200, Duration::from_secs(2)));
        assert_eq!(Wish::read("").unwrap().status(0.0), 200);
        assert_eq!(Wish::read("status=404").unwrap().status(0.99), 404);
        assert_eq!(Wish::read("fail_rate=1").unwrap().status(0.99), 500);
        assert_eq!(Wish::read("delay=500ms").unwrap().delay, Duration::from_millis(500));
        assert_eq!(Wish::read("delay=1.5").unwrap().delay, Duration::from_millis(1500));
        for wrong in
            ["status=199", "status=600", "status=x", "delay=61s", "delay=-1s", "delay=NaN", "fail_rate=1.1"]
        {
            assert!(Wish::read(wrong).is_err(), "{wrong}");
        }
        for edge in ["status=200", "status=599", "delay=60s", "fail_rate=0", "fail_rate=1.0"] {
            assert!(Wish::read(edge).is_ok(), "{edge}");
        }
    }
}
