//! The facts that are moved, as a table: the same SQL for both engines.

use super::tables::{FACTS, NUMBER_FACTS, POSITION_FACTS};

/// SQL for the table of facts: positions are in a column of their own.
pub fn source() -> String {
    let list = |names: &[&str]| names.iter().map(|name| format!("'{name}'")).collect::<Vec<_>>().join(", ");
    let (positions, numbers) = (list(&POSITION_FACTS), list(&NUMBER_FACTS));
    format!(
        r"
        (
            SELECT name,
                CASE WHEN name IN ({positions}) THEN NULL ELSE value END AS value,
                CASE WHEN name IN ({positions}) THEN value END AS place
            FROM facts
            WHERE name IN ({positions}, {numbers})
        ) AS {FACTS}
        "
    )
}
