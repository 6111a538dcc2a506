//! Opens AWS confirmation links: a few at a time, through the sender's guard and proxy.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::Semaphore;
use url::Url;

use crate::send::{Client, Method, Outgoing};

/// The time limit for a confirmation link; its platform waits for our response in the meantime.
const OPENING: Duration = Duration::from_secs(8);
/// The most links open at once, since anyone may send them.
const AT_ONCE: usize = 2;
/// The most bytes kept of a link's response.
const MOST_ANSWERED: usize = 4096;

/// Opens confirmation links, a few at a time, through the sender's guard and proxy.
#[derive(Clone)]
pub struct LinkOpener {
    client: Client,
    turns: Arc<Semaphore>,
}

impl LinkOpener {
    /// Opens links with the sender's client.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self { client, turns: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// Opens a link; returns the status and the start of its response.
    ///
    /// # Errors
    /// Why there was no response, as one sentence.
    pub async fn open(&self, link: &str) -> Result<(u16, Bytes), String> {
        let Ok(_turn) = self.turns.try_acquire() else {
            return Err("other links are being opened; open it later".to_owned());
        };
        let url = Url::parse(link).map_err(|fault| fault.to_string())?;
        let request = Outgoing {
            method: Method::Get,
            url,
            headers: Vec::new(),
            body: Bytes::new(),
            timeout: OPENING,
            max_answer: MOST_ANSWERED,
        };
        match self.client.send(request).await.result {
            Ok(response) => Ok((response.status, response.body)),
            Err(failure) => Err(failure.to_string()),
        }
    }
}
