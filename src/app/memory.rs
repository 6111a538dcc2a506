//! Memory that is no longer needed goes back to the system.

use std::hint::black_box;
use std::time::Duration;

use tokio::time::sleep;

use crate::store::Store;

/// How often.
const EVERY: Duration = Duration::from_secs(2);
/// A block so large is a page of the allocator's own.
const LARGE: usize = 1024 * 1024;

/// Gives back what was not used for a while, again and again. The store gives up its cache when deliveries cease to arrive.
pub async fn give_back(store: Store) {
    let mut newest = store.newest();
    let mut is_warm = false;
    loop {
        sleep(EVERY).await;
        // The allocator looks for what can go back whenever it frees a page. A program with nothing to do frees none. Nothing is
        // written to this one, so it takes no memory.
        drop(black_box(Vec::<u8>::with_capacity(LARGE)));
        if newest.has_changed().unwrap_or_default() {
            newest.mark_unchanged();
            is_warm = true;
        } else if is_warm {
            // Otherwise after the next deliveries.
            let _ = store.rest().await;
            is_warm = false;
        }
    }
}
