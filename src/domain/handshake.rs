//! What a platform asks before it sends, to see whether a URL is ours.

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

            /// The name in the configuration.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// What the platform is called.
            #[must_use]
            pub const fn sender(self) -> &'static str {
                match self { $(Self::$name => $sender,)* }
            }

            /// The signature schemes that its source may have. The first is its own: the default of such a source, unless
            /// it is `none`, which must be written out.
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
    /// Whose handshake.
    pub kind: Handshake,
    /// The token that Meta must present.
    pub token: Option<Secret>,
    /// Whether a confirmation link is opened without a person.
    pub opens_links: bool,
    /// The secret that Asana hands over.
    pub handed: HandedSecret,
}

/// A secret that a sender hands over, once: the first stays until its file is removed.
#[derive(Clone, Debug, Default)]
pub struct HandedSecret {
    secret: Arc<OnceLock<Secret>>,
    /// Where it is kept.
    pub file: PathBuf,
}

impl HandedSecret {
    /// One that is kept in `file`, and is known already where it was handed over before.
    #[must_use]
    pub fn new(file: PathBuf, known: Option<Secret>) -> Self {
        let secret = known.map_or_else(OnceLock::new, OnceLock::from);
        Self { secret: Arc::new(secret), file }
    }

    /// The secret, where it was handed over.
    #[must_use]
    pub fn get(&self) -> Option<&Secret> {
        self.secret.get()
    }

    /// Takes it; `false` where there is one.
    pub fn take(&self, secret: Secret) -> bool {
        self.secret.set(secret).is_ok()
    }
}
