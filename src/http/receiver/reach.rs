//! Whether a public address leads to this program: the inspector asks it with a number that nobody else knows, and the
//! receiver says where that number came from.

use std::net::IpAddr;

use parking_lot::Mutex;
use std::sync::Arc;
use std::time::Duration;

use actix_web::http::header::HeaderMap;
use bytes::Bytes;
use url::Url;

use crate::domain::{AttemptError, DeliveryId, Timestamp};
use crate::send::{Client, Failure, Method, Outgoing};

/// The header with the number.
const HEADER: &str = "x-tagohook-probe";
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// The most bytes of an answer that are read.
const MOST_ANSWERED: usize = 4096;
/// How many addresses are asked at once.
const AT_ONCE: usize = 4;

/// From where the receiver saw a probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The client, behind trusted proxies.
    pub client: IpAddr,
    /// Who connected.
    pub peer: IpAddr,
    /// How the client was found.
    pub explanation: String,
    /// Whether a proxy said for whom it asks.
    pub is_forwarded: bool,
}

/// The result of a probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reached {
    /// It arrived here, after so long.
    Here(Seen, Duration),
    /// A redirect to that address answered.
    Redirect(String),
    /// Something else answered with that status.
    Other(u16),
    /// Nothing answered.
    Nothing(AttemptError, String),
    /// Too many are running; this one has to wait.
    Busy,
}

/// The probes that are under way.
#[derive(Clone, Debug, Default)]
pub struct Reach(Arc<Mutex<Vec<Probe>>>);

/// The number of a probe, and what was seen of it on its arrival.
type Probe = (String, Option<Seen>);

impl Reach {
    /// Asks `url` with a new number.
    pub async fn ask(&self, client: &Client, url: Url, now: Timestamp) -> Reached {
        let number = DeliveryId::new_at(now).to_string();
        {
            let mut probes = self.0.lock();
            if probes.len() >= AT_ONCE {
                return Reached::Busy;
            }
            probes.push((number.clone(), None));
        }
        let request = Outgoing {
            method: Method::Get,
            url,
            headers: vec![
                (HEADER.to_owned(), number.clone().into_bytes()),
                ("Connection".to_owned(), b"close".to_vec()),
            ],
            body: Bytes::new(),
            timeout: PATIENCE,
            max_answer: MOST_ANSWERED,
        };
        let outcome = client.send(request).await;
        let seen = {
            let mut probes = self.0.lock();
            let place = probes.iter().position(|(known, _)| *known == number);
            place.and_then(|place| probes.swap_remove(place).1)
        };
        match (seen, outcome.result) {
            (Some(seen), Ok(_)) => Reached::Here(seen, outcome.elapsed),
            (_, Ok(answer)) if (300..400).contains(&answer.status) => {
                let to = answer.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("location"));
                Reached::Redirect(to.map(|(_, to)| to.clone()).unwrap_or_default())
            }
            (None, Ok(answer)) => Reached::Other(answer.status),
            (_, Err(Failure { error, detail })) => Reached::Nothing(error, detail),
        }
    }

    /// The receiver saw a request with these headers.
    pub(super) fn saw(&self, headers: &HeaderMap, seen: impl FnOnce() -> Seen) {
        let Some(number) = headers.get(HEADER).and_then(|number| number.to_str().ok()) else { return };
        let mut probes = self.0.lock();
        if let Some((_, place)) = probes.iter_mut().find(|(known, _)| known == number) {
            *place = Some(seen());
        }
    }
}
