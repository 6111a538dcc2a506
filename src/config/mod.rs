//! The configuration: compiled-in defaults, then a file, then the environment, then flags; and the data directory.

mod data_dir;
mod fault;
mod layers;
mod resolve;
mod secrets;
mod sources;
mod types;
mod values;

pub use data_dir::{Addresses, DataDir, DataDirError, read_addresses, store_key};
pub use fault::{ConfigFaults, Origin, suggestion};
pub use layers::DEFAULT_TOML;
pub use resolve::{Options, load};
pub use types::{
    Config, InspectorConfig, LogConfig, PasswordHash, Rate, ReceiverConfig, SenderConfig, StoreConfig,
};
