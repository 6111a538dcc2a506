//! Takes the event ids of a batch. The UNIQUE key decides over all nodes; within the batch, the order of its entries.
//!
//! One statement takes every key of the batch that is free, each for the first entry that names it, and locks the others
//! until the end of the transaction. With those read, nothing can change any more, and the entries are gone through one
//! after the other as if each had asked alone. Rarely an entry did not need a key after all, because it already lost
//! another one: such keys are given back, or to a later entry.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use tokio_postgres::Row;

use crate::domain::{Appended, Claim, ClaimKey, DeliveryId, Headers, Timestamp};
use crate::store::log::encoding;
use crate::store::log::prepared::{MOST_COMPARED, Prepared, expiry, keys, says_the_same};
use crate::store::postgres::{Records, Transaction, column, params, whole};
use crate::store::{Retention, StoreError};

/// A key of an event: its source, and its bytes. Every node takes them in their order, so that two batches with the same
/// keys never wait for each other in a circle.
type Key = (String, Vec<u8>);

/// A delivery that has a key.
#[derive(Clone, Copy)]
struct First {
    id: DeliveryId,
    received_at: Timestamp,
    body_digest: [u8; 32],
    /// Its place, if it is in this batch.
    place: Option<usize>,
}

/// An entry with a claim.
struct Asking<'b> {
    prepared: &'b Prepared,
    claim: &'b Claim,
    /// The keys, in the order in which they are asked for, with their bytes.
    keys: Vec<(&'b ClaimKey, Key)>,
}

impl<'b> Asking<'b> {
    fn of(prepared: &'b Prepared) -> Option<Self> {
        let claim = prepared.claim()?;
        let source = &prepared.delivery.source;
        let keys = keys(claim).map(|key| (key, (source.clone(), encoding::key_bytes(key)))).collect();
        Some(Self { prepared, claim, keys })
    }
}

/// The keys that a transaction took.
pub struct Taken {
    /// The first position of the transaction.
    pub first: i64,
    /// `None` means every key that was asked for.
    keys: Option<BTreeSet<Key>>,
}

impl Taken {
    /// What `take_event_ids` answered.
    ///
    /// # Errors
    /// `Unavailable` if it cannot be read.
    pub fn of(row: &Row) -> Result<Self, StoreError> {
        let (sources, keys) = (column::<Option<Vec<String>>>(row, "sources")?, column(row, "keys")?);
        let keys =
            sources.zip::<Vec<Vec<u8>>>(keys).map(|(sources, keys)| sources.into_iter().zip(keys).collect());
        Ok(Self { first: column(row, "first_position")?, keys })
    }

    fn has(&self, key: &Key) -> bool {
        self.keys.as_ref().is_none_or(|taken| taken.contains(key))
    }
}

/// The keys that a batch asks for, each with the place of the first entry that does.
pub struct Wanted<'c> {
    places: BTreeMap<&'c Key, usize>,
    /// Whether two entries ask for the same key.
    pub is_shared: bool,
}

/// The claims of a batch.
pub struct Claims<'b> {
    entries: &'b [&'b Prepared],
    asking: Vec<Option<Asking<'b>>>,
    retention: &'b Retention,
    now: Timestamp,
}

