//! Why does a signature not match? Tries what usually goes wrong, one thing or two at a time, and names what fits.
//!
//! Only for the operator, and only when looked at: a finding helps whoever sees it to sign. It never holds a secret or a
//! digest.

mod autopsy;
mod contents;
mod difference;
mod json;
mod keys;
mod presented;
mod suspect;

pub use autopsy::{Autopsy, diagnose};
pub use suspect::{Known, Suspect};
