//! Reads a payload from wire bytes to JSON, in the same way for all callers.

mod cloud_batch;
mod cloud_event;
mod encoding;
mod id;
mod name;
mod points;
mod published;
mod read;
mod sources;
mod strict;

pub use cloud_batch::{Batch, EVENT_TYPE as BATCH_EVENT};
pub use cloud_event::{
    CloudMode, attribute as cloud_attribute, member as cloud_member, whole_id as cloud_id,
};
pub use encoding::{EncodingFault, decode};
pub use id::{EventId, fitting, read_id, scoped};
pub use name::{Named, Sent, event_name, readable_name};
pub use points::{EVENT_TYPE as POINTS_EVENT, Points};
pub use published::{Published, read_published};
pub use read::{Payload, PayloadFault, read};
pub use sources::{EventText, Sources};
pub use strict::{parse, raw_at};
