//! The rules of the receiver, as the configuration has them.

use std::sync::Arc;

use crate::catalog::Catalog;
use crate::config::Config;
use crate::http::{AddressRate, BodyLimits, Rules};
use crate::receive::{Masking, Receiver};

/// The rules of the receiver.
pub(super) fn make_rules(config: &Config, catalog: &Arc<Catalog>, masking: &Arc<Masking>) -> Rules {
    let receiver = &config.receiver;
    Rules {
        receiver: Arc::new(Receiver::new(
            config.sources.clone(),
            Arc::clone(catalog),
            Arc::clone(masking),
            receiver.max_body,
        )),
        trusted_proxies: receiver.trusted_proxies.clone(),
        body: BodyLimits { max_body: receiver.max_body, timeout: receiver.body_timeout },
        refused_rate: AddressRate::new(receiver.refused_rate),
        capture_rate: AddressRate::new(receiver.capture_rate),
    }
}
