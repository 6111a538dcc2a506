//! Takes up what other nodes did: they changed a subscription, or left messages to others.

use std::time::Duration;

use crate::send::state::Sender;
use crate::store::StoreError;

/// How often the store is asked for news.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Follows the other nodes until the program stops.
pub async fn run(sender: Sender) {
    let mut stopping = sender.stopping();
    loop {
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            () = sender.followed().asked() => {}
            _ = stopping.wait_for(|stop| *stop) => return,
        }
        if let Err(fault) = look(&sender).await {
            tracing::debug!(%fault, "what other nodes did cannot be read");
        }
    }
}

async fn look(sender: &Sender) -> Result<(), StoreError> {
    let news = sender.store().news().await?;
    if news.revision != *sender.followed().revision().borrow() {
        sender.follow().await?;
    }
    if news.has_unreported {
        sender.tell_of_letters();
    }
    if news.has_expired {
        sender.wake();
    } else if !news.waiting.is_empty() {
        sender.wakeups().tell(news.waiting.iter().map(String::as_str));
    }
    Ok(())
}
