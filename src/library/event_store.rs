//! Recognises events that arrive twice.

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use sha2::{Digest as _, Sha256};

use crate::domain::{
    Appended, BodyEnd, Claim, ClaimKey, ClientAddress, Clock as _, Connection, Decision, Delivery,
    DeliveryId, Entry, EventFacts, Headers, Timestamp, Unverified,
};
use crate::payload::{EventId, fitting};
use crate::store::{self, Place, Retention, Store, StoreOptions};
use crate::telemetry::{StoreMetrics, SystemClock, Workers};

/// How long an event is remembered, unless `EventStore::open_for` says otherwise.
const KEEP: Duration = Duration::from_secs(30 * 86_400);
/// The most claims that may wait for the disk, and their bodies in bytes.
const QUEUE: usize = 10_000;
const QUEUE_BYTES: usize = 64 << 20;

/// The events that were seen, in a SQLite file: it recognises one that arrives again, also after a restart.
///
/// A claim is on disk when `claim` returns. Of equal claims at the same moment exactly one is [`Claimed::New`]. Claims that wait at
/// the same time are written together, so that many tasks can claim at once. The bodies are kept as well, and compared by value: a
/// sender that writes the same JSON differently at each retry makes a duplicate, not a conflict.
///
/// A claim is not given back. Where processing an event fails, try again yourself: the sender's next try is a duplicate.
///
/// Use a file of its own, and open it in one process at a time.
///
/// ```
/// use tagohook::{Claimed, EventStore};
///
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let file = folder.path().join("events.db");
/// let store = EventStore::open(&file).await?;
/// assert_eq!(store.claim("tagorun", "evt_1", br#"{"n":1}"#).await?, Claimed::New);
/// assert!(matches!(store.claim("tagorun", "evt_1", br#"{"n":1}"#).await?, Claimed::Duplicate { .. }));
/// assert!(matches!(store.claim("tagorun", "evt_1", br#"{"n":2}"#).await?, Claimed::Conflict { .. }));
/// // An id belongs to its source.
/// assert_eq!(store.claim("another", "evt_1", br#"{"n":1}"#).await?, Claimed::New);
/// store.close().await;
/// # Ok(())
/// # }
/// ```
pub struct EventStore(Store);

/// Whether an event is new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claimed {
    /// It is new, and now belongs to the caller, who must process it.
    New,
    /// It was claimed before. Answer as for a new one, and do not process it again.
    Duplicate {
        /// When it was claimed first.
        first_seen: SystemTime,
    },
    /// Its id was claimed before, with another body: a fault of the sender. Answer 409.
    Conflict {
        /// When the id was claimed first.
        first_seen: SystemTime,
    },
}

/// A fault of an [`EventStore`]. Answer 503, and the sender tries again.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct StoreError(Fault);

#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error(transparent)]
    Store(#[from] store::StoreError),
    #[error("{0}")]
    Id(String),
}

impl EventStore {
    /// Opens the file, or creates it; its folder must exist. Events are remembered for 30 days.
    ///
    /// # Errors
    /// When the file cannot be opened, or was written by a newer version.
    pub async fn open(file: impl AsRef<Path>) -> Result<Self, StoreError> {
        Self::open_for(file, KEEP).await
    }

    /// Opens the file as `open` does; events are remembered for the time `keep`.
    ///
    /// # Errors
    /// As for `open`.
    pub async fn open_for(file: impl AsRef<Path>, keep: Duration) -> Result<Self, StoreError> {
        let retention = Retention {
            keep_deliveries: keep,
            keep_rejected: keep,
            keep_captured: 0,
            keep_event_ids: keep,
            keep_messages: keep,
            keep_dead_letters: keep,
            max_size: u64::MAX,
            max_refused: u64::MAX,
        };
        let options = StoreOptions {
            place: Place::Sqlite(file.as_ref().to_owned()),
            clock: Arc::new(SystemClock),
            retention,
            queue: QUEUE,
            queue_bytes: QUEUE_BYTES,
            workers: Workers::default(),
            metrics: StoreMetrics::default(),
        };
        Ok(Self(Store::open(options).await?))
    }

    /// Claims the event `id` of `source`. Call it after the signature was verified: an id that is claimed is taken.
    ///
    /// # Errors
    /// When the id is empty, has only blanks or more than 256 bytes, or contains U+0000; or when the claim cannot be written.
    pub async fn claim(&self, source: &str, id: &str, body: &[u8]) -> Result<Claimed, StoreError> {
        let EventId::Is(id) = fitting(id.to_owned()).map_err(Fault::Id)? else {
            return Err(StoreError(Fault::Id("the id is empty".to_owned())));
        };
        let written = self.0.append(entry(source, id, body)).await?;
        Ok(match written.appended {
            Appended::New => Claimed::New,
            Appended::Duplicate { first_received_at, .. } => {
                Claimed::Duplicate { first_seen: system_time(first_received_at) }
            }
            Appended::Conflict { first_received_at, .. } => {
                Claimed::Conflict { first_seen: system_time(first_received_at) }
            }
        })
    }

    /// Writes what waits, and closes the file. Without it, what was claimed is on disk all the same.
    pub async fn close(self) {
        self.0.close().await;
    }
}

impl From<store::StoreError> for StoreError {
    fn from(fault: store::StoreError) -> Self {
        Self(fault.into())
    }
}

impl From<Fault> for StoreError {
    fn from(fault: Fault) -> Self {
        Self(fault)
    }
}

/// The delivery that a claim is stored as.
fn entry(source: &str, id: String, body: &[u8]) -> Entry {
    let now = SystemClock.both();
    let nobody = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
    let claim = Claim {
        key: ClaimKey::Id(id.clone()),
        also: None,
        body_digest: Sha256::digest(body).into(),
        window: None,
    };
    Entry {
        delivery: Delivery {
            id: DeliveryId::new_at(now.due),
            source: source.to_owned(),
            received_at: now.wall,
            method: "POST".to_owned(),
            path: format!("/webhook/{source}"),
            http_version: "HTTP/1.1".to_owned(),
            client: ClientAddress {
                ip: nobody,
                peer: nobody,
                explanation: "claimed by a program".to_owned(),
            },
            connection: Connection::default(),
            headers: Headers::default(),
            body: Bytes::copy_from_slice(body),
            body_end: BodyEnd::Complete,
        },
        facts: EventFacts { event_id: Some(id), ..EventFacts::default() },
        unverified: Unverified::default(),
        checks: Vec::new(),
        decision: Decision::Accept(Some(claim)),
        started: Instant::now(),
    }
}

fn system_time(time: Timestamp) -> SystemTime {
    UNIX_EPOCH + Duration::from_micros(u64::try_from(time.as_micros()).unwrap_or_default())
}
