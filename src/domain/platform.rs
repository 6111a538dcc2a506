//! Platforms with their own signature scheme.

/// A platform with its own signature scheme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Platform {
    /// `X-Slack-Signature`.
    Slack,
    /// `x-zm-signature`.
    Zoom,
    /// `Twitch-Eventsub-Message-Signature`.
    Twitch,
    /// `X-Hook-Signature`.
    Asana,
    /// `x-xero-signature`.
    Xero,
    /// `X-Dropbox-Signature`.
    Dropbox,
    /// `x-twitter-webhooks-signature`.
    X,
}

impl Platform {
    /// Its name in the configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Slack => "slack",
            Self::Zoom => "zoom",
            Self::Twitch => "twitch",
            Self::Asana => "asana",
            Self::Xero => "xero",
            Self::Dropbox => "dropbox",
            Self::X => "x",
        }
    }
}
