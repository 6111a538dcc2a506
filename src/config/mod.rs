//! The configuration: compiled-in defaults, then a file, then the environment, then flags; and the data directory.

mod changes;
mod data_dir;
mod environment;
mod fault;
mod forward_proxy;
mod layers;
mod node;
mod options;
mod postgres_url;
mod public_address;
mod public_url;
mod resolve;
mod seal;
mod secrets;
mod source_draft;
mod source_event;
mod sources;
mod subscription;
mod subscriptions;
mod tls_files;
mod tls_pin;
mod trusted_proxies;
mod types;
mod values;

#[cfg(test)]
pub use changes::is_reloaded;
pub use changes::{Change, Settings};
pub use data_dir::{
    Addresses, DataDir, DataDirError, addresses_file, keep_secret, kept_retention, read_addresses, store_key,
};
pub use environment::CREDENTIAL_VARIABLES;
#[cfg(test)]
pub use environment::{FLAG_VARIABLES, server_of_tests};
pub use fault::{ConfigFaults, Origin};
pub use forward_proxy::{ForwardProxy, ProxyUrl};
pub use layers::DEFAULT_TOML;
pub use node::{Instance, instance, name_of};
pub use options::Options;
pub use postgres_url::{PostgresUrl, Roots, TlsMode};
pub use public_address::{keep_public_address, read_public_address};
pub use public_url::PublicUrl;
pub use resolve::load;
pub use seal::{Sealer, fingerprint};
pub use secrets::SecretResolver;
pub use source_draft::{draft_source, toml_members};
pub use sources::hmac_form;
pub use subscription::{
    JsonFault, Read as ReadSubscription, Reader as SubscriptionReader, SecretOrigin, SecretReader,
    mask_header, merged, secret_end, shown_json, stored_json, template_of,
};
pub use subscriptions::fallback_notices;
pub use tls_files::{FileMark, TlsFiles};
pub use tls_pin::{TlsPin, TlsPins};
pub use trusted_proxies::{ClientIpHeader, TrustedProxies};
pub use types::{Config, PasswordHash, Rate, ReceiverConfig, StorePlace};
pub use values::{duration, rate};
