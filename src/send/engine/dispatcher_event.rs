//! Notifications to the dispatcher about requests.

use super::lane::Ended;

/// A notification to the dispatcher about a request.
pub enum DispatcherEvent {
    /// A request ended, so there is a free place.
    Ended(Ended),
    /// The outcome of a request through this subscription is on disk.
    Written(String),
}
