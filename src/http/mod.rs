//! The only floor that knows the web server: two listeners, a folder each, and the connections of both.

mod connection;
mod inspector;
mod receiver;

pub use connection::doorkeeper::Doorkeeper;
pub use connection::listening::Listening;
pub use connection::readiness::Readiness;
pub use connection::tls::Tls;
pub use connection::traffic::{Grace, Port, Traffic};
pub use inspector::{
    InspectorParts, InspectorState, ReloadDesk, ReloadOutcome, ReloadRequests, serve as serve_inspector,
};
pub use receiver::body::{BodyBudget, BodyLimits};
pub use receiver::handler::LARGE_AT_ONCE;
pub use receiver::limits::AddressRate;
pub use receiver::link_opener::LinkOpener;
pub use receiver::listener::{NOISY_LIBRARY, serve as serve_receiver};
pub use receiver::reach::Reach;
pub use receiver::state::{ReceiverState, Rules};

#[cfg(test)]
pub use inspector::api_view;