impl<'b> Claims<'b> {
    /// The claims of `entries`, which are made `now`.
    pub fn of(entries: &'b [&'b Prepared], retention: &'b Retention, now: Timestamp) -> Self {
        let asking = entries.iter().map(|entry| Asking::of(entry)).collect();
        Self { entries, asking, retention, now }
    }

    /// The keys that are asked for.
    pub fn wanted(&self) -> Wanted<'_> {
        let mut wanted = Wanted { places: BTreeMap::new(), is_shared: false };
        for (place, asking) in self.asking.iter().enumerate() {
            for (_, key) in asking.iter().flat_map(|asking| &asking.keys) {
                wanted.is_shared |= *wanted.places.entry(key).or_insert(place) != place;
            }
        }
        wanted
    }

    /// The keys as rows of the type `new_event_id`, each for the entry at its place.
    pub fn rows(&self, wanted: &Wanted<'_>) -> Records {
        let mut rows = Records::default();
        wanted.places.iter().for_each(|(key, place)| self.add(&mut rows, key, *place));
        rows
    }

    /// Takes the keys that are free. An expired one counts as free. All others are locked.
    ///
    /// # Errors
    /// `Unavailable` if they cannot be taken.
    pub async fn take(&self, to: &Transaction, wanted: &Wanted<'_>) -> Result<Taken, StoreError> {
        let (rows, now) = (self.rows(wanted), self.now.as_micros());
        let [now] = params![now];
        let sql = "SELECT first_position, sources, keys FROM take_event_ids($1, $2)";
        let kind = to.records_of("new_event_id").await?;
        Taken::of(&to.one(sql, &[rows.param(kind), now]).await?)
    }

    /// The result of each entry, when the free keys are taken.
    ///
    /// # Errors
    /// `Unavailable` if the other keys cannot be read, or the free ones not be given to other entries.
    pub async fn decide(
        &self,
        to: &Transaction,
        wanted: &Wanted<'_>,
        taken: &Taken,
    ) -> Result<Vec<Appended>, StoreError> {
        let known: Vec<&Key> = wanted.places.keys().copied().filter(|key| !taken.has(key)).collect();
        let mut holders = read(to, &known).await?;
        let bodies = self.bodies(to, &holders).await?;
        let results = (0..).zip(&self.asking).map(|(place, asking)| match asking {
            Some(asking) => self.give(place, asking, &mut holders, &bodies),
            None => Appended::New,
        });
        let appended = results.collect();
        self.correct(to, wanted, taken, &holders).await?;
        Ok(appended)
    }

    /// The headers and bodies of first deliveries with whose values others may have to be compared.
    async fn bodies(
        &self,
        to: &Transaction,
        holders: &BTreeMap<&Key, First>,
    ) -> Result<HashMap<DeliveryId, (Headers, Vec<u8>)>, StoreError> {
        let differs = |asking: &&Asking<'_>, first: &First| {
            first.body_digest != asking.claim.body_digest
                && asking.prepared.delivery.body.len() <= MOST_COMPARED
        };
        let mut ids: BTreeSet<[u8; 16]> = BTreeSet::new();
        for asking in self.asking.iter().flatten() {
            for (kind, key) in &asking.keys {
                let holder = holders.get(key).filter(|first| differs(&asking, first));
                if let (ClaimKey::Id(_), Some(first)) = (kind, holder) {
                    ids.insert(*first.id.as_bytes());
                }
            }
        }
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let ids: Vec<&[u8]> = ids.iter().map(<[u8; 16]>::as_slice).collect();
        let rows = to
            .rows(
                "SELECT id, headers, body FROM deliveries WHERE id = ANY($1) AND octet_length(body) <= $2",
                &params![ids, whole(MOST_COMPARED)],
            )
            .await?;
        rows.iter()
            .map(|row| {
                let headers: Vec<u8> = column(row, "headers")?;
                let id = DeliveryId::from_bytes(column(row, "id")?);
                Ok((id, (encoding::headers(&headers), column(row, "body")?)))
            })
            .collect()
    }

    /// Gives the entry at `place` its keys, unless another delivery has one of them.
    fn give<'c>(
        &self,
        place: usize,
        asking: &'c Asking<'_>,
        holders: &mut BTreeMap<&'c Key, First>,
        bodies: &HashMap<DeliveryId, (Headers, Vec<u8>)>,
    ) -> Appended {
        for (kind, key) in &asking.keys {
            let Some(first) = holders.get(key).copied() else {
                holders.insert(key, self.first(place, asking));
                continue;
            };
            let (first, first_received_at, body_digest, place) =
                (first.id, first.received_at, first.body_digest, first.place);
            let is_same = || match place.and_then(|place| self.entries.get(place)) {
                Some(entry) => {
                    says_the_same(&asking.prepared.delivery, &entry.delivery.headers, &entry.delivery.body)
                }
                None => bodies
                    .get(&first)
                    .is_some_and(|(headers, body)| says_the_same(&asking.prepared.delivery, headers, body)),
            };
            let is_conflict =
                matches!(kind, ClaimKey::Id(_)) && body_digest != asking.claim.body_digest && !is_same();
            return if is_conflict {
                Appended::Conflict { first, first_received_at }
            } else {
                Appended::Duplicate { first, first_received_at }
            };
        }
        Appended::New
    }

    fn first(&self, place: usize, asking: &Asking<'_>) -> First {
        let delivery = &asking.prepared.delivery;
        First {
            id: delivery.id,
            received_at: delivery.received_at,
            body_digest: asking.claim.body_digest,
            place: Some(place),
        }
    }

    /// Gives back keys that were taken for an entry that did not need them, or gives them to the entry that did.
    async fn correct(
        &self,
        to: &Transaction,
        wanted: &Wanted<'_>,
        taken: &Taken,
        holders: &BTreeMap<&Key, First>,
    ) -> Result<(), StoreError> {
        let (mut sources, mut keys) = (Vec::<&str>::new(), Vec::<&[u8]>::new());
        let mut right = Records::default();
        for (key, place) in wanted.places.iter().filter(|(key, _)| taken.has(key)) {
            let holder = holders.get(key).and_then(|first| first.place);
            if holder != Some(*place) {
                sources.push(&key.0);
                keys.push(&key.1);
                holder.into_iter().for_each(|holder| self.add(&mut right, key, holder));
            }
        }
        if !keys.is_empty() {
            to.run(
                r"
                DELETE FROM event_ids
                USING unnest($1, $2) AS wrong (source, key)
                WHERE event_ids.source = wrong.source AND event_ids.key = wrong.key
                ",
                &params![sources, keys],
            )
            .await?;
        }
        if !right.is_empty() {
            to.run(
                r"
                INSERT INTO event_ids (source, key, body_digest, delivery_id, first_received_at, expires_at)
                SELECT owed.*
                FROM unnest($1) AS owed
                ",
                &[right.param(to.records_of("new_event_id").await?)],
            )
            .await?;
        }
        Ok(())
    }

    /// Adds the row of a key that the entry at `place` takes.
    fn add(&self, rows: &mut Records, key: &Key, place: usize) {
        let Some(Some(Asking { prepared, claim, .. })) = self.asking.get(place) else { return };
        // In the order of the type `new_event_id`.
        rows.add(|row| {
            row.text(&key.0);
            row.bytes(&key.1);
            row.bytes(&claim.body_digest);
            row.bytes(prepared.delivery.id.as_bytes());
            row.number(prepared.delivery.received_at.as_micros());
            row.number(expiry(claim, self.retention, self.now).as_micros());
        });
    }
}

