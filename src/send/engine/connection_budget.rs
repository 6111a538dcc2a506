//! The limit on concurrent requests of all subscriptions. Each request uses a connection, and the receiver needs some
//! too. Each also keeps a body in memory.

/// A lane gets this fraction of the remaining connections. Lanes therefore get narrower as connections run out, and
/// the last ones still get a place.
const PART: u32 = 8;
/// The upper limit of connections: each costs memory too.
const MOST_CONNECTIONS: u32 = 8_192;
/// At this many bytes of bodies in flight, lanes are as narrow as possible.
const SCARCE_BYTES: usize = 256 * 1024 * 1024;
/// The most bytes of bodies in flight, except for the last claim.
const MOST_BYTES: usize = 512 * 1024 * 1024;
/// The approximate size of the largest bodies.
const BODY_BYTES: usize = 4 * 1024 * 1024;

/// What all lanes share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionBudget {
    connections: u32,
}

impl ConnectionBudget {
    /// A budget of `connections`. Up to twice as many are used if every lane needs one.
    pub fn new(connections: u32) -> Self {
        Self { connections: connections.min(MOST_CONNECTIONS) }
    }

    /// The number of places a lane gets, at most `most`. `busy` requests with `bytes` of bodies are in flight in all
    /// lanes.
    pub fn places(self, most: u32, busy: u32, bytes: usize) -> u32 {
        if busy >= self.connections.saturating_mul(2) || bytes >= MOST_BYTES {
            return 0;
        }
        let by_connections = self.connections.saturating_sub(busy) / PART;
        let by_bytes = SCARCE_BYTES.saturating_sub(bytes) / BODY_BYTES;
        by_connections.min(u32::try_from(by_bytes).unwrap_or(u32::MAX)).clamp(1, most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_grow_narrow_when_connections_grow_few_and_the_last_ones_get_one_place() {
        let budget = ConnectionBudget::new(1_000);
        assert_eq!(budget.places(32, 0, 0), 32);
        assert_eq!(budget.places(32, 744, 0), 32);
        assert_eq!(budget.places(32, 760, 0), 30);
        assert_eq!(budget.places(32, 1_000, 0), 1);
        assert_eq!(budget.places(32, 1_999, 0), 1);
        assert_eq!(budget.places(32, 2_000, 0), 0);
        assert_eq!(budget.places(4, 0, 0), 4);
    }

    #[test]
    fn two_hundred_lanes_that_hang_leave_places_for_others() {
        let budget = ConnectionBudget::new(256);
        let busy = (0..200).fold(0, |busy, _| busy + budget.places(32, busy, 0));
        assert!(busy < 512, "{busy}");
        assert_eq!(budget.places(32, busy, 0), 1);
    }

    #[test]
    fn large_bodies_make_lanes_narrow_too() {
        let budget = ConnectionBudget::new(8_192);
        assert_eq!(budget.places(32, 60, 128 * 1024 * 1024), 32);
        assert_eq!(budget.places(32, 60, 250 * 1024 * 1024), 1);
        assert_eq!(budget.places(32, 60, 511 * 1024 * 1024), 1);
        assert_eq!(budget.places(32, 60, 512 * 1024 * 1024), 0);
    }
}
