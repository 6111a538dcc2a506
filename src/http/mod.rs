//! The only floor that knows the web server: the receiver's routes, the inspector's pages, the API.

mod admin_auth;
mod api;
mod body;
mod caller;
mod client_ip;
mod doorkeeper;
mod handshake;
mod inspector;
mod limits;
mod link_opener;
mod listener;
mod missing_handshake;
mod name_watch;
mod no_delivery;
mod problem;
mod receiver;
mod receiver_state;
mod recorded_stream;
mod refused_head;
mod respond;
mod route;
mod sender_marks;
mod test_route;
mod traffic;
mod unread;
mod wire_head;

pub use body::{BodyBudget, BodyLimits};
pub use doorkeeper::Doorkeeper;
pub use inspector::{InspectorParts, InspectorState, serve as serve_inspector};
pub use limits::AddressRate;
pub use link_opener::LinkOpener;
pub use listener::{NOISY_LIBRARY, serve as serve_receiver};
pub use receiver::LARGE_AT_ONCE;
pub use receiver_state::{Readiness, ReceiverState, Rules};
pub use traffic::{Port, Traffic};
