//! Stores deliveries and claimed event ids, and the outbox: subscriptions, messages, attempts. This is the only floor
//! that knows SQL.
//!
//! One folder a subject: its types and what every store promises about it first, then what each engine does, side by
//! side. The machinery of an engine (its threads, its connections, its schema) has a folder of its own.

mod api_tokens;
mod causes;
mod error;
mod handle;
mod learned;
mod log;
mod marks;
mod minutes;
mod moving;
mod nodes;
mod numbers;
mod options;
mod outbox;
mod postgres;
mod replay_runs;
mod replays;
mod saved_searches;
mod search;
mod sqlite;
mod upkeep;

#[cfg(test)]
mod tests;
#[cfg(test)]
pub use tests::{Standby, place_in};

pub use api_tokens::{ApiTokens, MOST as MOST_TOKENS};
pub use causes::{Alike, Causes};
pub use error::StoreError;
pub use handle::Store;
pub use learned::{
    Devices, Drift, DriftField, DriftType, EntityOrder, EntityPage, EntityPlace, EntityQuery, FieldLearnt,
    LearnerState, Learning, Learnt, LogSection, Moved, Outage, SHORTEST_OUTAGE, SeenEntity, SeenIn, Silences,
    TypeLearnt,
};
pub use log::{Answered, Log, LoggedDelivery, Written};
pub use marks::{Marked, Marking};
pub use minutes::{Minute, Minutes, SlotCount};
pub use moving::{Move, Moved as MovedStore, Phase, Step, move_store};
pub use nodes::{NodeState, Nodes};
pub use options::{Membership, Place, PostgresPlace, Retention, StoreOptions};
pub use outbox::{
    ByHand, DeadLetterFilter, DeadLetters, Due, FanOut, FanningOut, Health, HealthCheck, Lane, LaneBatch,
    LaneClaim, LaneRate, LetterGroup, Messages, NewMessage, News, Next, ParkedRecord, Published,
    PublishedType, SenderFigures, Sending, Settlement, Sharing, StoredMessage, SubscriptionRecord,
    Subscriptions, UnreportedLetters,
};
pub use replay_runs::ReplayRuns;
pub use replays::Replays;
pub use saved_searches::{SavedSearch, SavedSearches};
pub use search::{Matches, Search, SearchPage, Stopped, Tail};
pub use upkeep::{Connections, Pruned, StoreSize, Upkeep};
