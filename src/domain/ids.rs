//! Identifiers that we assign.

use std::fmt;
use std::str::FromStr;

use uuid::{Builder, Uuid, Version};

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
    /// The id here of a delivery with this id in another instance: the same but for the version, which is then 8 (RFC 9562).
    #[must_use]
    pub const fn imported(self) -> Self {
        Self(Builder::from_custom_bytes(*self.as_bytes()).into_uuid())
    }

    /// The id of an imported delivery without one: of the same time and contents, the same each time.
    #[must_use]
    pub fn of_contents(received_at: Timestamp, digest: [u8; 32]) -> Self {
        let [_, _, time @ ..] = received_at.as_micros().div_euclid(1_000).max(0).to_be_bytes();
        let mut bytes = [0; 16];
        bytes.iter_mut().zip(time.into_iter().chain(digest)).for_each(|(byte, value)| *byte = value);
        Self(Builder::from_custom_bytes(bytes).into_uuid())
    }

    /// Whether the delivery was imported: another instance received it.
    #[must_use]
    pub fn is_imported(&self) -> bool {
        self.0.get_version() == Some(Version::Custom)
    }

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

/// The milliseconds that ids of the versions 7 and 8 begin with.
fn made_at(id: Uuid) -> Timestamp {
    let [a, b, c, d, e, f, ..] = id.into_bytes();
    let millis = i64::from_be_bytes([0, 0, a, b, c, d, e, f]);
    Timestamp::from_micros(millis.saturating_mul(1_000))
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
    fn an_imported_delivery_has_an_id_of_its_own_that_tells_the_time() {
        let at = Timestamp::parse_rfc3339("2026-03-09T07:14:58.402Z").unwrap();
        let original = DeliveryId::new_at(at);
        let imported = original.imported();
        assert_eq!((original.is_imported(), imported.is_imported()), (false, true));
        assert_eq!((original.made_at(), imported.made_at(), imported.imported()), (at, at, imported));
        assert_eq!(original.to_string().replacen("-7", "-8", 1), imported.to_string());
        let made = [[1; 32], [2; 32]].map(|digest| DeliveryId::of_contents(at, digest));
        assert!(made.iter().all(|id| id.is_imported() && id.made_at() == at) && made[0] != made[1]);
    }

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
