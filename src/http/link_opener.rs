//! Opens the links by which AWS asks to confirm an address: a few at a time, through the sender's guard and proxy.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::Semaphore;
use url::Url;

use crate::send::{Client, Method, Outgoing};

/// How long a confirmation link may take; its platform waits for our answer meanwhile.
const OPENING: Duration = Duration::from_secs(8);
/// How many links are open at once. Anybody may ask.
const AT_ONCE: usize = 2;
/// The most bytes of an answer to a link that are kept.
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

    /// Opens a link; the status and the start of its answer, or why there was none.
    ///
    /// # Errors
    /// In a sentence.
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
