//! Why does a signature not match? Tries common mistakes, one or two at a time, and names the one that matches.
//!
//! It runs only for the operator, on demand, since a finding helps its reader to sign. A finding never contains a
//! secret or a digest. The mistakes are listed in tables: `json` (serialisers), `frames`, `keys`, `forms` of the body,
//! and the header formats in `reading`.

mod autopsy;
mod charset;
mod clock;
mod difference;
mod digest;
mod forms;
mod frames;
mod json;
mod keys;
mod presented;
mod reading;
mod relay;
mod right;
mod search;
mod suspect;

pub use autopsy::{Autopsy, diagnose};
pub use clock::clock;
pub use difference::Difference;
pub use digest::mask_digest;
pub use suspect::{Known, Suspect};
