//! Notices when the wall clock was set, logs it once, and stores the difference for the next start.

use std::time::Duration;

use crate::send::state::Sender;

/// The interval between checks.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Smaller differences do not count as a clock change, in microseconds.
const NO_STEP_US: u64 = 1_000_000;

/// Compares the clocks until the program stops.
pub async fn run(sender: Sender) {
    let mut stopping = sender.stopping();
    // The dispatcher stores the current difference when it starts.
    let mut kept = sender.both().wall_ahead_us();
    loop {
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            _ = stopping.wait_for(|stop| *stop) => return,
        }
        let ahead = sender.both().wall_ahead_us();
        if ahead.abs_diff(kept) <= NO_STEP_US {
            continue;
        }
        // Try again at the next check until the store has it.
        if let Err(fault) = sender.store().keep_wall_ahead(ahead).await {
            tracing::warn!(%fault, "a step of the system clock is not kept");
            continue;
        }
        let seconds = ahead.saturating_sub(kept) / 1_000_000;
        tracing::warn!(seconds, "the system clock was set; what is due keeps its time");
        kept = ahead;
    }
}
