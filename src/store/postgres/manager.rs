//! Makes and checks the connections of the pool.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use deadpool::managed::{self, Metrics, RecycleError, RecycleResult};
use tokio::runtime::Handle;
use tokio::sync::mpsc::UnboundedSender;
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::{AsyncMessage, Client, Config, Error, NoTls, Socket};

use super::connection::STATEMENT_SECONDS;

/// The server's routine that ends a wait for a standby without an answer from it. Texts are translated; this is not.
const WAIT_FOR_STANDBY: &str = "SyncRepWaitForLSN";

/// An open connection.
pub struct Link {
    pub client: Client,
    /// Whether the server said that a commit did not reach its standby.
    pub is_unsure: Arc<AtomicBool>,
    /// Whether its state is unknown; the pool drops it then.
    pub is_spoilt: AtomicBool,
}

/// Makes connections.
pub struct Manager {
    config: Config,
    runtime: Handle,
}

impl Manager {
    pub const fn new(config: Config, runtime: Handle) -> Self {
        Self { config, runtime }
    }

    /// Opens a connection that is not of the pool; its notifications go to `bells`.
    pub async fn connect(&self, bells: Option<UnboundedSender<()>>) -> Result<Link, Error> {
        self.connect_with(NoTls, bells).await
    }

    async fn connect_with<T>(&self, tls: T, bells: Option<UnboundedSender<()>>) -> Result<Link, Error>
    where
        T: MakeTlsConnect<Socket>,
        T::Stream: Send + 'static,
        T::TlsConnect: Send,
        <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
    {
        let (client, mut connection) = self.config.connect(tls).await?;
        let is_unsure = Arc::new(AtomicBool::new(false));
        let unsure = Arc::clone(&is_unsure);
        self.runtime.spawn(async move {
            while let Some(Ok(message)) = poll_fn(|context| connection.poll_message(context)).await {
                match message {
                    AsyncMessage::Notice(notice) if notice.routine() == Some(WAIT_FOR_STANDBY) => {
                        unsure.store(true, Ordering::SeqCst);
                    }
                    AsyncMessage::Notification(_) => {
                        // Nobody listens any more when the store is closed.
                        let _ = bells.as_ref().map(|bells| bells.send(()));
                    }
                    _ => {}
                }
            }
        });
        client
            .batch_execute(&format!(
                "SET synchronous_commit = on; SET timezone = 'UTC'; SET client_min_messages = warning;
                 SET statement_timeout = '{STATEMENT_SECONDS}s'; SET lock_timeout = '5s';
                 SET idle_in_transaction_session_timeout = '60s'"
            ))
            .await?;
        Ok(Link { client, is_unsure, is_spoilt: AtomicBool::new(false) })
    }
}

impl managed::Manager for Manager {
    type Type = Link;
    type Error = Error;

    async fn create(&self) -> Result<Link, Error> {
        self.connect(None).await
    }

    async fn recycle(&self, link: &mut Link, _: &Metrics) -> RecycleResult<Error> {
        if link.client.is_closed() || link.is_spoilt.load(Ordering::SeqCst) {
            return Err(RecycleError::message("the connection is closed or its state is unknown"));
        }
        Ok(())
    }
}
