//! What the dispatcher is told of requests.

use super::lane::Ended;

/// What the dispatcher is told of requests.
pub enum DispatcherEvent {
    /// One ended: there is a place for another.
    Ended(Ended),
    /// What one through this subscription led to is on disk.
    Written(String),
}
