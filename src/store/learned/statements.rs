//! Statements that are the same in both engines.
//!
//! Their values are `$1`, `$2` and so on, in the order in which they appear: SQLite numbers such names as it reads them.

use super::columns::ENTITY;

/// Reads an entity: source, entity.
pub fn entity() -> String {
    format!("SELECT {ENTITY} FROM entities WHERE source = $1 AND entity = $2")
}

/// Reads entities whose silence was computed with another rule: source, the entity after which it begins, the rule, how many.
pub fn with_other_rule() -> String {
    format!(
        r"
        SELECT {ENTITY}
        FROM entities
        WHERE source = $1
          AND entity > $2
          AND due_rule <> $3
        ORDER BY entity
        LIMIT $4
        "
    )
}

/// Moves a silence check, unless the entity reported in the meantime: due, source, entity, last seen.
pub const POSTPONE: &str = r"
    UPDATE entities
    SET due_at = $1
    WHERE source = $2
      AND entity = $3
      AND last_seen = $4
      AND due_at IS NOT NULL
";

/// Marks an entity as silent, unless it reported in the meantime or is marked: since when, source, entity, last seen.
pub const MARK_SILENT: &str = r"
    UPDATE entities
    SET silent_at = $1, due_at = NULL
    WHERE source = $2
      AND entity = $3
      AND last_seen = $4
      AND silent_at IS NULL
";

/// Reads the outages.
pub const OUTAGES: &str = r"
    SELECT since, until
    FROM outages
    ORDER BY since
";

/// Removes the oldest outages: how many may stay.
pub const FORGET_OUTAGES: &str = r"
    DELETE FROM outages
    WHERE since NOT IN (
        SELECT since
        FROM outages
        ORDER BY since DESC
        LIMIT $1
    )
";

/// Stores how many fields of an event type are known: fields, whether more were seen, id.
pub const COUNT_FIELDS: &str = r"
    UPDATE drift_types
    SET fields = $1, is_cut = is_cut OR $2
    WHERE id = $3
";
