//! Subscriptions as they are in force: compiled, routed to, and rendered into requests. Nothing is sent or stored here.

mod active;
mod compiled;
mod parked;
mod presets;
mod request;
mod routing;

pub use active::{Active, Subscriptions};
pub use compiled::{Compiled, CompiledValue, SubscriptionFault, faults_in, scope_of};
pub use parked::{OutOfForce, Parked};
pub use presets::presets;
pub use request::{BatchEnvelope, Envelope, Lines, Payload, Unsendable, configured_headers, outgoing};
pub use routing::{Candidate, Reach, Routing, message_for};
