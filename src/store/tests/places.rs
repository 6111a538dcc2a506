//! Where the stores of the tests are. With `TAGOHOOK_TEST_POSTGRES=postgres://user@host:port/database`, each test gets a new
//! database of that server; otherwise a SQLite file.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio_postgres::{Config, NoTls};

use crate::config::{Roots, TlsMode};
use crate::store::{Place, PostgresPlace};

/// Counts the databases of this process.
static NUMBER: AtomicU64 = AtomicU64::new(0);

/// A new place for a store.
pub async fn place_in(folder: &Path) -> Place {
    let Some(url) = crate::config::server_of_tests() else {
        return Place::Sqlite(folder.join("t.db"));
    };
    let mut config: Config = url.parse().unwrap();
    let (client, connection) = config.connect(NoTls).await.unwrap();
    let working = tokio::spawn(connection);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let name = format!("tagohook_{}_{number}", std::process::id());
    client.batch_execute(&format!("CREATE DATABASE {name}")).await.unwrap();
    drop(client);
    working.await.unwrap().unwrap();
    config.dbname(&name);
    Place::Postgres(Box::new(PostgresPlace {
        config,
        tls: TlsMode::Disable,
        roots: Roots::System,
        shown: format!("postgres://…/{name}"),
        node: "one".to_owned(),
        membership: None,
    }))
}
