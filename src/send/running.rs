//! The sender at work: its own thread, so that neither receiving nor the pages ever wait for an endpoint.

use std::thread::JoinHandle;

use super::sender::Sender;
use super::{dispatcher, fanout, health, notices};

/// A sender at work.
pub struct RunningSender {
    sender: Sender,
    thread: JoinHandle<()>,
}

impl RunningSender {
    /// Starts the thread: fan-out, dispatcher, health, notices.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn start(sender: Sender) -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let own = sender.clone();
        let thread = std::thread::Builder::new().name("sender".to_owned()).spawn(move || {
            runtime.block_on(async {
                tokio::join!(
                    fanout::run(own.clone()),
                    dispatcher::run(own.clone()),
                    health::run(own.clone()),
                    notices::run(own),
                );
            });
        })?;
        Ok(Self { sender, thread })
    }

    /// Stops: nothing new is claimed, what is under way is given a moment, the rest waits for the next start.
    pub async fn stop(self) {
        self.sender.stop();
        let thread = self.thread;
        // A sender that panicked has nothing left to wait for.
        let _ = tokio::task::spawn_blocking(move || thread.join()).await;
    }
}
