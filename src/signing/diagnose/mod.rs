//! Why does a signature not match? Tries what usually goes wrong, one thing or two at a time, and names what fits.
//!
//! Only for the operator, and only when looked at: a finding helps whoever sees it to sign. It never holds a secret or a
//! digest.

mod autopsy;
mod claims;
mod contents;
mod json;
mod keys;

pub use autopsy::{Autopsy, Known, Suspect, diagnose};
