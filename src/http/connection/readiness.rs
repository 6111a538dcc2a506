//! The responses to probes: whether the program runs, and whether it can store deliveries.

use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::HttpResponse;
use serde_json::json;
use tokio::sync::Mutex;

use crate::store::Store;

/// How long the result of a store check is valid.
const HOLDS: Duration = Duration::from_secs(1);

/// Whether the store can be written, at most a second old: strangers' probes must not keep the writer busy. Clones share the
/// result.
#[derive(Clone)]
pub struct Readiness {
    store: Store,
    last: Arc<Mutex<Option<(Instant, bool)>>>,
}

impl Readiness {
    /// That of `store`.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self { store, last: Arc::default() }
    }

    /// The response to a probe that asks for it: 200 or 503.
    pub async fn answer(&self) -> HttpResponse {
        if self.is_ready().await {
            return running();
        }
        let answer = json!({"status": "unavailable", "detail": "the store cannot be written"});
        HttpResponse::ServiceUnavailable().json(answer)
    }

    /// Checks the store at most once a second; concurrent callers share the result.
    async fn is_ready(&self) -> bool {
        let mut last = self.last.lock().await;
        match *last {
            Some((at, is_ready)) if at.elapsed() < HOLDS => is_ready,
            _ => {
                let is_ready = self.store.ready().await.is_ok();
                *last = Some((Instant::now(), is_ready));
                is_ready
            }
        }
    }
}

/// The response to a probe that asks whether the program runs.
pub fn running() -> HttpResponse {
    HttpResponse::Ok().json(json!({"status": "ok"}))
}
