//! Values and rules used everywhere: no I/O, no async, no clock reads, no SQL, no web server.

mod api_token;
mod attempt;
mod check;
mod clock;
mod delivery;
mod entity;
mod entry;
mod event;
mod event_place;
mod filter;
mod grouped;
mod handshake;
mod header_names;
mod headers;
mod headline;
mod hmac_form;
mod ids;
pub mod json;
mod listen_address;
mod marks;
mod mask_key;
mod message;
mod os_error;
mod percent;
mod platform;
mod printable;
mod query;
mod replay;
mod replay_run;
mod retry;
mod secret;
mod selector;
mod silence;
mod source;
mod subscription;
mod suggestion;
mod target;
mod transfer;
mod verdict;

pub use api_token::{ApiToken, PREFIX as TOKEN_PREFIX, Scope, TokenDigest};
pub use attempt::{Attempt, AttemptError};
pub use check::{Check, Fault, Gate, Outcome};
#[cfg(test)]
pub use clock::ManualClock;
pub use clock::{Clock, Now, Timestamp};
pub use delivery::{Arrival, BodyEnd, ClientAddress, Connection, Delivery, DeliveryRow, StoredDelivery};
pub use entity::{Device, DeviceState, Entity, Seen, is_of_the_future, is_worldwide};
pub use entry::{Appended, Decision, Entry, Imported};
pub use event::{Claim, ClaimKey, EventFacts};
pub use event_place::{EVENT_PLACES, EventPlace, IdScope};
pub use filter::DeliveryFilter;
pub use grouped::{counted, grouped};
pub use handshake::{HandedSecret, Handshake, HandshakeRule};
pub use header_names::SIGNATURE_HEADERS;
pub use header_names::{is_secret_parameter, names_credential_header};
pub use headers::{Header, Headers};
pub use headline::{Cause, Unverified};
pub use hmac_form::{DigestEncoding, HmacAlgorithm, HmacForm, SignedPart, TimePlace};
pub use ids::{DeliveryId, MessageId, ReplayId};
pub use json::{JsonKind, JsonKinds};
pub use listen_address::ListenAddress;
pub use marks::{Marks, MarksChange};
pub use mask_key::MaskKey;
pub use message::{ClaimedMessage, DeadLetter, MessageFilter, MessageRow, MessageStatus, OutgoingEvent};
pub use os_error::without_os_numbers;
pub use percent::percent;
pub use platform::Platform;
pub use printable::{HexLine, HexPage, Piece, TextPage, pieces, plain, shown_size};
pub use query::{Condition, Moment, Pattern, Query};
pub use replay::{Replay, ReplaySignature, ReplaysAbout};
pub use replay_run::{ReplayRun, RunState, RunStep};
pub use retry::{Backoff, RetryPolicy};
pub use secret::Secret;
pub use selector::Selector;
pub use silence::SilenceAfter;
pub use source::{
    Allowlist, Credential, DEFAULT_ID_POINTER, SchemaMode, Scheme, SignatureRule, Source, UnknownEvents,
};
pub use subscription::{
    Batch, HeaderValue, MissingValue, RateLimit, SigningRule, Subscription, SubscriptionHeader,
    SubscriptionOrigin,
};
pub use suggestion::{distance, nearest, suggestion};
pub use target::Target;
pub use transfer::Transfer;
pub use verdict::{Reason, Verdict};
