//! The sending side: turns accepted deliveries and published events into messages, and sends messages to their
//! endpoints.

mod engine;
mod language;
mod manage;
mod own_events;
mod state;
mod subscriptions;
mod wire;

pub use engine::{RunningSender, check_health, events_of as read_delivery};
pub use language::{ConditionOutcome, OPERATORS};
pub use manage::{Act, ManageFault, Managed};
pub use own_events::{OWN_EVENTS, PublishFault};
pub use state::{Duty, Evaluations, Part, Sender, SenderParts};
pub use subscriptions::{Active, Compiled, Parked, Routing, SubscriptionFault, presets};
pub use wire::{
    Answer, Client, Failure, Method, Outcome, Outgoing, OwnProbes, OwnReceiver, PROBE_HEADER, Pieces,
    Response, SendError, SignedSample, TargetGuard, Trust, fresh_id, redacted_url, shell_quote, signed_curl,
    signed_request, source_path,
};
