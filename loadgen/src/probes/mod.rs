//! The database's and the operating system's side of a measurement.
//!
//! Nothing is guessed: what can't be asked is absent, never zero, and the reason becomes a warning.

mod facts;
mod process;
mod statements;

pub use facts::facts;
pub use process::{CpuMeter, postmaster_pid};
pub use statements::{Counters, StatementProbe, Unavailable};

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, PgConnection};

/// Connects for a probe. The name shows in `pg_stat_activity`.
pub(crate) async fn connect(url: &str) -> Result<PgConnection, sqlx::Error> {
    let options: PgConnectOptions = url.parse()?;
    let options = options.application_name("callbench probe").disable_statement_logging();
    PgConnection::connect_with(&options).await
}
