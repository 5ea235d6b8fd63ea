//! A pool of connections whose waits are counted.
//!
//! The connection that came back last is handed out first, and comes back without a word to the server. A pool that takes
//! turns and pings what comes back (sqlx's does) spread two clients over five backends here, each with cold caches on
//! another core: 404 instead of 534 first pages a second, on two cores.

use std::time::{Duration, Instant};

use deadpool::managed::{
    Manager, Metrics as Uses, Object, PoolError, QueueMode, RecycleError, RecycleResult, Timeouts,
};
use deadpool::{Runtime, managed};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric as _};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{Connection as _, Error};

use crate::database::{Session, Transaction, tally};

/// Upper bounds of the classes of waits, in seconds. A connection that is free is there within microseconds.
const WAITS_S: [f64; 12] = [0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 2.5, 5.0, 10.0];

/// Which pool a number is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Name {
    pool: &'static str,
}

/// A connection that nobody used for longer is asked for a sign of life before it is handed out; a busy one saves that
/// round trip.
const TRUSTED_IDLE: Duration = Duration::from_secs(1);

/// A connection that is older is replaced before it is handed out: what its backend has gathered goes with it.
const LIFE: Duration = Duration::from_mins(30);

/// Makes connections, and looks at those that come back.
#[derive(Debug)]
pub(super) struct Connector(PgConnectOptions);

impl Manager for Connector {
    type Type = PgConnection;
    type Error = Error;

    async fn create(&self) -> Result<PgConnection, Error> {
        PgConnection::connect_with(&self.0).await
    }

    async fn recycle(&self, connection: &mut PgConnection, uses: &Uses) -> RecycleResult<Error> {
        if uses.age() > LIFE {
            return Err(RecycleError::message("its life is over"));
        }
        if uses.last_used() > TRUSTED_IDLE {
            connection.ping().await?;
        }
        Ok(())
    }
}

/// Connections for one kind of work.
#[derive(Debug, Clone)]
pub(crate) struct Pool {
    name: Name,
    connections: managed::Pool<Connector>,
    wait_s: Histogram,
    timeouts: Counter,
}

impl Pool {
    /// Whether both are the same pool.
    pub(super) fn is(&self, other: &Self) -> bool {
        self.name == other.name
    }

    /// Whether this is its name.
    pub(super) fn is_called(&self, name: &str) -> bool {
        self.name.pool == name
    }

    /// Waits for a connection, as long as the pool allows.
    pub(crate) async fn session(&self) -> Result<Session, Error> {
        let recorder = tally::recorder();
        let was_full = recorder.is_some() && self.is_full();
        let began = Instant::now();
        let outcome = self.connection().await;
        let waited = began.elapsed();
        self.wait_s.observe(waited.as_secs_f64());
        if let Some(recorder) = recorder {
            recorder.waited(self.name.pool, self.connections.status().max_size, waited, was_full);
        }
        if matches!(outcome, Err(Error::PoolTimedOut)) {
            self.timeouts.inc();
        }
        outcome.map(|connection| Session::on(connection, self.name.pool))
    }

    /// Whether all connections that there may be are in use.
    fn is_full(&self) -> bool {
        let status = self.connections.status();
        status.available == 0 && status.size >= status.max_size
    }

    async fn connection(&self) -> Result<Object<Connector>, Error> {
        self.connections.get().await.map_err(|error| match error {
            PoolError::Timeout(_) => Error::PoolTimedOut,
            PoolError::Backend(error) => error,
            PoolError::Closed => Error::PoolClosed,
            other @ (PoolError::NoRuntimeSpecified | PoolError::PostCreateHook(_)) => {
                Error::Configuration(other.to_string().into())
            }
        })
    }

    /// Waits for a connection and begins a transaction on it.
    pub(crate) async fn transaction(&self) -> Result<Transaction, Error> {
        Transaction::begin(self.session().await?).await
    }

