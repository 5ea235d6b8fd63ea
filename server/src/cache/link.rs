//! The connection to Redis: one for the whole server, used by all requests at once, and mended in the background.
//!
//! `redis` has a connection that mends itself. It is not used here, because a request that finds it broken waits for the
//! mending, and because it gives up for good when Redis answers the first greeting with a refusal (`max number of clients
//! reached`, a password that is changed a moment later). Here a command waits for its answer for a bounded time. The first
//! that gets none takes the connection down, and from then on no request waits or asks at all, until a task of its own
//! has a connection that answers again.
//!
//! Stamps that should have been taken away meanwhile are owed. They are taken away before anybody can use the new
//! connection, so this server never shows a value from before a write of its own.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, Cmd, ErrorKind, FromRedisValue, RedisError};

use crate::cache::LONGEST_LIFE;
use crate::cache::counters::Counters;

/// Between two attempts to connect.
const PAUSE: Duration = Duration::from_secs(1);

/// How long an attempt to connect may take. No request waits for it, but the start of the server does.
const PATIENCE: Duration = Duration::from_secs(1);

/// What is owed is paid in commands of so many keys.
const KEYS_PER_COMMAND: usize = 500;

/// No value is as old as this, so what was owed for longer needs no paying. A value is at most as old as its life and the
/// query that it is from.
const FORGIVEN: Duration = LONGEST_LIFE.saturating_add(Duration::from_mins(1));

/// So many keys may be owed before those that need no paying are sorted out.
const MANY: usize = 10_000;

/// Redis has not answered, or not with what was asked for. What that means was noted.
#[derive(Debug)]
pub(super) struct Unanswered;

#[derive(Debug, Clone)]
pub(super) struct Link(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    client: Client,
    wait: Duration,
    counters: Arc<Counters>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// None while Redis is down.
    connection: Option<MultiplexedConnection>,
    /// Number of the connection, so that a late failure of an old one does no harm to a new one.
    number: u64,
    /// Keys that are to be deleted, and since when.
    owed: HashMap<String, Instant>,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { connection, number, owed } = self;
        f.debug_struct("State")
            .field("is_connected", &connection.is_some())
            .field("number", number)
            .field("owed", &owed.len())
            .finish()
    }
}

impl Link {
    /// Connects, or begins to try.
    pub(super) async fn open(client: Client, wait: Duration, counters: Arc<Counters>) -> Self {
        let link = Self(Arc::new(Shared { client, wait, counters, state: Mutex::default() }));
        match link.0.connect().await {
            Ok(connection) => link.0.state().connection = Some(connection),
            Err(reason) => {
                tracing::warn!(%reason, "Redis does not answer; the database is asked until it does");
                tokio::spawn(mend(Arc::downgrade(&link.0)));
            }
        }
        link
    }

    /// Sends a command and waits for its answer, if there is a connection.
    pub(super) async fn ask<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, Unanswered> {
        let (number, connection) = self.0.current();
        let Some(mut connection) = connection else { return Err(Unanswered) };
        let reason = match tokio::time::timeout(self.0.wait, command.query_async(&mut connection)).await {
            Ok(Ok(value)) => return Ok(value),
            Ok(Err(error)) => {
                self.0.counters.error();
                if is_answer(&error) {
                    tracing::debug!(%error, "Redis refused a command");
                    return Err(Unanswered);
                }
                error.to_string()
            }
            Err(_) => {
                self.0.counters.error();
                format!("no answer within {} ms", self.0.wait.as_millis())
            }
        };
        self.0.lose(&mut self.0.state(), number, &reason);
        Err(Unanswered)
    }

    /// Deletes a key now, or before this server reads anything again.
    pub(super) async fn delete(&self, key: String) {
        if self.ask::<()>(redis::cmd("DEL").arg(&key)).await.is_ok() {
            return;
        }
        let mut state = self.0.state();
        if state.owed.len() >= MANY {
            state.owed.retain(|_, since| since.elapsed() < FORGIVEN);
        }
        state.owed.insert(key, Instant::now());
        // There may be a connection: Redis refused, or was mended since. What is owed is paid before one is used.
        let number = state.number;
        self.0.lose(&mut state, number, "a write could not be told to it");
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn current(&self) -> (u64, Option<MultiplexedConnection>) {
        let state = self.state();
        (state.number, state.connection.clone())
    }

    /// Gives this connection up, and begins to mend, if nobody did before.
    fn lose(self: &Arc<Self>, state: &mut State, number: u64, reason: &str) {
        if state.number == number && state.connection.take().is_some() {
            state.number += 1;
            tracing::warn!(%reason, "Redis is left alone; the database is asked until it answers again");
            tokio::spawn(mend(Arc::downgrade(self)));
        }
    }

    /// A connection that answers as fast as requests need it.
    async fn connect(&self) -> Result<MultiplexedConnection, String> {
        let config = AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
        let connecting = self.client.get_multiplexed_async_connection_with_config(&config);
        let mut connection = tokio::time::timeout(PATIENCE, connecting)
            .await
            .map_err(|_| format!("no connection within {} s", PATIENCE.as_secs()))?
            .map_err(|error| error.to_string())?;
        tokio::time::timeout(self.wait, redis::cmd("PING").query_async::<()>(&mut connection))
            .await
            .map_err(|_| format!("no answer within {} ms", self.wait.as_millis()))?
            .map_err(|error| error.to_string())?;
        Ok(connection)
    }

    /// Deletes what is owed.
    async fn pay(&self, connection: &mut MultiplexedConnection) -> Result<(), String> {
        let owed: Vec<(String, Instant)> = {
            let mut state = self.state();
            state.owed.retain(|_, since| since.elapsed() < FORGIVEN);
            state.owed.iter().map(|(key, since)| (key.clone(), *since)).collect()
        };
        for some in owed.chunks(KEYS_PER_COMMAND) {
            let mut command = redis::cmd("DEL");
            for (key, _) in some {
                command.arg(key);
            }
            tokio::time::timeout(PATIENCE, command.query_async::<()>(connection))
                .await
                .map_err(|_| format!("no answer within {} s", PATIENCE.as_secs()))?
                .map_err(|error| error.to_string())?;
            let mut state = self.state();
            for (key, since) in some {
                // What became owed again meanwhile stays so.
                if state.owed.get(key) == Some(since) {
                    state.owed.remove(key);
                }
            }
        }
        Ok(())
    }

    async fn connect_and_pay(&self) -> Result<(), String> {
        let mut connection = self.connect().await?;
        loop {
            self.pay(&mut connection).await?;
            let mut state = self.state();
            if state.owed.is_empty() {
                state.connection = Some(connection);
                return Ok(());
            }
        }
    }
}

/// Tries until there is a connection, or the server is gone.
async fn mend(shared: Weak<Shared>) {
    loop {
        tokio::time::sleep(PAUSE).await;
        let Some(shared) = shared.upgrade() else { return };
        match shared.connect_and_pay().await {
            Ok(()) => return tracing::info!("Redis answers again"),
            Err(reason) => tracing::debug!(%reason, "Redis still does not answer"),
        }
    }
}

/// Whether Redis answered, if not with what was asked for. Such an answer takes no longer than another.
fn is_answer(error: &RedisError) -> bool {
    matches!(error.kind(), ErrorKind::Server(_) | ErrorKind::Extension)
}
