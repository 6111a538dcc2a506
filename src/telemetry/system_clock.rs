//! The clock of the program.

use std::sync::LazyLock;
use std::time::{SystemTime, UNIX_EPOCH};

use rustix::time::{ClockId, clock_gettime};

use crate::domain::{Clock, Timestamp};

/// Counts elapsed time, including sleep: a retry that became due during sleep is due when the machine wakes.
#[cfg(target_os = "linux")]
const PASSED: ClockId = ClockId::Boottime;
#[cfg(not(target_os = "linux"))]
const PASSED: ClockId = ClockId::Monotonic;

/// The difference between the wall clock and the elapsed time at the program's first reading, in microseconds.
static AHEAD_AT_START: LazyLock<i64> = LazyLock::new(|| wall_us().saturating_sub(passed_us()));

/// The system's clocks.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(AHEAD_AT_START.saturating_add(passed_us()))
    }

    fn wall(&self) -> Timestamp {
        Timestamp::from_micros(wall_us())
    }
}

/// When the machine was started, in seconds since 1970. The same value for as long as the program runs.
pub(super) fn booted_s() -> f64 {
    AHEAD_AT_START.to_string().parse::<f64>().unwrap_or_default() / 1e6
}

fn wall_us() -> i64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_epoch.as_micros()).unwrap_or(i64::MAX)
}

fn passed_us() -> i64 {
    let passed = clock_gettime(PASSED);
    passed.tv_sec.saturating_mul(1_000_000).saturating_add(passed.tv_nsec / 1_000)
}
