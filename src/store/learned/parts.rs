//! The parts of an entity list, in both engines: which entities belong to each, and by which column they are ordered.

use crate::domain::DeviceState;
use crate::store::numbers::{CLOCK_AHEAD, CLOCK_RIGHT, LATE};
use crate::store::{EntityOrder, EntityQuery};

/// A part of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// All entities.
    All,
    /// Those in one state.
    In(DeviceState),
    /// Those in no trouble.
    Rest,
}

impl Part {
    /// The column by which it is ordered.
    pub const fn key(self) -> &'static str {
        match self {
            Self::In(DeviceState::Quiet) => "quiet_at",
            Self::All | Self::In(_) | Self::Rest => "last_seen",
        }
    }

    /// Whether its condition depends on the time.
    pub const fn is_timed(self) -> bool {
        matches!(self, Self::Rest | Self::In(DeviceState::Quiet | DeviceState::Regular))
    }

    /// The SQL condition on its rows; `now` is the SQL for the time.
    pub fn condition(self, now: &str) -> String {
        match self {
            Self::All => "TRUE".to_owned(),
            Self::Rest => format!(
                "silent_at IS NULL AND trouble = {CLOCK_RIGHT} AND (quiet_at IS NULL OR quiet_at >= {now})"
            ),
            Self::In(DeviceState::Silent) => "silent_at IS NOT NULL".to_owned(),
            Self::In(DeviceState::ClockAhead) => {
                format!("trouble > 0 AND trouble = {CLOCK_AHEAD} AND silent_at IS NULL")
            }
            Self::In(DeviceState::Late) => {
                format!("trouble > 0 AND trouble = {LATE} AND silent_at IS NULL")
            }
            Self::In(DeviceState::Quiet) => format!(
                "quiet_at IS NOT NULL AND silent_at IS NULL AND trouble = {CLOCK_RIGHT} AND quiet_at < {now}"
            ),
            Self::In(DeviceState::Regular) => {
                format!("silent_at IS NULL AND trouble = {CLOCK_RIGHT} AND quiet_at >= {now}")
            }
            Self::In(DeviceState::New) => {
                format!("silent_at IS NULL AND trouble = {CLOCK_RIGHT} AND quiet_at IS NULL")
            }
        }
    }
}

/// The parts of a list, in their order.
pub fn parts(query: &EntityQuery) -> Vec<Part> {
    match (query.state, query.order) {
        (Some(state), _) => vec![Part::In(state)],
        (None, EntityOrder::Recent | EntityOrder::Silence) => vec![Part::All],
        (None, EntityOrder::Trouble) => vec![
            Part::In(DeviceState::Silent),
            Part::In(DeviceState::ClockAhead),
            Part::In(DeviceState::Late),
            Part::In(DeviceState::Quiet),
            Part::Rest,
        ],
    }
}

/// The SQL for beyond a place in a list, and for its direction.
pub const fn direction(order: EntityOrder) -> (&'static str, &'static str) {
    match order {
        EntityOrder::Recent | EntityOrder::Trouble => ("<", "DESC"),
        EntityOrder::Silence => (">", "ASC"),
    }
}