    /// Waits for the connections that are in use, and closes all. Nobody gets one from now on.
    pub(super) async fn close(&self) {
        loop {
            for idle in self.connections.retain(|_, _| false).removed {
                // The server notices by itself that one is gone that can't say so.
                let _: Result<(), Error> = idle.close().await;
            }
            if self.connections.status().size == 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        self.connections.close();
    }
}

/// What was waited for connections, by pool.
#[derive(Debug, Clone)]
pub(super) struct Waits {
    seconds: Family<Name, Histogram>,
    timeouts: Family<Name, Counter>,
}

impl Default for Waits {
    fn default() -> Self {
        Self {
            seconds: Family::new_with_constructor(|| Histogram::new(WAITS_S)),
            timeouts: Family::default(),
        }
    }
}

impl Waits {
    /// A pool of at most `size` connections whose waits are counted here. A request waits no longer than `patience` for
    /// one that is free, nor for a new one.
    pub(super) fn pool(
        &self,
        pool: &'static str,
        options: PgConnectOptions,
        size: usize,
        patience: Duration,
    ) -> Result<Pool, crate::Error> {
        let name = Name { pool };
        let connections = managed::Pool::builder(Connector(options))
            .max_size(size)
            .queue_mode(QueueMode::Lifo)
            .runtime(Runtime::Tokio1)
            .timeouts(Timeouts { wait: Some(patience), create: Some(patience), recycle: Some(patience) })
            .build()
            .map_err(|error| crate::Error::NoPool(error.to_string()))?;
        let wait_s = self.seconds.get_or_create_owned(&name);
        Ok(Pool { name, connections, wait_s, timeouts: self.timeouts.get_or_create_owned(&name) })
    }

