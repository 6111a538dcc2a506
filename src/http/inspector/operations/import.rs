//! Stores deliveries of another instance, to look at.

use std::collections::HashMap;
use std::time::Duration;

use actix_web::http::StatusCode;
use futures_util::future::try_join_all;

use crate::domain::{Cause, Decision, DeliveryFilter, DeliveryId, DeliveryRow, Entry, MarksChange};
use crate::http::inspector::problem::Problem;
use crate::http::inspector::state::InspectorState;
use crate::store::StoreError;

/// The task that one node at a time does.
const DUTY: &str = "import";
/// How long it is this node's if the node dies. One request takes much less.
const LASTS: Duration = Duration::from_secs(30);
/// How often it is asked for while another node has it, and for how long: longer than that.
const PAUSE: Duration = Duration::from_millis(50);
const TRIES: usize = 800;

/// A delivery to be imported.
#[derive(Debug)]
pub struct Import {
    /// Its id in the instance that received it.
    pub original: Option<DeliveryId>,
    /// The delivery, as it was there.
    pub entry: Entry,
    /// What is stored after it.
    pub attached: Attached,
}

/// What belongs to a delivery.
#[derive(Debug)]
pub struct Attached {
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

/// Stores them, but for those that are here: an import that is repeated adds nothing, and finishes what a killed program had
/// only begun. Of two imports of one file, also on two nodes, the second waits.
///
/// # Errors
/// 503 if the store cannot be written, or if other imports take too long. What was stored until then is known to the next
/// import.
pub async fn import(state: &InspectorState, imports: Vec<Import>) -> Result<Outcome, Problem> {
    let state = state.clone();
    // A client that hangs up does not end it halfway.
    let task = actix_web::rt::spawn(async move {
        let _turn = state.importing.lock().await;
        await_turn(&state).await?;
        let outcome = import_missing(&state, imports).await;
        // Otherwise other nodes would wait until it ends by its time.
        state.store.take_duty(DUTY, Duration::ZERO).await?;
        outcome
    });
    match task.await {
        Ok(outcome) => outcome,
        Err(_) => Err(Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "The import failed; see the log.")),
    }
}

/// Waits until no other node imports: each could find that a delivery is missing.
async fn await_turn(state: &InspectorState) -> Result<(), Problem> {
    for _ in 0..TRIES {
        if state.store.take_duty(DUTY, LASTS).await? {
            return Ok(());
        }
        tokio::time::sleep(PAUSE).await;
    }
    Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "Another node is importing. Try again in a minute."))
}

async fn import_missing(state: &InspectorState, imports: Vec<Import>) -> Result<Outcome, Problem> {
    let ids = |imports: &[Import]| -> Vec<DeliveryId> {
        imports
            .iter()
            .flat_map(|import| import.original.into_iter().chain([import.entry.delivery.id]))
            .collect()
    };
    let mut here = present(state, ids(&imports)).await?;
    let (mut fresh, mut begun): (Vec<Import>, Vec<Begun>) = (Vec::new(), Vec::new());
    let count = imports.len();
    for import in imports {
        if import.original.is_some_and(|id| here.contains_key(&id)) {
            continue;
        }
        let id = import.entry.delivery.id;
        match here.insert(id, Here::Whole) {
            None => fresh.push(import),
            Some(Here::Begun(seq)) => begun.push((seq, id, import.attached)),
            Some(Here::Whole) => {}
        }
    }
    let imported = fresh.len();
    begun.extend(try_join_all(fresh.into_iter().map(|import| append(state, import))).await?);
    let cause = |(seq, _, attached): &mut Begun| Some((*seq, attached.cause.take()?));
    let causes: Vec<(i64, Cause)> = begun.iter_mut().filter_map(cause).collect();
    if !causes.is_empty() {
        state.store.name_causes(causes).await?;
    }
    try_join_all(begun.into_iter().map(|begun| finish(state, begun))).await?;
    Ok(Outcome { imported, known: count.saturating_sub(imported) })
}

/// A delivery whose row is stored: its position, its id, and what is not yet stored.
type Begun = (i64, DeliveryId, Attached);

/// What is stored of a delivery.
enum Here {
    /// All of it.
    Whole,
    /// Its row, at this position. The program was killed before it was marked.
    Begun(i64),
}

/// Those of `ids` that are stored.
async fn present(
    state: &InspectorState,
    ids: Vec<DeliveryId>,
) -> Result<HashMap<DeliveryId, Here>, StoreError> {
    let most = ids.len();
    if most == 0 {
        return Ok(HashMap::new());
    }
    let filter = DeliveryFilter { ids: Some(ids), ..DeliveryFilter::default() };
    let rows = state.store.list(&filter, None, most).await?;
    let of = |row: DeliveryRow| {
        let is_begun = row.id.is_imported() && row.marks.is_empty();
        (row.id, if is_begun { Here::Begun(row.seq) } else { Here::Whole })
    };
    Ok(rows.into_iter().map(of).collect())
}

/// Stores the row of a delivery.
async fn append(state: &InspectorState, import: Import) -> Result<Begun, StoreError> {
    let Import { mut entry, attached, .. } = import;
    let id = entry.delivery.id;
    state.receiver_now().mask_imported(&mut entry.delivery);
    Ok((state.store.append(entry).await?.seq, id, attached))
}

/// Stores the rest. The marks come last: by its tag a delivery is known to be whole.
async fn finish(state: &InspectorState, (seq, id, attached): Begun) -> Result<(), StoreError> {
    if let Some(after) = attached.hung_up {
        state.store.hung_up(seq, after).await?;
    }
    state.store.mark(id, attached.marks, 0).await?;
    Ok(())
}
