//! Values and rules everybody speaks of: no I/O, no async, no clock reads, no SQL, no web server.

mod check;
mod clock;
mod delivery;
mod event;
mod filter;
mod headers;
mod ids;
mod secret;
mod source;
mod verdict;

pub use check::{Check, Fault, Gate, Outcome};
pub use clock::{Clock, ManualClock, Timestamp};
pub use delivery::{Arrival, BodyEnd, ClientAddress, Delivery, DeliveryRow, StoredDelivery};
pub use event::{Claim, ClaimKey, EventFacts};
pub use filter::DeliveryFilter;
pub use headers::{Header, Headers};
pub use ids::DeliveryId;
pub use secret::Secret;
pub use source::{Allowlist, Credential, SchemaMode, Scheme, SignatureRule, Source, UnknownEvents};
pub use verdict::{Appended, Decision, Entry, Reason, Verdict};
