//! The only floor that knows the web server: the receiver's routes, the inspector's pages, the API.

mod body;
mod client_ip;
mod limits;
mod listener;
mod receiver;
mod respond;
mod test_route;
mod wire_head;

pub use body::{BodyBudget, BodyLimits};
pub use limits::AddressRate;
pub use listener::serve as serve_receiver;
pub use receiver::{ReceiverState, Rules};
