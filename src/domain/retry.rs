//! When a failed message is retried.

use std::time::Duration;

/// The most jitter that is added to a delay, as a fraction.
const MOST_JITTER: f64 = 0.3;

/// The spacing of a message's attempts.
#[derive(Clone, Debug, PartialEq)]
pub struct RetryPolicy {
    /// All attempts, including the first; at least 1.
    pub max_attempts: u32,
    /// How the delays grow.
    pub backoff: Backoff,
    /// The longest delay before jitter.
    pub max_delay: Duration,
    /// Whether delays are extended randomly.
    pub jitter: bool,
}

/// How the delays between attempts grow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Backoff {
    /// `base`, 2 `base`, 4 `base`, …
    Exponential(Duration),
    /// `base`, 2 `base`, 3 `base`, …
    Linear(Duration),
    /// `base` each time.
    Fixed(Duration),
    /// The delays before the second, third, … attempt; the last one repeats.
    Schedule(Vec<Duration>),
}

impl Backoff {
    /// Its name in the configuration.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Exponential(_) => "exponential",
            Self::Linear(_) => "linear",
            Self::Fixed(_) => "fixed",
            Self::Schedule(_) => "schedule",
        }
    }
}

impl Default for RetryPolicy {
    /// The contract's defaults: 8 attempts after 0, 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 10 h.
    fn default() -> Self {
        let delays = [5, 300, 1_800, 7_200, 18_000, 36_000, 36_000];
        Self {
            max_attempts: 8,
            backoff: Backoff::Schedule(delays.map(Duration::from_secs).to_vec()),
            max_delay: Duration::from_secs(36_000),
            jitter: true,
        }
    }
}

impl RetryPolicy {
    /// The time from the end of attempt `made` (the first is 1) to the next one; `None` if it was the last. `chance`
    /// is a number from 0 to 1; jitter only extends delays.
    #[must_use]
    pub fn delay_after(&self, made: u32, chance: f64) -> Option<Duration> {
        if made >= self.max_attempts {
            return None;
        }
        let delay = self.bare_delay(made).min(self.max_delay);
        let factor = if self.jitter { MOST_JITTER.mul_add(chance.clamp(0.0, 1.0), 1.0) } else { 1.0 };
        Some(delay.mul_f64(factor))
    }

    fn bare_delay(&self, made: u32) -> Duration {
        let step = made.saturating_sub(1);
        match &self.backoff {
            Backoff::Exponential(base) => {
                base.checked_mul(2_u32.saturating_pow(step)).unwrap_or(self.max_delay)
            }
            Backoff::Linear(base) => base.checked_mul(made).unwrap_or(self.max_delay),
            Backoff::Fixed(base) => *base,
            Backoff::Schedule(delays) => {
                let step = usize::try_from(step).unwrap_or(usize::MAX);
                delays.get(step).or(delays.last()).copied().unwrap_or_default()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn secs(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    fn policy(max_attempts: u32, backoff: Backoff) -> RetryPolicy {
        RetryPolicy { max_attempts, backoff, max_delay: secs(3_600), jitter: false }
    }

    fn delays(policy: &RetryPolicy) -> Vec<u64> {
        (1..).map_while(|made| policy.delay_after(made, 0.0)).map(|delay| delay.as_secs()).collect()
    }

    #[test]
    fn the_delays_of_each_backoff() {
        assert_eq!(delays(&policy(5, Backoff::Exponential(secs(1)))), [1, 2, 4, 8]);
        assert_eq!(delays(&policy(4, Backoff::Linear(secs(3)))), [3, 6, 9]);
        assert_eq!(delays(&policy(3, Backoff::Fixed(secs(7)))), [7, 7]);
        assert_eq!(delays(&policy(4, Backoff::Schedule(vec![secs(1), secs(9)]))), [1, 9, 9]);
        assert_eq!(delays(&policy(1, Backoff::Fixed(secs(7)))), [0; 0]);
        assert_eq!(delays(&RetryPolicy::default()), [5, 300, 1_800, 7_200, 18_000, 36_000, 36_000]);
    }

    #[test]
    fn a_delay_ends_at_its_maximum_and_never_overflows() {
        let policy = policy(u32::MAX, Backoff::Exponential(secs(1)));
        assert_eq!(policy.delay_after(12, 0.0), Some(secs(2_048)));
        assert_eq!(policy.delay_after(13, 0.0), Some(secs(3_600)));
        assert_eq!(policy.delay_after(u32::MAX - 1, 0.0), Some(secs(3_600)));
    }

    #[test]
    fn jitter_lengthens_by_up_to_three_tenths() {
        let policy = RetryPolicy { jitter: true, ..policy(3, Backoff::Fixed(secs(100))) };
        assert_eq!(policy.delay_after(1, 0.0), Some(secs(100)));
        assert_eq!(policy.delay_after(1, 1.0), Some(secs(130)));
    }
}
