//! What a transaction keeps from changing until its end.

use crate::store::StoreError;
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

/// Raises the revision of the subscriptions, by which other nodes learn of a change. Comes first in the transaction of a
/// change: subscriptions are changed one after the other.
pub async fn raise_revision(to: &Transaction) -> Result<(), StoreError> {
    to.run("UPDATE facts SET value = value + 1 WHERE name = 'subscriptions'", &[]).await?;
    Ok(())
}
