//! Values as parameters: single ones for a key, arrays for the columns of many rows.

use crate::store::StoreError;
use crate::store::moving::tables::{Column, Kind};
use crate::store::moving::value::{Cell, Row};
use crate::store::postgres::{Param, Typed, column, unreadable};

/// A value of a key.
pub fn key(cell: &Cell) -> Param<'_> {
    match cell {
        Cell::Number(number) | Cell::Position(number, _) => number.param(),
        Cell::Real(number) => number.param(),
        Cell::Text(text) => text.param(),
        Cell::Bytes(bytes) => bytes.param(),
        Cell::Flag(flag) => flag.param(),
        Cell::Null => (Box::new(None::<i64>), tokio_postgres::types::Type::INT8),
    }
}

/// The values of a column of many rows.
pub enum Array {
    Numbers(Vec<Option<i64>>),
    Reals(Vec<Option<f64>>),
    Texts(Vec<Option<String>>),
    Bytes(Vec<Option<Vec<u8>>>),
    Flags(Vec<Option<bool>>),
}

impl Array {
    pub fn param(&self) -> Param<'_> {
        match self {
            Self::Numbers(numbers) => numbers.param(),
            Self::Reals(numbers) => numbers.param(),
            Self::Texts(texts) => texts.param(),
            Self::Bytes(bytes) => bytes.param(),
            Self::Flags(flags) => flags.param(),
        }
    }
}

/// The rows as one array for each column.
pub fn arrays(columns: &[Column], rows: Vec<Row>) -> Vec<Array> {
    let mut rows: Vec<_> = rows.into_iter().map(Row::into_iter).collect();
    columns
        .iter()
        .map(|column| {
            let cells = rows.iter_mut().map(|row| row.next().unwrap_or(Cell::Null));
            match column.kind {
                Kind::Real => Array::Reals(cells.map(real).collect()),
                Kind::Text => Array::Texts(cells.map(text).collect()),
                Kind::Bytes => Array::Bytes(cells.map(bytes).collect()),
                Kind::Flag => Array::Flags(cells.map(flag).collect()),
                Kind::Number | Kind::Own | Kind::About | Kind::Through | Kind::Learnt => {
                    Array::Numbers(cells.map(number).collect())
                }
            }
        })
        .collect()
}

fn number(cell: Cell) -> Option<i64> {
    match cell {
        Cell::Number(number) | Cell::Position(number, _) => Some(number),
        _ => None,
    }
}

fn real(cell: Cell) -> Option<f64> {
    match cell {
        Cell::Real(number) => Some(number),
        _ => None,
    }
}

fn text(cell: Cell) -> Option<String> {
    match cell {
        Cell::Text(text) => Some(text),
        _ => None,
    }
}

fn bytes(cell: Cell) -> Option<Vec<u8>> {
    match cell {
        Cell::Bytes(bytes) => Some(bytes),
        _ => None,
    }
}

fn flag(cell: Cell) -> Option<bool> {
    match cell {
        Cell::Flag(flag) => Some(flag),
        _ => None,
    }
}

/// The values of a row that `sql::select` selects.
pub fn cells(columns: &[Column], row: &tokio_postgres::Row) -> Result<Row, StoreError> {
    let cell = |known: &Column| {
        let name = known.name;
        Ok(match known.kind {
            Kind::Number => column::<Option<i64>>(row, name)?.map(Cell::Number),
            Kind::Real => column::<Option<f64>>(row, name)?.map(Cell::Real),
            Kind::Text => column::<Option<String>>(row, name)?.map(Cell::Text),
            Kind::Bytes => column::<Option<Vec<u8>>>(row, name)?.map(Cell::Bytes),
            Kind::Flag => column::<Option<bool>>(row, name)?.map(Cell::Flag),
            Kind::Own | Kind::Learnt => {
                column::<Option<i64>>(row, name)?.map(|seq| Cell::Position(seq, None))
            }
            Kind::About | Kind::Through => {
                let id = column(row, &format!("{name}_id"))?;
                column::<Option<i64>>(row, name)?.map(|seq| Cell::Position(seq, id))
            }
        }
        .unwrap_or(Cell::Null))
    };
    let read: Result<Row, StoreError> = columns.iter().map(cell).collect();
    read.map_err(|fault| match fault {
        StoreError::Unavailable(cause) => StoreError::Unavailable(format!("a row cannot be read: {cause}")),
        other => other,
    })
}

/// The days on which these deliveries were received, for their partitions.
pub fn received_at(columns: &[Column], rows: &[Row]) -> Result<Vec<i64>, StoreError> {
    let name = "received_at";
    let place = columns.iter().position(|column| column.name == name);
    rows.iter()
        .map(|row| match place.and_then(|place| row.get(place)) {
            Some(Cell::Number(at)) => Ok(*at),
            _ => Err(unreadable(name)),
        })
        .collect()
}
