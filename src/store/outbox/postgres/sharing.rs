//! What nodes tell each other through the database, and how they divide tasks.

use std::time::Duration;

use async_trait::async_trait;

use super::rate::micros;
use crate::store::numbers::{PENDING, SENDING};
use crate::store::postgres::{NOW_US, Postgres, column, params};
use crate::store::{News, Sharing, StoreError};

/// A node takes up what became due in it within this time; later than that, others are asked.
const UNCLAIMED: Duration = Duration::from_millis(500);

#[async_trait]
impl Sharing for Postgres {
    async fn news(&self) -> Result<News, StoreError> {
        let due_before = self.clock.now().minus(UNCLAIMED).as_micros();
        let row = self
            .connection()
            .await?
            .one(
                &format!(
                    r"
                    SELECT
                        (SELECT value FROM facts WHERE name = 'subscriptions') AS revision,
                        EXISTS (
                            SELECT 1
                            FROM messages
                            WHERE status = {SENDING}
                              AND lease_until < (SELECT {NOW_US} + $2)
                              AND claimed_by <> $1
                        ) AS has_expired,
                        EXISTS (SELECT 1 FROM dead_letters WHERE NOT is_reported) AS has_unreported,
                        ARRAY(
                            SELECT s.id
                            FROM subscriptions s
                            WHERE s.enabled
                              AND s.parked_since IS NULL
                              AND EXISTS (
                                  SELECT 1
                                  FROM messages m
                                  WHERE m.target_id = s.id
                                    AND m.status = {PENDING}
                                    AND m.next_attempt_at < $3
                              )
                            ORDER BY s.id
                        ) AS waiting
                    "
                ),
                &params![self.node, self.clock.advanced_us(), due_before],
            )
            .await?;
        let waiting: Option<Vec<Option<String>>> = column(&row, "waiting")?;
        Ok(News {
            revision: column(&row, "revision")?,
            has_expired: column(&row, "has_expired")?,
            has_unreported: column(&row, "has_unreported")?,
            waiting: waiting.into_iter().flatten().flatten().collect(),
        })
    }

    async fn take_duty(&self, duty: &'static str, lasts: Duration) -> Result<bool, StoreError> {
        let (node, advanced) = (self.node.as_str(), self.clock.advanced_us());
        let taken = self
            .change(|to| async move {
                to.run(
                    &format!(
                        r"
                        INSERT INTO duties AS old (name, node, until)
                        VALUES ($1, $2, {NOW_US} + $3 + $4)
                        ON CONFLICT (name) DO UPDATE SET
                            node = excluded.node,
                            until = excluded.until
                        WHERE old.node = excluded.node
                           OR old.until < {NOW_US} + $3
                        "
                    ),
                    &params![duty, node, advanced, micros(lasts)],
                )
                .await
            })
            .await?;
        Ok(taken == 1)
    }
}
