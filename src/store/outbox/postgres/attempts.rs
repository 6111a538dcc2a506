//! Appends attempts. None is ever replaced: those of a node whose message was taken over stay with the other node's.

use std::collections::HashSet;

use super::columns::to_json;
use crate::domain::{Attempt, AttemptError};
use crate::store::outbox::tally::stored;
use crate::store::postgres::{Transaction, column, params};
use crate::store::{Settlement, StoreError};

/// Appends the attempts of messages that still exist; returns those that were not stored before.
///
/// # Errors
/// `Unavailable` if the store cannot be written.
pub async fn append<'s>(
    to: &Transaction,
    settlements: &'s [Settlement],
    exists: impl Fn(i64) -> bool,
) -> Result<Vec<&'s Attempt>, StoreError> {
    let mut made: Vec<(i64, i64, &Attempt)> = Vec::new();
    for Settlement { seq, claim, attempt, .. } in settlements {
        made.extend(attempt.as_ref().filter(|_| exists(*seq)).map(|made| (*seq, *claim, made)));
    }
    if made.is_empty() {
        return Ok(Vec::new());
    }
    let each = || made.iter().map(|(_, _, attempt)| *attempt);
    let headers = each().map(|attempt| to_json(&attempt.response_headers)).collect::<Result<Vec<_>, _>>()?;
    let missing = each().map(|attempt| to_json(&attempt.missing)).collect::<Result<Vec<_>, _>>()?;
    let rows = to
        .rows(
            r"
            INSERT INTO attempts (
                message_seq, number, claim, target_id, started_at, duration_us,
                status, error, error_detail,
                response_headers, response_body, truncated, missing
            )
            SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
            ON CONFLICT DO NOTHING
            RETURNING message_seq, number, claim
            ",
            &params![
                made.iter().map(|(seq, ..)| *seq).collect::<Vec<_>>(),
                each().map(|attempt| i64::from(attempt.number)).collect::<Vec<_>>(),
                made.iter().map(|(_, claim, _)| *claim).collect::<Vec<_>>(),
                each().map(|attempt| attempt.target.as_str()).collect::<Vec<_>>(),
                each().map(|attempt| attempt.started_at.as_micros()).collect::<Vec<_>>(),
                each().map(|attempt| stored(attempt.duration_us)).collect::<Vec<_>>(),
                each().map(|attempt| attempt.status.map(i64::from)).collect::<Vec<_>>(),
                each().map(|attempt| attempt.error.map(AttemptError::as_str)).collect::<Vec<_>>(),
                each().map(|attempt| attempt.error_detail.as_deref()).collect::<Vec<_>>(),
                headers,
                each().map(|attempt| &*attempt.response_body).collect::<Vec<_>>(),
                each().map(|attempt| attempt.response_truncated).collect::<Vec<_>>(),
                missing,
            ],
        )
        .await?;
    let mut new = HashSet::new();
    for row in &rows {
        let key: (i64, i64, i64) =
            (column(row, "message_seq")?, column(row, "number")?, column(row, "claim")?);
        new.insert(key);
    }
    let is_new = |(seq, claim, attempt): &(i64, i64, &Attempt)| {
        new.contains(&(*seq, i64::from(attempt.number), *claim))
    };
    Ok(made.into_iter().filter(is_new).map(|(_, _, attempt)| attempt).collect())
}
