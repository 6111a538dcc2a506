//! What devices are called: by hand, by their own source, or by another source where the id is one of the whole world.

use std::collections::{HashMap, HashSet};

use crate::domain::is_worldwide;
use crate::store::StoreError;
use crate::store::postgres::{Connection, column, params};

/// The names of entities, each by its source and id; what has none is left out.
pub async fn names(
    from: &Connection,
    entities: HashSet<(String, String)>,
) -> Result<HashMap<(String, String), String>, StoreError> {
    let sources: Vec<&str> = entities.iter().map(|(source, _)| source.as_str()).collect();
    let ids: Vec<&str> = entities.iter().map(|(_, id)| id.as_str()).collect();
    let worldwide: Vec<bool> = entities.iter().map(|(_, id)| is_worldwide(id)).collect();
    let rows = from
        .rows(
            r"
            SELECT asked.source, asked.entity, coalesce(e.own_name, e.name) AS called
            FROM unnest($1, $2, $3) AS asked (source, entity, is_worldwide)
            JOIN entities e ON e.source = asked.source AND e.entity = asked.entity
            WHERE NOT asked.is_worldwide
              AND coalesce(e.own_name, e.name) IS NOT NULL

            UNION ALL

            SELECT asked.source, asked.entity, best.called
            FROM unnest($1, $2, $3) AS asked (source, entity, is_worldwide)
            CROSS JOIN LATERAL (
                SELECT coalesce(e.own_name, e.name) AS called
                FROM entities e
                WHERE e.entity = asked.entity
                  AND length(e.entity) >= 12
                  AND coalesce(e.own_name, e.name) IS NOT NULL
                ORDER BY e.own_name IS NULL, e.source <> asked.source, e.source
                LIMIT 1
            ) AS best
            WHERE asked.is_worldwide
            ",
            &params![sources, ids, worldwide],
        )
        .await?;
    rows.iter()
        .map(|row| Ok(((column(row, "source")?, column(row, "entity")?), column(row, "called")?)))
        .collect()
}
