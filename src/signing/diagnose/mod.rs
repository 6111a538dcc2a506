//! Why does a signature not match? Tries what usually goes wrong, one thing or two at a time, and names what fits.
//!
//! Only for the operator, and only when looked at: a finding helps whoever sees it to sign. It never holds a secret or a
//! digest. What is tried stands in tables: `json` (serialisers), `frames`, `keys`, `forms` of the body, and what `reading`
//! makes of a header.

mod autopsy;
mod charset;
mod clock;
mod difference;
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
pub use suspect::{Known, Suspect};
