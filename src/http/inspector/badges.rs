//! The counts beside entries of the navigation. They are read in the background, so that no page waits for them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::middleware::Next;
use actix_web::{Error, web};
use parking_lot::Mutex;

use super::refusal::is_program;
use super::state::InspectorState;
use crate::http::api::overview;
use crate::inspect::overview::Range;

/// How old a count may be when a page shows it.
const FRESH: Duration = Duration::from_secs(3);

/// The counts, as they were a few seconds ago; clones share them.
#[derive(Clone, Debug, Default)]
pub struct Badges(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    dead_letters: AtomicU64,
    attention: AtomicU64,
    read_at: Mutex<Option<Instant>>,
}

impl Badges {
    /// The count beside that entry of the navigation; 0 where there is nothing to say.
    #[must_use]
    pub fn count(&self, entry: &str) -> u64 {
        match entry {
            "dead-letters" => self.0.dead_letters.load(Ordering::Relaxed),
            "overview" => self.0.attention.load(Ordering::Relaxed),
            _ => 0,
        }
    }

    /// The next page reads the counts, however fresh they are: something was just done that may change them.
    fn forget(&self) {
        *self.0.read_at.lock() = None;
    }

    /// Whether this page must read the counts, because nobody has or they were forgotten, and whether they are old.
    fn claim(&self) -> Option<bool> {
        let mut read_at = self.0.read_at.lock();
        let before = read_at.replace(Instant::now());
        match before {
            None => Some(true),
            Some(at) if at.elapsed() >= FRESH => Some(false),
            fresh => {
                *read_at = fresh;
                None
            }
        }
    }

    async fn read(&self, state: &InspectorState) {
        // A store that cannot be read is said by the page itself.
        if let Ok((_, beside, told)) = overview::found(state, Range::Day).await {
            self.0.dead_letters.store(beside.dead, Ordering::Relaxed);
            self.0.attention.store(u64::try_from(told.len()).unwrap_or(u64::MAX), Ordering::Relaxed);
        }
    }
}

/// In front of pages: counts that are old are read again while the page is made.
///
/// # Errors
/// None of its own; those of the service behind it.
pub async fn keep_fresh(
    state: web::Data<InspectorState>,
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let is_page = reads && !is_program(request.path()) && !request.path().starts_with("/static/");
    let claimed = if is_page { state.badges.claim() } else { None };
    match claimed {
        Some(true) => state.badges.read(&state).await,
        Some(false) => {
            let state = state.clone();
            actix_web::rt::spawn(async move { state.badges.read(&state).await });
        }
        None => {}
    }
    let response = next.call(request).await?;
    if !reads {
        state.badges.forget();
    }
    Ok(response)
}
