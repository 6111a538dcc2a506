//! What a delivery that came again, or under the id of another, says of its sender.

use super::fallback;
use super::told::{Action, Diagnosis};
use crate::domain::json::same_values;
use crate::domain::{DeliveryRow, EventPlace, Reason, Source, StoredDelivery, Target, Verdict};
use crate::payload::{POINTS_EVENT, decode};
use crate::store::{Store, StoreError};

/// The most deliveries of one id that are counted.
const MOST_COUNTED: usize = 50;
/// From this many bodies under one id on, the id does not identify an event.
const MANY: usize = 3;

/// The deliveries before this one that carried its event's id.
#[derive(Debug, Default)]
pub struct Repeats {
    /// The delivery that was accepted.
    first: Option<StoredDelivery>,
    /// Those under the same id, the newest first, this one among them.
    same_id: Vec<DeliveryRow>,
}

impl Repeats {
    /// Reads them from the store.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn of(store: &Store, delivery: &StoredDelivery) -> Result<Self, StoreError> {
        let row = &delivery.row;
        let Some(first) = row.duplicate_of else { return Ok(Self::default()) };
        let same_id = match (&row.event_id, row.reason) {
            (Some(id), Some(Reason::IdConflict)) => store.of_event(&row.source, id, MOST_COUNTED).await?,
            _ => Vec::new(),
        };
        Ok(Self { first: store.delivery(first).await?, same_id })
    }

    /// Why it came again, and what to do; `None` if nothing more is known than that it did.
    #[must_use]
    pub fn diagnosis(
        &self,
        delivery: &StoredDelivery,
        sources: &[Source],
        max_body: usize,
    ) -> Option<Diagnosis> {
        let first = self.first.as_ref()?;
        let source = sources.iter().find(|source| source.name == delivery.row.source);
        match (delivery.row.verdict, delivery.row.reason) {
            (Verdict::Duplicate, _) if delivery.row.event_id.is_none() => fallback::repeat(first, delivery)
                .or_else(|| same_points(first, delivery, source))
                .or_else(|| written_anew(first, delivery, max_body)),
            (Verdict::Duplicate, _) => written_anew(first, delivery, max_body),
            (_, Some(Reason::IdConflict)) => Some(self.conflict(first, delivery, source, max_body)),
            _ => None,
        }
    }

    fn conflict(
        &self,
        first: &StoredDelivery,
        delivery: &StoredDelivery,
        source: Option<&Source>,
        max_body: usize,
    ) -> Diagnosis {
        let row = &delivery.row;
        let id = row.event_id.as_deref().unwrap_or_default();
        let bodies = self
            .same_id
            .iter()
            .filter(|other| other.verdict == Verdict::Accepted || other.reason == Some(Reason::IdConflict))
            .count();
        let told = "This delivery was answered 409 and not accepted.";
        if same_text(first, delivery, max_body) {
            let cause = format!(
                "The same values as in the first delivery, written in another order or with other blanks. The sender \
                 serialises its JSON again for each attempt. A body of this size is not compared on arrival. {told}"
            );
            return Diagnosis::new("repeat-rewritten", "A repeat with its JSON written again", cause)
                .act("Let the sender keep the bytes of its first attempt.", Action::Compare);
        }
        if first.row.event_type != row.event_type {
            let name = |row: &DeliveryRow| row.event_type.clone().unwrap_or_else(|| "unknown".to_owned());
            let cause = format!(
                "The id {id} was accepted before for an event of another type: {}, now {}. {told}",
                name(&first.row),
                name(row)
            );
            return Diagnosis::new("id-of-another-type", "Two event types share an id", cause)
                .line("Accept both: let the event type count too.", "id_scope = [\"event\"]");
        }
        let is_entity = row.entity.as_deref() == Some(id);
        if is_entity || bodies >= MANY {
            let place = source.map_or("the id", |source| match source.id_pointer.as_str() {
                "" => "the id",
                pointer => pointer,
            });
            let more = if bodies >= MOST_COUNTED { " or more" } else { "" };
            let cause = format!(
                "{bodies}{more} deliveries with the id {id} have different bodies, so {place} does not identify an event. \
                 It may be the device's id, or a counter that restarts. {told}"
            );
            return Diagnosis::new("id-of-a-device", "The id does not identify an event", cause).line(
                "Set id_pointer to a value that differs for each event, or to \"\" if there is none.",
                "id_pointer = \"\"",
            );
        }
        let cause = format!("Its event id was accepted before with another body. {told}");
        Diagnosis::new("id_conflict", Reason::IdConflict.headline(), cause)
            .act("Compare both deliveries: one of the two is wrong.", Action::Compare)
            .fix(format!(
                "If {} names the device and not the event, set another id_pointer.",
                source.map_or("/id", |source| source.id_pointer.as_str())
            ))
    }
}

/// An Action posts the same points once. Its retries count up.
fn same_points(
    first: &StoredDelivery,
    delivery: &StoredDelivery,
    source: Option<&Source>,
) -> Option<Diagnosis> {
    let is_first_try = |delivery: &StoredDelivery| {
        delivery.headers.get("TagoIO-Retries").is_some_and(|value| value.trim_ascii() == b"1")
    };
    let is_points = delivery.row.event_type.as_deref() == Some(POINTS_EVENT)
        || source.is_some_and(|source| source.event != EventPlace::Scheme);
    if !is_points || !is_first_try(first) || !is_first_try(delivery) {
        return None;
    }
    let below = Target::new(&delivery.row.path).below_source();
    let path = if below.is_empty() { "alarm" } else { "another-name" };
    let cause = "The same data points came before, and both posts are first tries (TagoIO-Retries: 1). Probably two Actions \
                 post to the same path, and only one of them is an event here.";
    Some(Diagnosis::new("two-actions", "Two Actions post to the same path", cause).line(
        "Give each Action a path of its own: then each of its posts is an event.",
        format!("/webhook/{}/{path}", delivery.row.source),
    ))
}

fn written_anew(first: &StoredDelivery, delivery: &StoredDelivery, max_body: usize) -> Option<Diagnosis> {
    let is_anew = first.body != delivery.body
        && first.headers.get("content-encoding") == delivery.headers.get("content-encoding")
        && same_text(first, delivery, max_body);
    is_anew.then(|| {
        let cause = "The same event was accepted before. This one was answered 200 and not processed again. Its values are the \
                     same, but its bytes are not: the sender serialises its JSON again for each attempt.";
        Diagnosis::new("repeat-rewritten", "A repeat with its JSON written again", cause)
    })
}

fn same_text(first: &StoredDelivery, delivery: &StoredDelivery, max_body: usize) -> bool {
    let text = |delivery: &StoredDelivery| {
        decode(&delivery.headers, &delivery.body, max_body).map(std::borrow::Cow::into_owned)
    };
    matches!((text(first), text(delivery)), (Ok(first), Ok(again)) if same_values(&first, &again))
}
