//! Rates per client address: how many rejections are answered with their own reason and stored, and how many captures
//! are accepted.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicUsize, Ordering};

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use crate::config::Rate;

/// After this many calls, quiet addresses are removed. A flood from many addresses then costs little memory and little
/// time.
const FORGET_EVERY: usize = 16_384;

/// A rate per client address; IPv6 addresses count by their /64, which belongs to one customer.
pub struct AddressRate {
    limiter: DefaultKeyedRateLimiter<IpAddr>,
    retry_after_s: u64,
    asked: AtomicUsize,
}

impl AddressRate {
    /// Allows `rate.count` at once per address, and then as many as `rate` restores (GCRA).
    pub fn new(rate: Rate) -> Self {
        let period = rate.per / rate.count.get();
        let quota = Quota::with_period(period)
            .unwrap_or_else(|| Quota::per_second(NonZeroU32::MAX))
            .allow_burst(rate.count);
        Self {
            limiter: RateLimiter::keyed(quota),
            retry_after_s: period.as_secs().max(1),
            asked: AtomicUsize::new(0),
        }
    }

    /// Counts one for `address`; `false` if it is over the rate.
    pub fn allows(&self, address: IpAddr) -> bool {
        if self.asked.fetch_add(1, Ordering::Relaxed) % FORGET_EVERY == FORGET_EVERY - 1 {
            self.limiter.retain_recent();
            self.limiter.shrink_to_fit();
        }
        self.limiter.check_key(&network(address)).is_ok()
    }

    /// Whole seconds until there is room again.
    pub fn retry_after_s(&self) -> u64 {
        self.retry_after_s
    }
}

fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::from([a, b, c, d, 0, 0, 0, 0])
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn an_address_has_its_burst_and_no_more_and_others_have_their_own() {
        let rate = Rate { count: NonZeroU32::new(3).unwrap(), per: Duration::from_secs(3600) };
        let limit = AddressRate::new(rate);
        let address: IpAddr = "203.0.113.1".parse().unwrap();
        let allowed = (0..5).filter(|_| limit.allows(address)).count();
        assert_eq!(allowed, 3);
        assert!(limit.allows("203.0.113.2".parse().unwrap()));
    }

    #[test]
    fn one_ipv6_network_is_one_client() {
        let rate = Rate { count: NonZeroU32::new(1).unwrap(), per: Duration::from_secs(3600) };
        let limit = AddressRate::new(rate);
        assert!(limit.allows("2001:db8::1".parse().unwrap()));
        assert!(!limit.allows("2001:db8::2".parse().unwrap()));
        assert!(limit.allows("2001:db8:0:1::1".parse().unwrap()));
    }
}
