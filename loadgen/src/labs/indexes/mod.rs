//! What each index costs and earns.
//!
//! [`inventory()`] looks: size, scans, shape, and which of them are dispensable by their definition. It only reads.
//! [`ablate()`] leaves each index out in turn, in a database that is nobody else's, and measures what reads lose and what
//! writes gain. The reads go through a server, as a client's do; the writes are plain SQL, because what is asked of them is
//! the log, and not the way through a server.

mod ablation;
mod density;
mod error;
mod inventory;
mod reads;
mod redundancy;
mod writes;

pub use ablation::{Ablating, Look, ablate};
pub use density::densities;
pub use error::Error;
pub use inventory::{Inventory, inventory};
pub use reads::PAGE;

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, PgConnection};

/// A connection for a lab. The name shows in `pg_stat_activity`.
async fn connect(url: &str) -> Result<PgConnection, Error> {
    let options: PgConnectOptions = url.parse()?;
    let options = options.application_name("callbench indexes").disable_statement_logging();
    Ok(PgConnection::connect_with(&options).await?)
}
