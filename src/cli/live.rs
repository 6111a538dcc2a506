//! The live stream of the running instance. It reconnects without a gap.

use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::time::{sleep, timeout};

use super::fault::Fault;
use super::inspector::{Api, encoded};
use super::output::notice;
use crate::send::Pieces;

/// The pause before reconnecting.
const PAUSE: Duration = Duration::from_millis(500);
/// The instance says something every ten seconds. After this silence the connection is dead.
const SILENCE: Duration = Duration::from_secs(30);
/// The longest event that is read, in bytes. A row has far less.
const MAX_EVENT: usize = 4 * 1024 * 1024;

/// One server-sent event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// The position in the log.
    pub id: Option<String>,
    /// `delivery`, `reset`, `alive`, or nothing.
    pub kind: String,
    /// The JSON.
    pub data: String,
}

impl Event {
    fn read(text: &str) -> Self {
        let mut event = Self::default();
        for line in text.lines() {
            match line.split_once(": ").unwrap_or((line, "")) {
                ("id", id) => event.id = Some(id.to_owned()),
                ("event", kind) => kind.clone_into(&mut event.kind),
                ("data", data) => event.data.push_str(data),
                _ => {}
            }
        }
        event
    }
}

/// The stream, read event by event.
pub struct Live<'a> {
    api: &'a Api,
    query: String,
    position: Option<String>,
    open: Option<Pieces>,
    has_been_open: bool,
    waiting: Vec<u8>,
}

impl<'a> Live<'a> {
    /// The stream with the filter `query`, after `position`, or from now on.
    pub fn new(api: &'a Api, query: String, position: Option<String>) -> Self {
        Self { api, query, position, open: None, has_been_open: false, waiting: Vec::new() }
    }

    /// Waits for the next event. Cancelling it loses nothing.
    ///
    /// # Errors
    /// The first connection fails, or the instance refuses one.
    pub async fn next(&mut self) -> anyhow::Result<Event> {
        loop {
            if let Some(event) = self.read() {
                self.position = event.id.clone().or(self.position.take());
                return Ok(event);
            }
            match &mut self.open {
                None => self.connect().await?,
                Some(pieces) => match timeout(SILENCE, pieces.next()).await {
                    Ok(Some(piece)) => self.take(&piece)?,
                    Ok(None) | Err(_) => {
                        notice("the connection broke; trying again");
                        self.open = None;
                        self.waiting.clear();
                        sleep(PAUSE).await;
                    }
                },
            }
        }
    }

    /// The position that the stream begins with, and whether it is another than the one asked for.
    ///
    /// # Errors
    /// As `next`, and where the stream says no position.
    pub async fn first_position(&mut self) -> anyhow::Result<(i64, bool)> {
        for _ in 0..8 {
            let Event { id, kind, .. } = self.next().await?;
            if let Some(at) = id {
                return Ok((at.parse().context("the stream has an unknown position")?, kind == "reset"));
            }
        }
        bail!("the stream says no position; is the instance a recent tagohook?")
    }

    fn take(&mut self, piece: &[u8]) -> anyhow::Result<()> {
        self.waiting.extend_from_slice(piece);
        if self.waiting.len() > MAX_EVENT && memchr::memmem::find(&self.waiting, b"\n\n").is_none() {
            return Err(Fault::unreachable("the stream is not the one of a tagohook; is --url right?"));
        }
        Ok(())
    }

    fn read(&mut self) -> Option<Event> {
        let end = memchr::memmem::find(&self.waiting, b"\n\n")?;
        let event: Vec<u8> = self.waiting.drain(..end.saturating_add(2)).collect();
        Some(Event::read(&String::from_utf8_lossy(&event)))
    }

    async fn connect(&mut self) -> anyhow::Result<()> {
        let from =
            self.position.as_ref().map_or(String::new(), |at| format!("&last_event_id={}", encoded(at)));
        let asked = format!("{}{from}", self.query);
        match self.api.stream(&format!("deliveries/stream?{}", asked.trim_start_matches('&'))).await {
            Ok(pieces) => {
                self.open = Some(pieces);
                self.has_been_open = true;
            }
            // The first failure is an error; later ones may be a restart of the instance.
            Err(fault) if !self.has_been_open || !Fault::may_pass(&fault) => return Err(fault),
            Err(fault) => {
                notice(format_args!("{fault:#}; trying again"));
                sleep(PAUSE).await;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_read_line_by_line() {
        let event = Event::read(": alive\nid: 7\nevent: delivery\ndata: {\"a\":\"b: c\"}\n\n");
        let expected = Event {
            id: Some("7".to_owned()),
            kind: "delivery".to_owned(),
            data: "{\"a\":\"b: c\"}".to_owned(),
        };
        assert_eq!(event, expected);
        assert_eq!(Event::read(": connected\nretry: 2000\n\n"), Event::default());
    }
}
