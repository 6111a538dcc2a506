//! What came in over time, and what needs somebody's attention first.

mod attention;
mod counting;
mod sum;

pub use attention::{Attention, Beside, TroubledDevices, Unwell, attention};
pub use counting::{Counting, keep_counts};
pub use sum::{Overview, Range, Slot, SourceSum, refused};
