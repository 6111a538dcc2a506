//! A delivery that a person sends again.

use bytes::Bytes;

use super::{DeliveryId, MessageId, ReplayId};

/// What becomes of a signature when a delivery is sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplaySignature {
    /// Made anew, with the source's first secret and, where the scheme has one, the time of now.
    Fresh,
    /// As it came.
    Original,
    /// Left out.
    None,
}

impl ReplaySignature {
    /// Every choice.
    pub const ALL: [Self; 3] = [Self::Fresh, Self::Original, Self::None];

    /// Its word in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fresh => "fresh",
            Self::Original => "original",
            Self::None => "none",
        }
    }

    /// The choice of that word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|choice| choice.as_str() == word)
    }
}

/// A replay and what came of it.
#[derive(Clone, Debug)]
pub struct Replay {
    /// Its id: a UUID version 7, so it tells its time.
    pub id: ReplayId,
    /// The delivery that was sent again.
    pub original: DeliveryId,
    /// `receiver`, a URL, or the id of a subscription.
    pub target: String,
    /// What became of the signature.
    pub signature: ReplaySignature,
    /// Whether something was changed.
    pub is_edited: bool,
    /// The run of many that it belongs to.
    pub run: Option<ReplayId>,
    /// What was answered.
    pub status: Option<u16>,
    /// What became of it at our own receiver.
    pub delivery: Option<DeliveryId>,
    /// The message that it became.
    pub message: Option<MessageId>,
    /// Why there was no answer.
    pub error: Option<String>,
    /// The first 16 KiB of the answer's body.
    pub answer: Bytes,
}

/// The replays that a delivery has to do with.
#[derive(Clone, Debug, Default)]
pub struct ReplaysAbout {
    /// Those that it was sent again by, newest first.
    pub replays: Vec<Replay>,
    /// The one that it came by.
    pub came_by: Option<Replay>,
}
