//! Appends attempts and writes their results.
//!
//! A settlement counts if its claim is still the last one of its message. Each one ends that claim, so a settlement that
//! is written again, because its first COMMIT was not answered, changes nothing either. An attempt is kept whoever made
//! it: the request was sent.

use std::collections::HashMap;

use super::attempts::append;
use super::ordered::Place;
use super::steps::Steps;
use super::{figures, locks, rate};
use crate::store::postgres::{Transaction, column};
use crate::store::{Next, Settlement, StoreError};

/// Writes attempts and their results. `advanced` is how far the node's clock was moved by hand.
pub async fn settle(to: &Transaction, settlements: &[Settlement], advanced: i64) -> Result<(), StoreError> {
    keep_subscriptions(to, settlements).await?;
    let messages = lock_messages(to, settlements).await?;
    let appended = append(to, settlements, |seq| messages.contains_key(&seq)).await?;
    let mut steps = Steps::default();
    for settlement in settlements {
        if let Some(message) = messages.get(&settlement.seq)
            && message.claim == settlement.claim
        {
            steps.add(to, settlement, message.place.as_ref()).await?;
        }
    }
    steps.write(to).await?;
    rate::arrived(to, settlements, advanced).await?;
    figures::count(to, appended.into_iter()).await
}

/// What must not change while a message goes to its fallback, or ends because its subscription is gone.
async fn keep_subscriptions(to: &Transaction, settlements: &[Settlement]) -> Result<(), StoreError> {
    let (mut fallbacks, mut seqs) = (Vec::new(), Vec::new());
    for Settlement { seq, next, .. } in settlements {
        match next {
            Next::Fallback { target, .. } => fallbacks.push(target.as_str()),
            Next::Cancelled => {}
            _ => continue,
        }
        seqs.push(*seq);
    }
    locks::keep_subscriptions(to, &fallbacks, &seqs).await
}

/// A message as it was found.
struct Found {
    claim: i64,
    /// If its lane is ordered.
    place: Option<Place>,
}

async fn lock_messages(
    to: &Transaction,
    settlements: &[Settlement],
) -> Result<HashMap<i64, Found>, StoreError> {
    let seqs: Vec<i64> = settlements.iter().map(|settlement| settlement.seq).collect();
    let rows = locks::lock_with_next(to, &seqs).await?;
    let mut messages = HashMap::new();
    for row in &rows {
        let target: String = column(row, "target_id")?;
        let place = column::<Option<String>>(row, "entity")?.map(|entity| (target, entity));
        messages.insert(column(row, "seq")?, Found { claim: column(row, "claim")?, place });
    }
    Ok(messages)
}
