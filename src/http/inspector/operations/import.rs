//! Stores deliveries of another instance, to look at.

use std::collections::HashSet;
use std::time::Duration;

use futures_util::future::try_join_all;

use crate::domain::{Cause, Decision, DeliveryFilter, DeliveryId, Entry, MarksChange};
use crate::http::inspector::problem::Problem;
use crate::http::inspector::state::InspectorState;
use crate::store::StoreError;

/// A delivery to be imported.
#[derive(Debug)]
pub struct Import {
    /// Its id in the instance that received it.
    pub original: Option<DeliveryId>,
    /// The delivery, as it was there.
    pub entry: Entry,
    /// The cause of its rejection, or of its repeat.
    pub cause: Option<Cause>,
    /// Its note and its tags.
    pub marks: MarksChange,
    /// When its client hung up.
    pub hung_up: Option<Duration>,
}

/// How many deliveries were stored, and how many were here already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    pub imported: usize,
    pub known: usize,
}

impl Import {
    /// Why it would be removed at once: retention counts from when a delivery was received.
    #[must_use]
    pub fn expired(&self, state: &InspectorState) -> Option<String> {
        let Decision::Import(imported) = &self.entry.decision else { return None };
        let (option, kept) = state.retention.kept(imported.verdict)?;
        let received_at = self.entry.delivery.received_at;
        (received_at < state.clock.wall().minus(kept))
            .then(|| format!("{received_at} is longer ago than store.{option}; raise that to import it"))
    }
}

/// Stores them, but for those that are here: an import that is repeated adds nothing.
///
/// # Errors
/// 503 if the store cannot be written. What was stored until then is known to the next import.
pub async fn import(state: &InspectorState, imports: Vec<Import>) -> Result<Outcome, Problem> {
    // Two imports of one file could each find that a delivery is missing.
    let _turn = state.importing.lock().await;
    let ids = |imports: &[Import]| -> Vec<DeliveryId> {
        imports
            .iter()
            .flat_map(|import| import.original.into_iter().chain([import.entry.delivery.id]))
            .collect()
    };
    let mut here = present(state, ids(&imports)).await?;
    let mut fresh: Vec<Import> = Vec::new();
    let count = imports.len();
    for import in imports {
        let is_here = import.original.is_some_and(|id| here.contains(&id));
        if !is_here && here.insert(import.entry.delivery.id) {
            fresh.push(import);
        }
    }
    let imported = fresh.len();
    let stored = fresh.into_iter().map(|import| store(state, import));
    let causes = try_join_all(stored).await?;
    let causes: Vec<(i64, Cause)> = causes.into_iter().flatten().collect();
    if !causes.is_empty() {
        state.store.name_causes(causes).await?;
    }
    Ok(Outcome { imported, known: count.saturating_sub(imported) })
}

/// Those of `ids` that are stored.
async fn present(state: &InspectorState, ids: Vec<DeliveryId>) -> Result<HashSet<DeliveryId>, StoreError> {
    let most = ids.len();
    if most == 0 {
        return Ok(HashSet::new());
    }
    let filter = DeliveryFilter { ids: Some(ids), ..DeliveryFilter::default() };
    Ok(state.store.list(&filter, None, most).await?.iter().map(|row| row.id).collect())
}

/// Stores a delivery with what belongs to it; its cause is left to the caller.
async fn store(state: &InspectorState, import: Import) -> Result<Option<(i64, Cause)>, StoreError> {
    let Import { entry: Entry { delivery, .. }, .. } = &import;
    let (id, receiver) = (delivery.id, state.receiver_now());
    let mut entry = import.entry;
    receiver.mask_imported(&mut entry.delivery);
    let seq = state.store.append(entry).await?.seq;
    state.store.mark(id, import.marks, 0).await?;
    if let Some(after) = import.hung_up {
        state.store.hung_up(seq, after).await?;
    }
    Ok(import.cause.map(|cause| (seq, cause)))
}
