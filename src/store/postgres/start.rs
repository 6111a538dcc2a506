//! What is checked before a node takes part in a store: the connection, the server, the schema, the rights, the key.

use std::time::{Duration, Instant};

use super::connection::Connection;
use super::database::Database;
use super::migrate;
use super::position;
use super::refusals::{Refusal, Server, check_version};
use super::values::{column, params};
use crate::store::{PostgresPlace, StoreError};

/// How long a server that cannot be reached is tried.
const PATIENCE: Duration = Duration::from_secs(4);
/// How long a server that is starting is tried.
const STARTING: Duration = Duration::from_secs(15);
/// The pause between two tries.
const PAUSE: Duration = Duration::from_millis(100);
/// How many missing rights a message names.
const NAMED: usize = 3;

impl Database {
    /// Checks everything and brings the schema up to date.
    ///
    /// # Errors
    /// `Refused` with what is wrong, in one line.
    pub(super) async fn prepare(&self, place: &PostgresPlace) -> Result<(), StoreError> {
        let refused = |cause: String| StoreError::Refused { shown: place.shown.clone(), cause };
        let failed = |fault: StoreError| match fault {
            StoreError::Unavailable(cause) => refused(cause),
            other => other,
        };
        self.reach(place).await?;
        let user = place.config.get_user().unwrap_or_default();
        let connection = self.connection().await.map_err(failed)?;
        let version = connection
            .one(
                "SELECT current_setting('server_version_num')::bigint AS number, current_setting('server_version') AS shown",
                &[],
            )
            .await
            .map_err(failed)?;
        check_version(column(&version, "number")?, &column::<String>(&version, "shown")?).map_err(refused)?;
        for warning in server(&connection).await.map_err(failed)?.judge().map_err(refused)? {
            tracing::warn!("{warning}");
        }
        drop(connection);
        migrate::migrate(self, user).await.map_err(failed)?;
        let missing = missing_rights(&self.connection().await.map_err(failed)?).await.map_err(failed)?;
        if !missing.is_empty() {
            return Err(refused(lacking(user, &missing)));
        }
        let connection = self.connection().await.map_err(failed)?;
        self.manager().follow_timelines(connection.link()).await.map_err(failed)?;
        drop(connection);
        position::raise_above_restored(self).await.map_err(failed)?;
        if let Some(membership) = place.membership {
            self.check_key(membership.store_key, &refused).await.map_err(failed)?;
            self.join(membership.instance, &refused).await.map_err(failed)?;
        }
        Ok(())
    }

    /// Waits for a server that is just being started; any other fault is final.
    async fn reach(&self, place: &PostgresPlace) -> Result<(), StoreError> {
        let began = Instant::now();
        let mut is_said = false;
        self.manager().survey().await;
        loop {
            let Err(fault) = self.manager().connect(None).await else { return Ok(()) };
            let refusal = Refusal::of(&fault, &place.config);
            let patience = match refusal {
                Refusal::Starting(_) => STARTING,
                Refusal::Passing(_) => PATIENCE,
                Refusal::Lasting(_) => Duration::ZERO,
            };
            let cause = refusal.text();
            if began.elapsed() >= patience {
                return Err(StoreError::Refused { shown: place.shown.clone(), cause });
            }
            if !is_said {
                tracing::warn!(database = %place.shown, %cause, "waiting for the database");
                is_said = true;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// All nodes of a store seal and mask with one key; the first one leaves its fingerprint.
    async fn check_key(
        &self,
        fingerprint: i64,
        refused: &(impl Fn(String) -> StoreError + Sync),
    ) -> Result<(), StoreError> {
        self.run_locally(
            "INSERT INTO facts (name, value) VALUES ('store_key', $1) ON CONFLICT (name) DO NOTHING",
            &params![fingerprint],
        )
        .await?;
        let connection = self.connection().await?;
        let row = connection.one("SELECT value FROM facts WHERE name = 'store_key'", &[]).await?;
        if column::<i64>(&row, "value")? != fingerprint {
            return Err(refused(
                "the nodes of this database have another store-key; copy the file store-key from the data directory of \
                 one of them into this one"
                    .to_owned(),
            ));
        }
        Ok(())
    }
}

async fn server(connection: &Connection) -> Result<Server, StoreError> {
    // With a pooler in between, the setting of this connection says nothing of the next transaction's; the reset value
    // is that of the role, the database or the server.
    let row = connection
        .one(
            r"
            SELECT
                pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on' AS is_read_only,
                (SELECT reset_val FROM pg_settings WHERE name = 'synchronous_commit') AS commit,
                current_setting('synchronous_standby_names') AS standbys,
                current_setting('fsync') = 'on' AS fsync,
                current_setting('full_page_writes') = 'on' AS full_page_writes,
                (SELECT pg_encoding_to_char(encoding)::text FROM pg_database WHERE datname = current_database()) AS encoding,
                current_schema()::text AS schema
            ",
            &[],
        )
        .await?;
    Ok(Server {
        is_read_only: column(&row, "is_read_only")?,
        commit: column(&row, "commit")?,
        standbys: column(&row, "standbys")?,
        fsync: column(&row, "fsync")?,
        full_page_writes: column(&row, "full_page_writes")?,
        encoding: column(&row, "encoding")?,
        schema: column(&row, "schema")?,
    })
}

/// What this user may not do with the tables of the store, as "INSERT on deliveries".
async fn missing_rights(connection: &Connection) -> Result<Vec<String>, StoreError> {
    let rows = connection
        .rows(
            r"
            SELECT kinds.kind || ' on ' || tables.relname AS missing
            FROM pg_class AS tables, unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS kinds (kind)
            WHERE tables.relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = 'schema_versions'::regclass)
            AND tables.relowner = (SELECT relowner FROM pg_class WHERE oid = 'schema_versions'::regclass)
            AND tables.relkind IN ('r', 'p') AND NOT tables.relispartition
            AND tables.relname <> 'schema_versions'
            AND NOT has_table_privilege(tables.oid, kinds.kind)
            UNION ALL
            SELECT 'EXECUTE on ' || functions.proname
            FROM pg_proc AS functions
            WHERE functions.pronamespace = (SELECT relnamespace FROM pg_class WHERE oid = 'schema_versions'::regclass)
            AND functions.proname IN ('add_day', 'drop_day', 'add_deliveries', 'take_event_ids', 'append_batch')
            AND NOT has_function_privilege(functions.oid, 'EXECUTE')
            ORDER BY missing
            ",
            &[],
        )
        .await?;
    rows.iter().map(|row| column(row, "missing")).collect()
}

fn lacking(user: &str, missing: &[String]) -> String {
    let named: Vec<&str> = missing.iter().take(NAMED).map(String::as_str).collect();
    let rest = missing.len().saturating_sub(named.len());
    let more = if rest == 0 { String::new() } else { format!(" and {rest} more") };
    format!("user {user:?} lacks rights: {}{more}; deploy/postgres/roles.sql grants them", named.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_missing_rights_are_named_and_the_rest_counted() {
        let missing = ["INSERT on a", "DELETE on a", "UPDATE on b", "SELECT on c"].map(str::to_owned);
        assert!(lacking("joe", &missing[..1]).starts_with("user \"joe\" lacks rights: INSERT on a; deploy"));
        assert!(lacking("joe", &missing).contains("INSERT on a, DELETE on a, UPDATE on b and 1 more;"));
    }
}
