//! Devices that are not as usual.

use std::time::Duration;

use super::line::{Attention, Topic};
use super::words::list_of;
use crate::domain::{Device, DeviceState, Timestamp, plain};
use crate::inspect::duration::span;
use crate::inspect::entities::entity_url;
use crate::store::{EntityOrder, EntityQuery, Store, StoreError};

/// Devices of each kind of trouble.
#[derive(Clone, Debug, Default)]
pub struct TroubledDevices {
    /// Those that stopped reporting.
    pub silent: Vec<Device>,
    /// Those whose clock is ahead.
    pub ahead: Vec<Device>,
    /// Those whose events arrive late.
    pub late: Vec<Device>,
}

/// Devices that are looked at of each kind.
const MOST: usize = 100;
/// A device without its own rule counts as silent once it is overdue for this long.
const OVERDUE: Duration = Duration::from_secs(3_600);
/// A device that was last seen before is forgotten.
const FORGOTTEN: Duration = Duration::from_secs(30 * 86_400);

impl TroubledDevices {
    /// The current ones.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn of(store: &Store, now: Timestamp) -> Result<Self, StoreError> {
        let find = async |state: DeviceState, now: Timestamp| {
            let (order, is_joined) = (EntityOrder::Trouble, true);
            let query = EntityQuery { state: Some(state), order, is_joined, now, ..EntityQuery::default() };
            let mut found = store.entities(query, MOST).await?.devices;
            found.retain(|device| device.last_seen().plus(FORGOTTEN) > now);
            Ok::<_, StoreError>(found)
        };
        let mut silent = find(DeviceState::Silent, now).await?;
        silent.extend(find(DeviceState::Quiet, now.minus(OVERDUE)).await?);
        let (ahead, late) = (find(DeviceState::ClockAhead, now).await?, find(DeviceState::Late, now).await?);
        Ok(Self { silent, ahead, late })
    }
}

/// A line for each kind of trouble.
pub fn devices(devices: &TroubledDevices, now: Timestamp) -> Vec<Attention> {
    let silent = |device: &Device| span(now.abs_diff(device.last_seen()));
    let ahead = |device: &Device| span(device.clock_ahead().unwrap_or_default());
    let late =
        |device: &Device| format!("{} of the last {} events", device.late_lately().0, device.late_lately().1);
    let usual = devices.silent.first().and_then(Device::usual);
    let usual = usual.map(|usual| format!("; it usually reports every {}", span(usual))).unwrap_or_default();
    let since = devices.silent.iter().map(Device::last_seen).min();
    let silences = told(&devices.silent, Topic::Silence, silent, |names, count, how| match count {
        1 => format!("{names} has been silent for {how}{usual}."),
        _ => format!("{count} devices are silent: {names}."),
    });
    let clocks = told(&devices.ahead, Topic::Clock, ahead, |names, count, how| match count {
        1 => format!("The clock of {names} is {how} ahead."),
        _ => format!("{count} devices have clocks that are ahead: {names}."),
    });
    let lateness = told(&devices.late, Topic::Lateness, late, |names, count, how| match count {
        1 => format!("Events of {names} arrive late: {how}."),
        _ => format!("Events of {count} devices arrive late: {names}."),
    });
    let silences = silences.map(|one| Attention { since, ..one });
    [silences, clocks, lateness].into_iter().flatten().collect()
}

/// The line of some devices. A single one leads to its page.
fn told(
    devices: &[Device],
    topic: Topic,
    how: impl Fn(&Device) -> String,
    sentence: impl Fn(&str, usize, &str) -> String,
) -> Option<Attention> {
    let first = devices.first()?;
    let name = |device: &Device| plain(&device.shown_name());
    let (names, url) = match devices {
        [one] => (name(one), entity_url(&one.key.source, &one.key.entity)),
        many => {
            let names: Vec<String> =
                many.iter().map(|device| format!("{} ({})", name(device), how(device))).collect();
            // Those that are silent have two states: with a rule, and without.
            let url = match topic {
                Topic::Clock => "/entities?state=clock_ahead",
                Topic::Lateness => "/entities?state=late",
                _ => "/entities",
            };
            (list_of(&names), url.to_owned())
        }
    };
    Some(Attention::new(topic, sentence(&names, devices.len(), &how(first)), None, &url))
}
