//! What the program reports about itself: one log line per delivery, counters, and the system's clock and limits.

mod delivery_line;
mod exposition;
mod logging;
mod metrics;
mod open_files;
#[cfg(feature = "otlp")]
mod otlp;
mod process;
mod refusals;
mod sender_metrics;
mod store_metrics;
mod system_clock;
mod tally;
pub mod traces;
mod workers;

pub use delivery_line::DeliveryLine;
pub use exposition::Exposition;
pub use logging::{LogFormat, Logging, start_logging};
pub use metrics::{DeviceGauges, Gauges, Metrics};
pub use open_files::allow_many_files;
pub use refusals::{NotKept, PortName, Refused, RefusedKind};
pub use sender_metrics::{EndpointGauges, ParkedGauges};
pub use store_metrics::StoreMetrics;
pub use system_clock::SystemClock;
pub use tally::{Counted, Tally};
pub use workers::{Panicked, Worker, Workers};

#[cfg(test)]
pub use metrics::sample::{full_exposition, registered_helps};