    /// Shows these counts, and the state of the pools, under their names.
    pub(super) fn register(&self, registry: &mut Registry, pools: Vec<Pool>) {
        registry.register_with_unit(
            "db_pool_wait",
            "Time that was waited for a connection",
            Unit::Seconds,
            self.seconds.clone(),
        );
        registry.register(
            "db_pool_timeouts",
            "Waits for a connection that were given up",
            self.timeouts.clone(),
        );
        registry.register_collector(Box::new(States(pools)));
    }
}

#[derive(Debug, EncodeLabelSet)]
struct State {
    pool: &'static str,
    state: &'static str,
}

/// What the connections of the pools do at the moment when somebody asks.
#[derive(Debug)]
struct States(Vec<Pool>);

impl Collector for States {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let mut connections = encoder.encode_descriptor(
            "db_pool_connections",
            "Connections to the database that are open.",
            None,
            MetricType::Gauge,
        )?;
        for Pool { name, connections: pool, .. } in &self.0 {
            let status = pool.status();
            for (state, number) in [("idle", status.available), ("in_use", status.size - status.available)] {
                let state = State { pool: name.pool, state };
                ConstGauge::new(i64::try_from(number).unwrap_or(i64::MAX))
                    .encode(connections.encode_family(&state)?)?;
            }
        }
        let mut limits = encoder.encode_descriptor(
            "db_pool_connections_max",
            "Connections to the database that may be open.",
            None,
            MetricType::Gauge,
        )?;
        for Pool { name, connections: pool, .. } in &self.0 {
            let limit = i64::try_from(pool.status().max_size).unwrap_or(i64::MAX);
            ConstGauge::new(limit).encode(limits.encode_family(name)?)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use sqlx::{AssertSqlSafe, Executor as _};

    use super::*;
    use crate::database;

    async fn backend(session: &mut Session) -> i32 {
        sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(session).await.unwrap()
    }

    /// A pool of this many connections, and a connection beside it.
    async fn pool(size: usize) -> (cluster::testing::TestDatabase, Pool, PgConnection) {
        let database = cluster::testing::database("server_pool").await;
        let pool = database::testing(database.url().parse().unwrap(), size);
        let beside = PgConnection::connect(database.url()).await.unwrap();
        (database, pool, beside)
    }

    #[tokio::test]
    async fn who_comes_next_gets_the_connection_that_came_back_last() {
        let (_database, pool, _beside) = pool(3).await;
        let (mut first, mut second) = (pool.session().await.unwrap(), pool.session().await.unwrap());
        let (first_backend, second_backend) = (backend(&mut first).await, backend(&mut second).await);
        drop(first);
        drop(second);
        for _ in 0..5 {
            assert_eq!(backend(&mut pool.session().await.unwrap()).await, second_backend);
        }
        let _taken = pool.session().await.unwrap();
        assert_eq!(backend(&mut pool.session().await.unwrap()).await, first_backend);
        assert_eq!(pool.connections.status().size, 2, "no third was opened");
    }

    #[tokio::test]
    async fn a_transaction_that_is_given_up_is_rolled_back_though_nobody_needs_its_connection() {
        let (_database, pool, mut beside) = pool(2).await;
        beside.execute("CREATE TABLE counter AS SELECT 1 AS value").await.unwrap();
        let mut transaction = pool.transaction().await.unwrap();
        (&mut *transaction).execute("UPDATE counter SET value = 2").await.unwrap();
        drop(transaction);
        // Waits for the row, which is free when the other is rolled back.
        beside.execute("SET lock_timeout = '1min'; UPDATE counter SET value = value + 10").await.unwrap();
        let value: i32 =
            sqlx::query_scalar("SELECT value FROM counter").fetch_one(&mut beside).await.unwrap();
        assert_eq!(value, 11);
        let mut committed = pool.transaction().await.unwrap();
        (&mut *committed).execute("UPDATE counter SET value = 20").await.unwrap();
        committed.commit().await.unwrap();
        let value: i32 =
            sqlx::query_scalar("SELECT value FROM counter").fetch_one(&mut beside).await.unwrap();
        assert_eq!(value, 20);
    }

    #[tokio::test]
    async fn a_statement_that_is_given_up_is_over_before_its_connection_is_used_again() {
        let (_database, pool, mut beside) = pool(1).await;
        // The statement waits for a lock that is held until it was given up.
        beside.execute("SELECT pg_advisory_lock(1)").await.unwrap();
        let mut session = pool.session().await.unwrap();
        let before = backend(&mut session).await;
        let waits = (&mut session).execute("SELECT pg_advisory_xact_lock(1)");
        assert!(tokio::time::timeout(Duration::from_millis(50), waits).await.is_err());
        drop(session);
        // Nobody gets the only connection as long as it is busy.
        assert!(tokio::time::timeout(Duration::from_millis(50), pool.session()).await.is_err());
        beside.execute("SELECT pg_advisory_unlock(1)").await.unwrap();
        assert_eq!(backend(&mut pool.session().await.unwrap()).await, before);
    }

    #[tokio::test]
    async fn a_connection_that_the_server_ended_is_not_handed_out_twice() {
        let (_database, pool, mut beside) = pool(2).await;
        let mut session = pool.session().await.unwrap();
        let ended = backend(&mut session).await;
        let end = format!("SELECT pg_terminate_backend({ended}, 60000)");
        beside.execute(AssertSqlSafe(end)).await.unwrap();
        (&mut session).execute("SELECT 1").await.unwrap_err();
        drop(session);
        assert_eq!(pool.connections.status().size, 0);
        assert_ne!(backend(&mut pool.session().await.unwrap()).await, ended);
    }

    #[tokio::test]
    async fn closing_waits_for_who_is_at_work_and_leaves_no_connection() {
        let (_database, pool, mut beside) = pool(2).await;
        let mut session = pool.session().await.unwrap();
        drop(pool.session().await.unwrap());
        let closed = tokio::spawn({
            let pool = pool.clone();
            async move { pool.close().await }
        });
        backend(&mut session).await;
        assert!(!closed.is_finished());
        drop(session);
        closed.await.unwrap();
        assert!(matches!(pool.session().await, Err(Error::PoolClosed)));
        let count = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
                        AND pid <> pg_backend_pid()";
        while sqlx::query_scalar::<_, i64>(count).fetch_one(&mut beside).await.unwrap() > 0 {}
    }
}
