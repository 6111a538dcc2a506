//! How a table is described to the move.

/// What a column contains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A whole number.
    Number,
    /// A number with a fraction.
    Real,
    /// A text.
    Text,
    /// Bytes.
    Bytes,
    /// Yes or no.
    Flag,
    /// The position of a delivery in its own row. Another engine may give it a new one.
    Own,
    /// The position of the delivery that the row is about. Without that delivery, the row is not moved.
    About,
    /// A position up to which something was done.
    Through,
    /// As `Through`, where the learner has been at least that far. Elsewhere it becomes the position of the learner.
    Learnt,
}

/// A column.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// What it contains.
    pub kind: Kind,
}

/// A table.
#[derive(Debug)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// Its columns. The first `keys` of them order the rows.
    pub columns: &'static [Column],
    /// How many columns the key has.
    pub keys: usize,
    /// The column whose size is most of a row, in tables with large rows.
    pub large: Option<&'static str>,
}

impl Table {
    /// The columns of the key.
    pub fn key(&self) -> &'static [Column] {
        self.columns.get(..self.keys).unwrap_or_default()
    }

    /// Whether each row is about a delivery.
    pub fn is_about_deliveries(&self) -> bool {
        self.columns.iter().any(|column| column.kind == Kind::About)
    }
}

/// A column of whole numbers.
pub const fn number(name: &'static str) -> Column {
    Column { name, kind: Kind::Number }
}

/// A column of texts.
pub const fn text(name: &'static str) -> Column {
    Column { name, kind: Kind::Text }
}

/// A column of bytes.
pub const fn bytes(name: &'static str) -> Column {
    Column { name, kind: Kind::Bytes }
}

/// A column of yes or no.
pub const fn flag(name: &'static str) -> Column {
    Column { name, kind: Kind::Flag }
}

/// A column of that kind.
pub const fn column(kind: Kind, name: &'static str) -> Column {
    Column { name, kind }
}

/// A table without large rows.
pub const fn table(name: &'static str, keys: usize, columns: &'static [Column]) -> Table {
    Table { name, columns, keys, large: None }
}

/// A table whose rows are large because of one column.
pub const fn with_large(large: &'static str, table: Table) -> Table {
    Table { large: Some(large), ..table }
}
