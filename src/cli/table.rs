//! The rows of a command: a table for people, JSON Lines for programs.

use std::io::{self, IsTerminal as _};

use comfy_table::{Cell, ContentArrangement, Row, Table, TableStyle};
use serde_json::Value;

use super::arguments::Rows;
use super::output::{Unwritten, say, terminal_width};

/// Prints `rows`, each as its `cells` below a heading, or as a line of JSON. Without rows it prints `none`.
///
/// # Errors
/// `Unwritten`.
pub fn show_rows(
    rows: &[Value],
    how: Rows,
    heading: &[&str],
    cells: impl Fn(&Value) -> Vec<String>,
    none: &str,
) -> Result<(), Unwritten> {
    if how.json {
        return rows.iter().try_for_each(|row| say!("{row}"));
    }
    if rows.is_empty() {
        return say!("{none}");
    }
    print_table(heading, &rows.iter().map(cells).collect::<Vec<_>>())
}

/// Prints rows below a heading, each column as wide as its widest value. On a terminal, long values are wrapped.
///
/// # Errors
/// `Unwritten`.
pub fn print_table(heading: &[&str], rows: &[Vec<String>]) -> Result<(), Unwritten> {
    let mut table = Table::new();
    table.load_style(TableStyle::new());
    match terminal_width().filter(|_| io::stdout().is_terminal()) {
        Some(width) => table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width),
        None => table.set_content_arrangement(ContentArrangement::Disabled),
    };
    table.add_row(heading);
    for row in rows {
        table.add_row(Row::from(row.iter().map(Cell::new).collect::<Vec<_>>()));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table.lines().try_for_each(|line| say!("{}", line.trim_end()))
}
