//! What a transaction keeps from changing until its end.

use tokio_postgres::Row;

use crate::store::StoreError;
use crate::store::numbers::{DELIVERED, PENDING};
use crate::store::postgres::{Transaction, params};

/// Keeps these subscriptions as they are, and those of the messages at `seqs`.
pub async fn keep_subscriptions(to: &Transaction, ids: &[&str], seqs: &[i64]) -> Result<(), StoreError> {
    if ids.is_empty() && seqs.is_empty() {
        return Ok(());
    }
    to.rows(
        r"
        SELECT 1
        FROM subscriptions
        WHERE id = ANY ($1)
           OR id IN (SELECT subscription_id FROM messages WHERE seq = ANY ($2))
        ORDER BY id
        FOR SHARE
        ",
        &params![ids.to_vec(), seqs],
    )
    .await?;
    Ok(())
}

/// Locks the messages at `seqs`.
pub async fn lock_messages(to: &Transaction, seqs: &[i64]) -> Result<(), StoreError> {
    to.rows("SELECT 1 FROM messages WHERE seq = ANY ($1) ORDER BY seq FOR UPDATE", &params![seqs]).await?;
    Ok(())
}

/// Locks the messages at `seqs`, and with them those that come next in their ordered lanes: whoever ends the first ones
/// wakes these. Returns seq, claim, target_id and entity of all of them.
pub async fn lock_with_next(to: &Transaction, seqs: &[i64]) -> Result<Vec<Row>, StoreError> {
    to.rows(
        &format!(
            r"
            SELECT seq, claim, target_id, entity
            FROM messages
            WHERE seq = ANY (ARRAY(
                SELECT unnest($1)
                UNION
                SELECT (
                    SELECT next.seq
                    FROM messages next
                    WHERE next.target_id = m.target_id
                      AND next.entity = m.entity
                      AND next.status < {DELIVERED}
                      AND next.seq <> ALL ($1)
                    ORDER BY next.seq
                    LIMIT 1
                )
                FROM messages m
                WHERE m.seq = ANY ($1)
                  AND m.entity IS NOT NULL
            ))
            ORDER BY seq
            FOR UPDATE
            "
        ),
        &params![seqs],
    )
    .await
}

/// Locks the messages at `seqs`, and with them those that wait before them in their ordered lanes.
pub async fn lock_with_earlier(to: &Transaction, seqs: &[i64]) -> Result<(), StoreError> {
    to.rows(
        &format!(
            r"
            SELECT 1
            FROM messages
            WHERE seq = ANY (ARRAY(
                SELECT unnest($1)
                UNION
                SELECT earlier.seq
                FROM messages m
                JOIN messages earlier
                  ON earlier.target_id = m.target_id
                 AND earlier.entity = m.entity
                 AND earlier.status = {PENDING}
                 AND earlier.seq < m.seq
                WHERE m.seq = ANY ($1)
                  AND m.status = {PENDING}
            ))
            ORDER BY seq
            FOR UPDATE
            "
        ),
        &params![seqs],
    )
    .await?;
    Ok(())
}

/// Raises the revision of the subscriptions, by which other nodes learn of a change. Comes first in the transaction of a
/// change: subscriptions are changed one after the other.
pub async fn raise_revision(to: &Transaction) -> Result<(), StoreError> {
    to.run("UPDATE facts SET value = value + 1 WHERE name = 'subscriptions'", &[]).await?;
    Ok(())
}
