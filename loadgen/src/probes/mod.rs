//! The database's and the operating system's side of a measurement.
//!
//! [`Sampler`] looks once a second while windows run, [`StatementProbe`] counts between them, [`CpuMeter`] and [`facts()`]
//! are asked when needed. Nothing is guessed: what can't be asked is absent, never zero, and the reason becomes a warning.

mod activity;
mod blocking;
mod database;
mod facts;
mod families;
mod gauge;
mod latest;
mod machine;
mod process;
mod sampler;
mod sessions;
mod statements;
mod tables;
mod wal;

pub use facts::facts;
pub(crate) use latest::Latest;
pub use latest::Seen;
pub use process::{CpuMeter, postmaster_pid};
pub use sampler::{Findings, PERIOD, Sampler, Watched};
pub use statements::{Counters, StatementProbe, Unavailable};

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, PgConnection};

/// Connects for a probe. The name shows in `pg_stat_activity`.
pub(crate) async fn connect(url: &str) -> Result<PgConnection, sqlx::Error> {
    let options: PgConnectOptions = url.parse()?;
    let options = options.application_name("callbench probe").disable_statement_logging();
    PgConnection::connect_with(&options).await
}

/// A counter of the database, which is signed there and never below zero.
fn natural(counter: i64) -> u64 {
    u64::try_from(counter).unwrap_or(0)
}
