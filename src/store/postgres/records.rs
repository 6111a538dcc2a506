//! Many rows as one parameter: an array of a composite type of the schema.
//!
//! With an array for each column, the server would read every one of them into a list of its own first. That made an insert
//! about a quarter slower.

use std::error::Error;

use bytes::{BufMut as _, BytesMut};
use tokio_postgres::types::{IsNull, Kind, ToSql, Type, to_sql_checked};

use super::connection::Connection;
use super::numbers::unreadable;
use super::values::{Param, column, escaped, params};
use crate::store::StoreError;

/// The length of a value that is NULL.
const NULL: i32 = -1;

/// Rows in PostgreSQL's binary format of an array.
#[derive(Debug, Default)]
pub struct Records {
    rows: i32,
    bytes: BytesMut,
}

impl Records {
    /// Adds a row; `fill` gives its values in the order of the type.
    pub fn add(&mut self, fill: impl FnOnce(&mut Record<'_>)) {
        self.rows = self.rows.saturating_add(1);
        let start = self.bytes.len();
        // The length, without itself, and the number of values are known at the end.
        self.bytes.put_i64(0);
        let mut record = Record { count: 0, values: &mut self.bytes };
        fill(&mut record);
        let count = record.count;
        if let Some(mut record) = self.bytes.get_mut(start..) {
            let length = length(record.len().saturating_sub(4));
            record.put_i32(length);
            record.put_i32(count);
        }
    }

    /// Whether there is no row.
    pub const fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// The rows as a parameter of the array type `kind`.
    pub fn param(&self, kind: Type) -> Param<'_> {
        (Box::new(self), kind)
    }
}

/// A row that is being filled.
pub struct Record<'r> {
    count: i32,
    values: &'r mut BytesMut,
}

impl Record<'_> {
    /// The next value: a number.
    pub fn number(&mut self, value: i64) {
        self.value(&Type::INT8, Some(&value.to_be_bytes()));
    }

    /// The next value: a number, or NULL.
    pub fn maybe_number(&mut self, value: Option<i64>) {
        self.value(&Type::INT8, value.map(i64::to_be_bytes).as_ref().map(<[u8; 8]>::as_slice));
    }

    /// The next value: bytes.
    pub fn bytes(&mut self, value: &[u8]) {
        self.value(&Type::BYTEA, Some(value));
    }

    /// The next value: bytes, or NULL.
    pub fn maybe_bytes(&mut self, value: Option<&[u8]>) {
        self.value(&Type::BYTEA, value);
    }

    /// The next value: a text.
    pub fn text(&mut self, value: &str) {
        self.value(&Type::TEXT, Some(escaped(value).as_bytes()));
    }

    /// The next value: a text, or NULL.
    pub fn maybe_text(&mut self, value: Option<&str>) {
        match value {
            Some(text) => self.text(text),
            None => self.value(&Type::TEXT, None),
        }
    }

    fn value(&mut self, kind: &Type, value: Option<&[u8]>) {
        self.count = self.count.saturating_add(1);
        self.values.put_u32(kind.oid());
        self.values.put_i32(value.map_or(NULL, |value| length(value.len())));
        self.values.extend_from_slice(value.unwrap_or_default());
    }
}

/// A length on the wire. What does not fit is refused by the server.
fn length(bytes: usize) -> i32 {
    i32::try_from(bytes).unwrap_or(i32::MAX)
}

impl ToSql for Records {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        let Kind::Array(element) = kind.kind() else {
            return Err("records need the type of an array".into());
        };
        // Dimensions (none without a row), no NULL among the rows, their type; then the length and the first index.
        out.put_i32(i32::from(!self.is_empty()));
        out.put_i32(0);
        out.put_u32(element.oid());
        if !self.is_empty() {
            out.put_i32(self.rows);
            out.put_i32(1);
            out.extend_from_slice(&self.bytes);
        }
        Ok(IsNull::No)
    }

    fn accepts(kind: &Type) -> bool {
        matches!(kind.kind(), Kind::Array(_))
    }

    to_sql_checked!();
}

impl Connection {
    /// The type of an array of the composite type `name`. Another server may have another number for it, so that each
    /// connection asks once.
    ///
    /// # Errors
    /// `Unavailable` if it cannot be read, or is not there.
    pub async fn records_of(&self, name: &'static str) -> Result<Type, StoreError> {
        if let Some(known) = self.link().records.lock().get(name) {
            return Ok(known.clone());
        }
        let sql = "SELECT to_regtype($1)::oid::bigint AS one, to_regtype($1 || '[]')::oid::bigint AS many";
        let row = self.one(sql, &params![name]).await?;
        let number = |name: &str| {
            let oid = column::<Option<i64>>(&row, name)?.and_then(|oid| u32::try_from(oid).ok());
            oid.ok_or_else(|| unreadable("the type of a row"))
        };
        let (one, many) = (number("one")?, number("many")?);
        let one = Type::new(name.to_owned(), one, Kind::Simple, String::new());
        let many = Type::new(format!("{name}[]"), many, Kind::Array(one), String::new());
        self.link().records.lock().insert(name, many.clone());
        Ok(many)
    }
}
