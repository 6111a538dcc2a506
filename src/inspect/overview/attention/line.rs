//! One thing to look at, and what it is about.

use crate::domain::Timestamp;

/// What something to look at is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// A fault in the program.
    Program,
    /// A configuration that was not reloaded.
    Configuration,
    /// Room on the disk.
    Storage,
    /// Requests that became no delivery.
    Request,
    /// A source.
    Source,
    /// A device that is silent.
    Silence,
    /// A device's clock.
    Clock,
    /// A device whose events arrive late.
    Lateness,
    /// A subscription that is not in force.
    Parked,
    /// An endpoint.
    Endpoint,
    /// Dead letters.
    DeadLetters,
}

impl Topic {
    /// Its word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Program => "program",
            Self::Configuration => "configuration",
            Self::Storage => "storage",
            Self::Request => "request",
            Self::Source => "source",
            Self::Silence => "silence",
            Self::Clock => "clock",
            Self::Lateness => "lateness",
            Self::Parked => "parked",
            Self::Endpoint => "endpoint",
            Self::DeadLetters => "dead_letters",
        }
    }

    /// Whether data is lost, or will be, while nobody acts.
    #[must_use]
    pub const fn is_grave(self) -> bool {
        !matches!(self, Self::Clock | Self::Lateness | Self::Storage)
    }

    /// What to do about it.
    #[must_use]
    pub const fn action(self) -> &'static str {
        match self {
            Self::Program | Self::Storage => "Open metrics",
            Self::Configuration => "Show the errors",
            Self::Request => "Show requests",
            Self::Source => "Show deliveries",
            Self::Silence | Self::Clock | Self::Lateness => "Show devices",
            Self::Parked => "Open subscriptions",
            Self::Endpoint => "Open health",
            Self::DeadLetters => "Retry or discard",
        }
    }
}

/// Something to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attention {
    /// What it is about.
    pub topic: Topic,
    /// What it is, and how bad, in a sentence or two.
    pub sentence: String,
    /// Since when, where that is known.
    pub since: Option<Timestamp>,
    /// The page on which something can be done about it.
    pub url: String,
}

impl Attention {
    /// Something to look at.
    #[must_use]
    pub fn new(topic: Topic, sentence: String, since: Option<Timestamp>, url: &str) -> Self {
        Self { topic, sentence, since, url: url.to_owned() }
    }
}
