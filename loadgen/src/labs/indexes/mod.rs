//! What each index costs and earns.
//!
//! [`inventory()`] looks: size, scans, shape, and which of them are dispensable by their definition. It only reads.

mod density;
mod error;
mod inventory;
mod redundancy;

pub use density::densities;
pub use error::Error;
pub use inventory::{Inventory, inventory};

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, PgConnection};

/// A connection for a lab. The name shows in `pg_stat_activity`.
async fn connect(url: &str) -> Result<PgConnection, Error> {
    let options: PgConnectOptions = url.parse()?;
    let options = options.application_name("callbench indexes").disable_statement_logging();
    Ok(PgConnection::connect_with(&options).await?)
}
