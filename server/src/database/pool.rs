//! A pool of connections whose waits are counted.

use std::future::Future;
use std::time::Instant;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric as _};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use sqlx::Error;
use sqlx::postgres::PgPool;

use crate::database::{Session, Transaction};

/// Upper bounds of the classes of waits, in seconds. A connection that is free is there within microseconds.
const WAITS_S: [f64; 12] = [0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 2.5, 5.0, 10.0];

/// Which pool a number is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Name {
    pool: &'static str,
}

/// Connections for one kind of work.
#[derive(Debug, Clone)]
pub(crate) struct Pool {
    name: Name,
    connections: PgPool,
    wait_s: Histogram,
    timeouts: Counter,
}

impl Pool {
    /// Whether both are the same pool.
    pub(super) fn is(&self, other: &Self) -> bool {
        self.name == other.name
    }

    /// Waits for a connection, as long as the pool allows.
    pub(super) async fn session(&self) -> Result<Session, Error> {
        self.counted(Session::of(&self.connections)).await
    }

    /// Waits for a connection and begins a transaction on it; the wait that is counted includes the beginning.
    pub(super) async fn transaction(&self) -> Result<Transaction, Error> {
        self.counted(Transaction::of(&self.connections)).await
    }

    async fn counted<T>(&self, wait: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        let began = Instant::now();
        let outcome = wait.await;
        self.wait_s.observe(began.elapsed().as_secs_f64());
        if matches!(outcome, Err(Error::PoolTimedOut)) {
            self.timeouts.inc();
        }
        outcome
    }

    pub(super) async fn close(&self) {
        self.connections.close().await;
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
    /// A pool whose waits are counted here.
    pub(super) fn of(&self, pool: &'static str, connections: PgPool) -> Pool {
        let name = Name { pool };
        let wait_s = self.seconds.get_or_create_owned(&name);
        Pool { name, connections, wait_s, timeouts: self.timeouts.get_or_create_owned(&name) }
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
            let idle = i64::try_from(pool.num_idle()).unwrap_or(i64::MAX);
            // The two numbers are read one after the other, so for a moment more may seem idle than open.
            let in_use = (i64::from(pool.size()) - idle).max(0);
            for (state, number) in [("idle", idle), ("in_use", in_use)] {
                let state = State { pool: name.pool, state };
                ConstGauge::new(number).encode(connections.encode_family(&state)?)?;
            }
        }
        let mut limits = encoder.encode_descriptor(
            "db_pool_connections_max",
            "Connections to the database that may be open.",
            None,
            MetricType::Gauge,
        )?;
        for Pool { name, connections: pool, .. } in &self.0 {
            let limit = i64::from(pool.options().get_max_connections());
            ConstGauge::new(limit).encode(limits.encode_family(name)?)?;
        }
        Ok(())
    }
}
