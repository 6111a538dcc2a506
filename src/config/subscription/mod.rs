//! A subscription's JSON: TagoRUN's webhook configuration in both of its forms, and ours.

mod endpoint;
mod fault;
mod mask;
mod pace;
mod reader;
mod secrets;
mod write;

pub use fault::JsonFault;
pub use mask::{mask_header, secret_end, template_of};
pub use reader::{Read, Reader};
pub use secrets::{SecretOrigin, SecretReader};
pub use write::{merged, shown_json, stored_json};

#[cfg(test)]
mod tests;
