//! What both listeners share: connections as they are, requests that no handler sees, and what is open on a port.

pub mod caller;
pub mod doorkeeper;
pub mod listening;
mod name_watch;
pub mod other_end;
pub mod proxy_protocol;
pub mod readiness;
pub mod recorded_stream;
mod refused_head;
pub mod route;
pub mod tls;
pub mod traffic;
pub mod transport;
pub mod unread;
pub mod wire;
pub mod wire_head;
