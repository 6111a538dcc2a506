//! Requests as types. One struct is read from a query, from a JSON body, or from a form; each field that cannot be read is a
//! fault with its place.

mod extract;
mod fault;
mod fields;
mod list;
mod value;
mod vocabulary;
mod words;

pub use extract::{Json, Query, Raw};
pub use fields::{Blank, Fields, Members, Readable};
pub use list::{DeliveryParams, Page, cut};
pub use value::AsWritten;
pub use vocabulary::{
    Caret, Cursor, CursorParam, DeviceOrderParam, DeviceStateParam, Limit, Limit100, Limit100k, Limit200,
    MessageStatusParam, Offset, Parallel, ReplayIdParam, ScopeParam, SearchParam, Searched, SignatureParam,
};
pub use words::{As, Range, Word, number_or_text, one_of, time};
