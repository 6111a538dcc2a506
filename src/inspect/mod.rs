//! The questions asked of history: what happened to a delivery and why, what comes next, what exactly was sent.

mod diagnosis;
mod live_tail;
mod signed_curl;
mod visible;

pub use diagnosis::diagnose;
pub use live_tail::{LiveTail, Resumption, first_since};
pub use signed_curl::{SignedSample, shell_quote};
pub use visible::{BodyView, HexLine, Piece, pieces, plain};
