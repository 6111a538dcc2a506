//! Stores deliveries and claimed event ids, and the outbox: subscriptions, messages, attempts. This is the only floor
//! that knows SQL.

mod causes;
mod contract;
mod error;
mod lens;
mod marks;
mod matches;
mod minutes;
mod outbox;
mod replay_runs;
mod replays;
mod saved_searches;
mod sqlite;

pub use causes::Alike;
pub use contract::{Answered, Pruned, Retention, Store, StoreOptions, StoreSize, Tail, Written};
pub use error::StoreError;
pub use lens::{
    DriftField, DriftType, EntityOrder, EntityPage, EntityPlace, EntityQuery, FieldLearnt, Learnt, LensState,
    Moved, Outage, SeenEntity, SeenIn, TypeLearnt,
};
pub use marks::Marked;
pub use matches::{Matches, SlotCount};
pub use minutes::Minute;
pub use outbox::{
    DeadLetterFilter, Due, FanOut, FannedDelivery, HealthCheck, Lane, LaneBatch, LaneClaim, LetterGroup,
    NewMessage, Next, ParkedRecord, Published, PublishedType, SenderFigures, Settlement, StoredMessage,
    SubscriptionRecord, Told,
};
pub use saved_searches::SavedSearch;
