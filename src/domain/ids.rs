//! Identifiers that we assign.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

use super::Timestamp;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// A new id for something that happens at `now`; times before 1970 count as 1970.
            #[must_use]
            pub fn new_at(now: Timestamp) -> Self {
                Self(fresh(now))
            }

            /// The sixteen bytes of the id, in network order.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }

            /// The id with these sixteen bytes.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.as_hyphenated().fmt(out)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::try_parse(text).map(Self)
            }
        }
    )*};
}

ids! {
    /// The id of a delivery: a UUID version 7 (RFC 9562). It uses the clock that never jumps, so ids sort by arrival.
    DeliveryId;
    /// The id of a message, the same for all its attempts: a UUID version 7.
    MessageId;
    /// The id of a replay, or of a replay run: a UUID version 7.
    ReplayId;
}

impl DeliveryId {
    /// When it was created, to the millisecond.
    #[must_use]
    pub fn made_at(&self) -> Timestamp {
        made_at(self.0)
    }
}

impl ReplayId {
    /// When it was created, to the millisecond.
    #[must_use]
    pub fn made_at(&self) -> Timestamp {
        made_at(self.0)
    }
}

/// The prefix of a message's mark.
const MARK: &str = "tagohook-message-";
/// The length of an id, with its hyphens.
const ID_LENGTH: usize = 36;

impl MessageId {
    /// The text that identifies a message when it returns to us: `tagohook-message-ID`.
    #[must_use]
    pub fn mark(&self) -> String {
        format!("{MARK}{self}")
    }

    /// The messages whose marks occur in `bytes`, at most `most`.
    #[must_use]
    pub fn marked_in(bytes: &[u8], most: usize) -> Vec<Self> {
        let mut found: Vec<Self> = Vec::new();
        for at in memchr::memmem::find_iter(bytes, MARK) {
            let start = at.saturating_add(MARK.len());
            let text = bytes.get(start..start.saturating_add(ID_LENGTH));
            let id = text.and_then(|text| std::str::from_utf8(text).ok()?.parse().ok());
            found.extend(id.filter(|id| !found.contains(id)));
            if found.len() >= most {
                break;
            }
        }
        found
    }
}

fn made_at(id: Uuid) -> Timestamp {
    let (secs, nanos) = id.get_timestamp().map_or((0, 0), |time| time.to_unix());
    let micros = i64::from(nanos / 1_000);
    Timestamp::from_micros(i64::try_from(secs).unwrap_or(0).saturating_mul(1_000_000).saturating_add(micros))
}

fn fresh(now: Timestamp) -> Uuid {
    let secs = u64::try_from(now.as_secs()).unwrap_or(0);
    let micros = u32::try_from(now.as_micros().rem_euclid(1_000_000)).unwrap_or(0);
    Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, secs, micros.saturating_mul(1_000)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_known_by_its_mark_wherever_it_is() {
        let [one, two] = [0, 1].map(|secs| MessageId::new_at(Timestamp::from_secs(secs)));
        let text = format!(r#"[{{"a":"{}"}},{{"b":"x{}{}"}}]"#, one.mark(), two.mark(), one.mark());
        assert_eq!(MessageId::marked_in(text.as_bytes(), 9), [one, two]);
        assert_eq!(MessageId::marked_in(text.as_bytes(), 1), [one]);
        for none in [
            "",
            "tagohook-message-",
            "tagohook-message-00000000-0000-0000-0000-00000000000x",
            &one.to_string(),
        ] {
            assert_eq!(MessageId::marked_in(none.as_bytes(), 9), [], "{none}");
        }
    }
}