/// The deliveries that have `keys`.
async fn read<'k>(to: &Transaction, keys: &[&'k Key]) -> Result<BTreeMap<&'k Key, First>, StoreError> {
    if keys.is_empty() {
        return Ok(BTreeMap::new());
    }
    let sources: Vec<&str> = keys.iter().map(|key| key.0.as_str()).collect();
    let bytes: Vec<&[u8]> = keys.iter().map(|key| key.1.as_slice()).collect();
    let places: Vec<i64> = (0..).zip(keys).map(|(place, _)| place).collect();
    let rows = to
        .rows(
            r"
            SELECT place, body_digest, delivery_id, first_received_at
            FROM unnest($1, $2, $3) AS asked (place, source, key)
            JOIN event_ids USING (source, key)
            ORDER BY place
            ",
            &params![places, sources, bytes],
        )
        .await?;
    if rows.len() != keys.len() {
        return Err(StoreError::Unavailable("an event id was neither free nor taken".to_owned()));
    }
    let first = |(key, row)| {
        let first = First {
            id: DeliveryId::from_bytes(column(row, "delivery_id")?),
            received_at: Timestamp::from_micros(column(row, "first_received_at")?),
            body_digest: column(row, "body_digest")?,
            place: None,
        };
        Ok((key, first))
    };
    keys.iter().copied().zip(&rows).map(first).collect()
}
