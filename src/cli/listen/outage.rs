//! The app or the instance is away: one request at a time asks whether it is back.

use std::time::{Duration, Instant};

use crate::cli::output::notice;

/// The first pause.
const FIRST: Duration = Duration::from_millis(100);
/// The longest pause.
const LONGEST: Duration = Duration::from_secs(2);

/// Whether something is away, and when to ask next.
#[derive(Debug, Default)]
pub struct Outage(Option<Away>);

#[derive(Debug)]
struct Away {
    what: String,
    wait: Duration,
    ask_at: Instant,
}

impl Outage {
    /// Something did not answer. The first time, a notice says so.
    pub fn begin(&mut self, what: &str, why: &str, now: Instant) {
        let wait = match &self.0 {
            // Requests that were under way when it began.
            Some(away) if now < away.ask_at => return,
            Some(away) => away.wait.saturating_mul(2).min(LONGEST),
            None => {
                notice(format_args!("{what} does not answer: {why}; trying again until it does"));
                FIRST
            }
        };
        let what = self.0.take().map_or_else(|| what.to_owned(), |away| away.what);
        self.0 = Some(Away { what, wait, ask_at: now + wait });
    }

    /// It answers.
    pub fn end(&mut self) {
        if let Some(away) = self.0.take() {
            notice(format_args!("{} answers again", away.what));
        }
    }

    /// Whether a request may be sent, next to `running` others.
    pub fn may_send(&self, running: usize, now: Instant) -> bool {
        self.0.as_ref().is_none_or(|away| running == 0 && away.ask_at <= now)
    }

    /// When to ask next, if something is away.
    pub fn ask_at(&self) -> Option<Instant> {
        self.0.as_ref().map(|away| away.ask_at)
    }
}

/// The pause before a delivery without a response is sent again: 0.25 s, doubled up to 10 s.
pub fn pause(attempts: u32) -> Duration {
    let doubled = 1_u32.checked_shl(attempts.saturating_sub(1).min(10)).unwrap_or(1);
    Duration::from_millis(250).saturating_mul(doubled).min(Duration::from_secs(10))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_request_at_a_time_asks_until_it_is_back() {
        let now = Instant::now();
        let mut outage = Outage::default();
        assert!(outage.may_send(15, now));
        outage.begin("the app", "connection refused", now);
        assert!(
            !outage.may_send(0, now) && !outage.may_send(1, now + FIRST) && outage.may_send(0, now + FIRST)
        );
        outage.begin("the app", "connection refused", now);
        assert_eq!(outage.ask_at(), Some(now + FIRST), "others that failed at that moment change nothing");
        let mut later = now;
        for _ in 0..10 {
            later = outage.ask_at().unwrap();
            outage.begin("the app", "connection refused", later);
        }
        assert_eq!(outage.ask_at(), Some(later + LONGEST));
        outage.end();
        assert!(outage.may_send(15, now) && outage.ask_at().is_none());
    }

    #[test]
    fn the_pause_doubles_up_to_ten_seconds() {
        let pauses: Vec<u128> = [1, 2, 3, 7, 99].map(|attempts| pause(attempts).as_millis()).to_vec();
        assert_eq!(pauses, [250, 500, 1_000, 10_000, 10_000]);
    }
}
