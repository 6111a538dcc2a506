//! The question that a platform asks before it sends, to verify that we own a URL.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use super::{Platform, Scheme, Secret};

macro_rules! handshakes {
    ($($name:ident => $word:literal, $sender:literal, [$($scheme:expr),+];)*) => {
        /// The handshake of a platform.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Handshake {
            $(#[doc = concat!("That of ", $sender, ".")] $name,)*
        }

        impl Handshake {
            /// Every handshake, in the order of the documentation.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Its name in the configuration.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// The name of the platform.
            #[must_use]
            pub const fn sender(self) -> &'static str {
                match self { $(Self::$name => $sender,)* }
            }

            /// The signature schemes that its source may use. The first one is the platform's own and the default,
            /// unless it is `none`, which must be configured explicitly.
            #[must_use]
            pub const fn schemes(self) -> &'static [Scheme] {
                match self { $(Self::$name => &[$($scheme),+],)* }
            }
        }
    };
}

handshakes! {
    AwsIot => "aws-iot", "AWS IoT", [Scheme::None];
    AwsSns => "aws-sns", "AWS SNS", [Scheme::None];
    EventGrid => "event-grid", "Azure Event Grid", [Scheme::None];
    MicrosoftGraph => "microsoft-graph", "Microsoft Graph", [Scheme::None];
    Slack => "slack", "Slack", [Scheme::Platform(Platform::Slack), Scheme::None];
    Zoom => "zoom", "Zoom", [Scheme::Platform(Platform::Zoom)];
    Meta => "meta", "Meta", [Scheme::Github, Scheme::None];
    Dropbox => "dropbox", "Dropbox", [Scheme::Platform(Platform::Dropbox), Scheme::None];
    Twitch => "twitch", "Twitch", [Scheme::Platform(Platform::Twitch)];
    Okta => "okta", "Okta", [Scheme::None];
    X => "x", "X", [Scheme::Platform(Platform::X)];
    Asana => "asana", "Asana", [Scheme::Platform(Platform::Asana)];
    Xero => "xero", "Xero", [Scheme::Platform(Platform::Xero)];
}

/// How a source answers the handshake of its platform.
#[derive(Clone, Debug)]
pub struct HandshakeRule {
    /// The kind of handshake.
    pub kind: Handshake,
    /// The verify token that Meta must present.
    pub token: Option<Secret>,
    /// Whether confirmation links are opened automatically.
    pub opens_links: bool,
    /// The secret that Asana hands over.
    pub handed: HandedSecret,
}

/// A secret that a sender hands over once: the first one stays until its file is removed.
#[derive(Clone, Debug, Default)]
pub struct HandedSecret {
    secret: Arc<OnceLock<Secret>>,
    /// The file that stores it.
    pub file: PathBuf,
}

impl HandedSecret {
    /// A secret stored in `file`; `known` is the one that was handed over before.
    #[must_use]
    pub fn new(file: PathBuf, known: Option<Secret>) -> Self {
        let secret = known.map_or_else(OnceLock::new, OnceLock::from);
        Self { secret: Arc::new(secret), file }
    }

    /// The secret, if it was handed over.
    #[must_use]
    pub fn get(&self) -> Option<&Secret> {
        self.secret.get()
    }

    /// Sets the secret; `false` if there already is one.
    pub fn take(&self, secret: Secret) -> bool {
        self.secret.set(secret).is_ok()
    }
}
