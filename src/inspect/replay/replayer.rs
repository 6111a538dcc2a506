//! Replays one delivery and stores the result.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use url::Url;

use super::address::address;
use super::own::OwnReplays;
use super::request::{Edits, MARK, Parts, outgoing};
use crate::domain::{
    Clock, Condition, DeliveryFilter, DeliveryId, Query, Replay, ReplayId, ReplaySignature, StoredDelivery,
};
use crate::inspect::export::credential_headers;
use crate::payload::Sources;
use crate::send::{Client, Outcome, OwnReceiver, Sender, read_delivery};
use crate::store::{LoggedDelivery, Store, StoreError};

/// How long the row of a replay is waited for, after its answer came.
const PATIENCE: Duration = Duration::from_secs(5);
/// Rows looked through at once for it.
const PAGE: usize = 500;

/// Where a replay goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// To our own receiver.
    Receiver,
    /// To a URL, with the stored query; if its path ends in `/*`, with the stored path instead of the `*`.
    Url(Url),
    /// To a subscription, by its id.
    Subscription(String),
}

impl fmt::Display for Target {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Receiver => out.write_str("receiver"),
            Self::Url(url) => url.fmt(out),
            Self::Subscription(id) => out.write_str(id),
        }
    }
}

/// The request.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Where it goes.
    pub target: Target,
    /// How it is signed.
    pub signature: ReplaySignature,
    /// What is changed.
    pub edits: Edits,
    /// The run that it belongs to.
    pub run: Option<ReplayId>,
}

/// Why a delivery was not sent again.
#[derive(Debug, thiserror::Error)]
pub enum ReplayFault {
    /// The request cannot be fulfilled.
    #[error("{0}")]
    Asked(String),
    /// The store cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Replays deliveries.
#[derive(Clone)]
pub struct Replayer {
    /// Where they are kept.
    pub store: Store,
    /// Sends to subscriptions.
    pub sender: Sender,
    /// The client for our own receiver, which may be on a private address.
    pub own: Client,
    /// The client for URLs.
    pub client: Client,
    /// The receiver, as we reach it.
    pub receiver: OwnReceiver,
    /// The sources as they are now.
    pub sources: Sources,
    /// The replays that our receiver recognises.
    pub own_replays: OwnReplays,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl Replayer {
    /// Replays `delivery`, waits for the response, and stores the result.
    ///
    /// # Errors
    /// The request cannot be fulfilled, or the result cannot be stored.
    pub async fn replay(&self, delivery: StoredDelivery, asked: &Asked) -> Result<Replay, ReplayFault> {
        let mut replay = self.begin(delivery.row.id, asked);
        self.send(&mut replay, delivery, asked).await?;
        self.store.add_replay(replay.clone(), self.clock.wall()).await?;
        Ok(replay)
    }

    /// A replay without a result yet.
    pub(super) fn begin(&self, original: DeliveryId, asked: &Asked) -> Replay {
        Replay {
            id: ReplayId::new_at(self.clock.wall()),
            original,
            target: asked.target.to_string(),
            signature: asked.signature,
            is_edited: !asked.edits.is_empty(),
            run: asked.run,
            status: None,
            delivery: None,
            message: None,
            error: None,
            answer: Bytes::new(),
        }
    }

    /// Sends it, and records the result.
    pub(super) async fn send(
        &self,
        replay: &mut Replay,
        delivery: StoredDelivery,
        asked: &Asked,
    ) -> Result<(), ReplayFault> {
        match &asked.target {
            Target::Subscription(id) => self.to_subscription(replay, delivery, id, &asked.edits).await,
            Target::Receiver => {
                let path = asked.edits.path.as_deref().unwrap_or(&delivery.row.path);
                let url = Url::parse(&format!("{}{path}", self.receiver.base())).map_err(|fault| {
                    ReplayFault::Asked(format!("the path {path:?} cannot be sent: {fault}"))
                })?;
                self.over_http(replay, &delivery, asked, url).await
            }
            Target::Url(url) => {
                let url = address(url, &delivery.row.path);
                self.over_http(replay, &delivery, asked, url).await
            }
        }
    }

    async fn to_subscription(
        &self,
        replay: &mut Replay,
        delivery: StoredDelivery,
        id: &str,
        edits: &Edits,
    ) -> Result<(), ReplayFault> {
        if !edits.is_empty() {
            let why = "a subscription makes its own request: nothing can be edited";
            return Err(ReplayFault::Asked(why.to_owned()));
        }
        let active = self.sender.subscriptions().get(id);
        let active = active.ok_or_else(|| ReplayFault::Asked(format!("there is no subscription {id:?}")))?;
        let read = LoggedDelivery { row: delivery.row, headers: delivery.headers, body: delivery.body };
        let events = read_delivery(&self.sender, read).await?;
        if events.is_empty() {
            let why = "the body of this delivery cannot be read as an event";
            return Err(ReplayFault::Asked(why.to_owned()));
        }
        for event in events {
            replay.message = Some(self.sender.send_by_hand(&active, event).await?);
        }
        Ok(())
    }

    async fn over_http(
        &self,
        replay: &mut Replay,
        delivery: &StoredDelivery,
        asked: &Asked,
        url: Url,
    ) -> Result<(), ReplayFault> {
        let to_us = asked.target == Target::Receiver;
        let sources = self.sources.all();
        let mark = replay.id.to_string();
        let request = outgoing(Parts {
            delivery,
            edits: &asked.edits,
            signature: asked.signature,
            source: sources.iter().find(|source| source.name == delivery.row.source),
            credential_headers: &credential_headers(&sources),
            is_to_us: to_us,
            mark: &mark,
            url,
            now: self.clock.wall(),
        })
        .map_err(ReplayFault::Asked)?;
        let before = *self.store.newest().borrow();
        let client = if to_us { &self.own } else { &self.client };
        let _under_way = to_us.then(|| self.own_replays.begin(&mark, delivery.client.clone()));
        let Outcome { result, .. } = client.send(request).await;
        match result {
            Ok(response) => {
                replay.status = Some(response.status);
                replay.answer = response.body;
                if to_us {
                    replay.delivery = self.row_of(&mark, before).await?;
                }
            }
            Err(failure) => replay.error = Some(failure.to_string()),
        }
        Ok(())
    }

    /// The delivery that carries the mark; `None` if it left no row, because it was over a rate.
    async fn row_of(&self, mark: &str, before: i64) -> Result<Option<DeliveryId>, StoreError> {
        let condition = Condition::Header { name: MARK.to_owned(), text: Some(mark.to_owned()) };
        let filter = DeliveryFilter { q: Some(Query::Is(condition)), ..DeliveryFilter::default() };
        let end = tokio::time::Instant::now() + PATIENCE;
        let mut cursor = before;
        loop {
            let tail = self.store.since(&filter, cursor, PAGE).await?;
            if let Some(row) = tail.rows.first() {
                return Ok(Some(row.id));
            }
            // The response came after the row was written: no more rows will follow.
            if tail.through <= cursor || tokio::time::Instant::now() > end {
                return Ok(None);
            }
            cursor = tail.through;
        }
    }
}
