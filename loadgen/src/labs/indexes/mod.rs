//! What each index costs and earns.
//!
//! [`inventory()`] looks: size, scans, shape, and which of them are dispensable by their definition. It only reads.
//! [`ablate()`] leaves each index out in turn, in a database that is nobody else's, and measures what reads lose and what
//! writes gain, by plain SQL: what is asked of a statement is its blocks, its plan and its log, and not the way through a
//! server.

mod ablation;
mod density;
mod error;
mod inventory;
mod look;
mod redundancy;
mod statements;
mod values;
mod work;

pub use ablation::{Ablated, Ablating, ablate};
pub use density::densities;
pub use error::Error;
pub use inventory::{Inventory, inventory};
pub use statements::Statements;

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, PgConnection};

/// A connection for a lab. The name shows in `pg_stat_activity`.
async fn connect(url: &str) -> Result<PgConnection, Error> {
    let options: PgConnectOptions = url.parse()?;
    let options = options.application_name("callbench indexes").disable_statement_logging();
    Ok(PgConnection::connect_with(&options).await?)
}
