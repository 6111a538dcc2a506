//! What nodes see of a standby that was promoted without the last of what its primary had, done to a database by hand.

use std::time::{Duration, Instant};

use tokio_postgres::{Client, NoTls};

use crate::store::{Place, Store};

/// A database in which that is done.
pub struct Standby(Client);

impl Standby {
    /// A connection to a place; `None` for SQLite.
    pub async fn of(place: &Place) -> Option<Self> {
        let Place::Postgres(place) = place else { return None };
        let (client, connection) = place.config.connect(NoTls).await.unwrap();
        tokio::spawn(connection);
        Some(Self(client))
    }

    /// From now on, what is learnt does not reach the standby.
    pub async fn misses_what_is_learnt(&self) {
        self.run(
            "CREATE TABLE kept_facts AS SELECT * FROM facts; CREATE TABLE kept_entities AS SELECT * FROM entities",
        )
        .await;
    }

    /// The standby takes over, and no node has noticed yet.
    pub async fn takes_over(&self) {
        self.run(
            "BEGIN;
             DELETE FROM entities;
             INSERT INTO entities SELECT * FROM kept_entities;
             UPDATE facts SET value = kept.value FROM kept_facts kept
             WHERE facts.name = kept.name AND facts.name = 'lens_cursor';
             COMMIT",
        )
        .await;
    }

    /// The log ends before what the nodes have seen. Once all of them have noticed, positions are raised above that.
    pub async fn turns(&self, nodes: &[&Store]) {
        let (before, began) = (nodes.iter().map(|node| node.turns()).max().unwrap(), Instant::now());
        self.run("UPDATE facts SET value = value - (1 << 20) WHERE name = 'xid_offset'").await;
        while nodes.iter().any(|node| node.turns() <= before) {
            assert!(began.elapsed() < Duration::from_secs(20), "it is not noticed");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        self.run("UPDATE facts SET value = value + (1 << 24) WHERE name = 'xid_offset'").await;
    }

    async fn run(&self, sql: &str) {
        self.0.batch_execute(sql).await.unwrap();
    }
}
