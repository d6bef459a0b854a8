//! One connection that all calls share, made anew when it is gone.

use std::sync::{Mutex as SyncMutex, PoisonError};
use std::time::Duration;

use ::redis::aio::MultiplexedConnection;
use ::redis::{
    AsyncConnectionConfig, Client, ErrorKind, FromRedisValue, RedisError, ScriptInvocation, ServerErrorKind,
};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout_at};

use crate::{StoreError, StoreErrorKind};

pub(super) struct Link {
    client: Client,
    timeout: Duration,
    current: SyncMutex<Current>,
    /// Held while one call connects, so that the others wait for it.
    connecting: Mutex<()>,
}

#[derive(Default)]
struct Current {
    connection: Option<MultiplexedConnection>,
    /// Counts the connections, so that nobody gives up one that was made since.
    number: u64,
}

impl Link {
    pub(super) fn new(url: &str, timeout: Duration) -> Result<Self, StoreError> {
        // What the parser says may quote the URL, and the URL may have a password.
        let client =
            Client::open(url).map_err(|_| StoreError::new(StoreErrorKind::Config, "not a URL of a Redis server"))?;
        Ok(Self {
            client,
            timeout,
            current: SyncMutex::default(),
            connecting: Mutex::new(()),
        })
    }

    /// Runs a script, in time or not at all as far as the caller knows. A connection that turns out to be dead is replaced once: a
    /// script that ran on it before it died may then run twice, and counts twice.
    pub(super) async fn invoke<T: FromRedisValue>(&self, script: &ScriptInvocation<'_>) -> Result<T, StoreError> {
        let until = Instant::now() + self.timeout;
        let mut is_last = false;
        loop {
            let mut used = None;
            let once = async {
                let (number, mut connection) = self.connection().await?;
                used = Some(number);
                script.invoke_async(&mut connection).await
            };
            let result = timeout_at(until, once).await;
            match result {
                Ok(Ok(value)) => return Ok(value),
                Ok(Err(error)) => {
                    let is_broken = error.is_io_error() || error.is_unrecoverable_error() || is_of_another(&error);
                    if let (true, Some(number)) = (is_broken, used) {
                        self.give_up(number);
                    }
                    if !is_broken || used.is_none() || is_last {
                        return Err(told(error));
                    }
                    is_last = true;
                }
                Err(_) => {
                    // A host that vanished says nothing either; the next call finds out.
                    if let Some(number) = used {
                        self.give_up(number);
                    }
                    return Err(StoreError::new(StoreErrorKind::TimedOut, ""));
                }
            }
        }
    }

    async fn connection(&self) -> Result<(u64, MultiplexedConnection), RedisError> {
        if let Some(found) = self.current() {
            return Ok(found);
        }
        let _guard = self.connecting.lock().await;
        if let Some(found) = self.current() {
            return Ok(found);
        }
        // The time-outs are those of the whole call.
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(None)
            .set_response_timeout(None);
        let connection = self
            .client
            .get_multiplexed_async_connection_with_config(&config)
            .await?;
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        current.number += 1;
        current.connection = Some(connection.clone());
        Ok((current.number, connection))
    }

    fn current(&self) -> Option<(u64, MultiplexedConnection)> {
        let current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        current
            .connection
            .clone()
            .map(|connection| (current.number, connection))
    }

    fn give_up(&self, number: u64) {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.number == number {
            current.connection = None;
        }
    }
}

/// Whether a server says that it is not, or no longer, the one to ask: after a failover the name leads to another.
fn is_of_another(error: &RedisError) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Server(ServerErrorKind::ReadOnly | ServerErrorKind::MasterDown | ServerErrorKind::ClusterDown)
    )
}

/// What an error is for those outside.
fn told(error: RedisError) -> StoreError {
    let kind = match error.kind() {
        ErrorKind::Io | ErrorKind::Parse => StoreErrorKind::Unavailable,
        // Loading, a replica without its primary, or a cluster that is not whole.
        ErrorKind::Server(
            ServerErrorKind::BusyLoading
            | ServerErrorKind::TryAgain
            | ServerErrorKind::ClusterDown
            | ServerErrorKind::MasterDown
            | ServerErrorKind::ReadOnly,
        ) => StoreErrorKind::Unavailable,
        ErrorKind::AuthenticationFailed | ErrorKind::InvalidClientConfig => StoreErrorKind::Config,
        _ => StoreErrorKind::Refused,
    };
    let code = error.code().unwrap_or_default();
    let told = match code {
        "" => StoreError::new(kind, ""),
        code => StoreError::new(kind, format!("the server says {code}")),
    };
    match kind {
        StoreErrorKind::Unavailable => told.with_source(error),
        _ => told,
    }
}
