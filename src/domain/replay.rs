//! A delivery that is sent again by a user.

use bytes::Bytes;

use super::{DeliveryId, MessageId, ReplayId};

/// The treatment of the signature in a replay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplaySignature {
    /// Created again, with the source's first secret and, for schemes with a timestamp, the current time.
    Fresh,
    /// Unchanged.
    Original,
    /// Left out.
    None,
}

impl ReplaySignature {
    /// Every choice.
    pub const ALL: [Self; 3] = [Self::Fresh, Self::Original, Self::None];

    /// Its name in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fresh => "fresh",
            Self::Original => "original",
            Self::None => "none",
        }
    }

    /// The choice with that API name.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|choice| choice.as_str() == word)
    }
}

/// A replay and its result.
#[derive(Clone, Debug)]
pub struct Replay {
    /// Its id: a UUID version 7, which contains its time.
    pub id: ReplayId,
    /// The replayed delivery.
    pub original: DeliveryId,
    /// `receiver`, a URL, or the id of a subscription.
    pub target: String,
    /// The treatment of the signature.
    pub signature: ReplaySignature,
    /// Whether the request was edited.
    pub is_edited: bool,
    /// The replay run it belongs to.
    pub run: Option<ReplayId>,
    /// The response status.
    pub status: Option<u16>,
    /// The resulting delivery at our own receiver.
    pub delivery: Option<DeliveryId>,
    /// The resulting message.
    pub message: Option<MessageId>,
    /// Why there was no response.
    pub error: Option<String>,
    /// The first 16 KiB of the response body.
    pub answer: Bytes,
}

/// The replays of a delivery.
#[derive(Clone, Debug, Default)]
pub struct ReplaysAbout {
    /// The replays that sent it, newest first.
    pub replays: Vec<Replay>,
    /// The replay that it came from.
    pub came_by: Option<Replay>,
}
