//! Sends: from accepted deliveries and published events to messages, and from messages to their endpoints.

mod client;
mod compiled;
mod dispatcher;
mod example;
mod fanout;
mod filter;
mod health;
mod notices;
mod outcome;
mod publish;
mod request;
mod retry_after;
mod running;
mod sample;
mod scope;
mod sender;
mod settler;
mod subscriptions;
mod target_guard;
mod template;
mod throttle;
mod worker;

pub use client::{Answer, Client, SendError};
pub use compiled::{Compiled, SubscriptionFault};
pub use example::signed_request;
pub use fanout::Destiny;
pub use filter::ConditionOutcome;
pub use publish::{PublishFault, PublishedEvent};
pub use running::RunningSender;
pub use sample::{SignedSample, fresh_id, shell_quote, signed_curl, source_url};
pub use sender::{ReadPayload, ReadPublished, Sender, SenderParts};
pub use subscriptions::Active;
pub use target_guard::TargetGuard;
pub use template::Fault;
