//! The texts of a delivery in their columns, packed, and the SQL functions that pack and unpack them.

use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::{Type, Value, ValueRef};
use rusqlite::{Connection, Error, Result};

pub use super::packing::FORM;
use super::packing::{packed, unpacked};
use crate::domain::Entry;
use crate::store::log::encoding::{self, address_bytes};
use crate::store::log::prepared::Texts;

/// The texts of a delivery, packed.
pub struct Packed {
    /// The version of HTTP.
    pub http_version: Vec<u8>,
    /// The other end of the connection, as sixteen bytes; none if that is the client.
    pub peer_ip: Vec<u8>,
    /// How the client's address was found.
    pub explanation: Vec<u8>,
    /// The header block.
    pub headers: Vec<u8>,
    /// How the body ended.
    pub body_end: Vec<u8>,
    /// The checks.
    pub checks: Vec<u8>,
}

impl Texts for Packed {
    fn of(entry: &Entry, checks: String) -> Self {
        let Entry { delivery, facts, .. } = entry;
        let client = &delivery.client;
        let address = client.ip.to_string();
        // The columns that readers give to `plain_text`, in the same order.
        let words = [
            facts.event_id.as_deref(),
            facts.event_type.as_deref(),
            facts.event_name.as_deref(),
            Some(&address),
        ]
        .map(|word| word.unwrap_or_default().as_bytes());
        Self {
            http_version: packed(delivery.http_version.as_bytes(), &[]),
            peer_ip: if client.peer == client.ip { Vec::new() } else { address_bytes(client.peer).to_vec() },
            explanation: packed(client.explanation.as_bytes(), &[]),
            headers: packed(&encoding::header_block(&delivery.headers), &[]),
            body_end: packed(delivery.body_end.as_str().as_bytes(), &[]),
            checks: packed(checks.as_bytes(), &words),
        }
    }

    fn size(&self) -> usize {
        [&self.http_version, &self.peer_ip, &self.explanation, &self.headers, &self.body_end, &self.checks]
            .map(Vec::len)
            .into_iter()
            .fold(0, usize::saturating_add)
    }
}

/// Registers the functions on a connection. `words` are columns of the row: texts, and addresses as sixteen bytes.
/// - `plain_text(value, form, words...)` and `plain_bytes(value, form, words...)`: a value in that form, unpacked. Where
///   `form` is NULL, the value is returned as it is.
/// - `packed(value, words...)`: a text or bytes, packed.
pub fn add_functions(connection: &Connection) -> Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function("plain_text", -1, flags, |context| {
        plain(context, |text| String::from_utf8(text).ok().map(Value::Text))
    })?;
    connection.create_scalar_function("plain_bytes", -1, flags, |context| {
        plain(context, |bytes| Some(Value::Blob(bytes)))
    })?;
    connection.create_scalar_function("packed", -1, flags, |context| {
        Ok(bytes(context.get_raw(0)).map(|text| with_words(context, 1, |words| packed(text, words))))
    })
}

fn plain(context: &Context<'_>, of: impl FnOnce(Vec<u8>) -> Option<Value>) -> Result<Value> {
    let value = context.get_raw(0);
    match context.get_raw(1) {
        ValueRef::Null => Value::try_from(value).map_err(|_| unknown(0)),
        ValueRef::Integer(FORM) => bytes(value)
            .and_then(|packed| with_words(context, 2, |words| unpacked(packed, words)))
            .and_then(of)
            .ok_or_else(|| unknown(0)),
        _ => Err(unknown(1)),
    }
}

/// Calls `use_words` with the arguments from number `first` on.
fn with_words<T>(context: &Context<'_>, first: usize, use_words: impl FnOnce(&[&[u8]]) -> T) -> T {
    let words: Vec<Vec<u8>> = (first..context.len())
        .map(|at| match context.get_raw(at) {
            ValueRef::Blob(address) => address.try_into().map_or_else(
                |_| address.to_vec(),
                |bytes: [u8; 16]| encoding::address(bytes).to_string().into_bytes(),
            ),
            other => bytes(other).unwrap_or_default().to_vec(),
        })
        .collect();
    use_words(&words.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

fn bytes(value: ValueRef<'_>) -> Option<&[u8]> {
    match value {
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Some(bytes),
        _ => None,
    }
}

fn unknown(argument: usize) -> Error {
    Error::InvalidFunctionParameterType(argument, Type::Blob)
}
