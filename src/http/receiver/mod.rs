//! The receiver's port, which senders reach: from a connection to a judged and stored delivery, and its response.

pub mod body;
mod client_ip;
pub mod handler;
mod handshake;
mod keep;
pub mod limits;
pub mod link_opener;
pub mod listener;
mod missing_handshake;
pub mod no_delivery;
pub mod reach;
pub mod replayed;
mod respond;
mod sender_marks;
pub mod state;
mod test_route;
mod to_the_end;
