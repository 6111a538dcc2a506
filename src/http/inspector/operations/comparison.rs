//! Two deliveries and their differences.

use actix_web::http::StatusCode;

use super::deliveries::stored;
use crate::http::inspector::problem::Problem;
use crate::http::inspector::state::InspectorState;
use crate::inspect::diff::{Changes, Comparison};

/// How a body differs from the previous one, in words.
pub fn changes_word(changes: &Changes) -> String {
    match changes {
        Changes::Same => "the same bytes".to_owned(),
        Changes::Json { count: 1, has_more: false } => "one value differs".to_owned(),
        Changes::Json { count, has_more } => {
            format!("{count}{} values differ", if *has_more { " or more" } else { "" })
        }
        Changes::Written { at } => format!("the same values, written otherwise from byte {at} on"),
        Changes::Bytes { at } => format!("other bytes from byte {at} on"),
    }
}

/// Both deliveries and their differences.
///
/// # Errors
/// 404, 503.
pub async fn compared(
    state: &InspectorState,
    one: &str,
    other: &str,
) -> Result<(crate::domain::DeliveryRow, crate::domain::DeliveryRow, Comparison), Problem> {
    let (one, other) = (stored(one, state).await?, stored(other, state).await?);
    let rows = (one.row.clone(), other.row.clone());
    let found = tokio::task::spawn_blocking(move || Comparison::of(&one, &other)).await;
    let found = found.map_err(|_| {
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "They cannot be compared; the log says why.")
    })?;
    Ok((rows.0, rows.1, found))
}

/// Lines of a dump as text.
pub fn hex_text(lines: &[crate::domain::HexLine]) -> String {
    lines.iter().map(|line| format!("{}  {:<48}  {}\n", line.offset, line.hex, line.ascii)).collect()
}
