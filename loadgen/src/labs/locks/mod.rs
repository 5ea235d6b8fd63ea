//! Deadlocks and lost updates, provoked on purpose.
//!
//! A trial is one [`Case`] done in one [`Way`](reports::labs::locks::Way): many writers with the same few rows, through the
//! API of a server, in plain SQL in the order that the server keeps, or as a control without that order. [`Lab::provoke`]
//! lets them write and counts what the clients see; [`Lab::count`] then asks the database what it has counted, which it
//! knows for sure once all sessions have ended, those of the server included.

mod api;
mod case;
mod crew;
mod encounters;
mod index_build;
mod rows;
mod sql;
mod tally;
mod trial;

use chrono::{DateTime, Utc};
use rand::{RngExt as _, SeedableRng as _};
use sqlx::PgConnection;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub use self::case::{CASES, Case};
use self::rows::Rows;
use self::tally::Tally;
pub use self::trial::Provoked;
use super::NoWorkspace;

/// How long each try to drop the index waits for others in the end.
const CLEARING_LOCK_TIMEOUT: &str = "lock_timeout = '2s'";

/// Why a trial could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No such workspace.
    #[error(transparent)]
    NoWorkspace(#[from] NoWorkspace),
    /// The database failed otherwise than by a lock.
    #[error("the database failed as the lab was to {doing}: {source}; the server's log says more")]
    Database {
        /// What was being done.
        doing: &'static str,
        /// What the database or the driver said.
        source: sqlx::Error,
    },
    /// The server does not say what it tried again, which would hide its deadlocks.
    #[error(
        "{0} has no counter that ends in db_retries_total, without which the deadlocks that the server tried again are not \
         seen; ask a server that has it, or one of the same version as this program"
    )]
    NoRetries(String),
    /// Somebody else held the table when it was to be cleared up.
    #[error(
        "the rows of the lab are removed, but its index callbench_lock_lab on customer is left, because others were in the way; \
         when they are done, drop it with: DROP INDEX CONCURRENTLY callbench_lock_lab"
    )]
    IndexLeft,
    /// The server under test can't be asked.
    #[error(transparent)]
    Load(#[from] crate::Error),
}

/// Where the lab is, and what it does.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The database, to which it writes.
    pub database_url: String,
    /// The slug or UUID of a workspace that is there.
    pub workspace: String,
    /// Writers at once, instead of those of the case.
    pub threads: Option<u32>,
    /// Transactions of a trial in order.
    pub transactions: u64,
    /// Whether triggers may be put on the tables meanwhile, to count what comes through the API: in a copy.
    pub may_alter: bool,
    /// What ends it early.
    pub stop: CancellationToken,
}

/// A server on that database.
#[derive(Debug, Clone)]
pub struct Server {
    /// What stands before `/api/`.
    pub base_url: String,
    /// The token of an admin or a manager of the workspace.
    pub token: String,
}

/// The lab, with rows of its own in the database.
#[derive(Debug)]
pub struct Lab {
    setup: Setup,
    db: PgConnection,
    /// When, by the clock of the database.
    opened: DateTime<Utc>,
    rows: Rows,
    has_totals: bool,
    seed: u64,
}

impl Lab {
    /// Makes the rows.
    pub async fn open(setup: Setup) -> Result<Self, Error> {
        let failed = |source| Error::Database { doing: "make its rows", source };
        let mut db = sql::session(&setup.database_url).await.map_err(failed)?;
        let has_totals = rows::has_totals(&mut db).await.map_err(failed)?;
        let workspace = super::workspace(&mut db, &setup.workspace).await?;
        let rows = Rows::make(&mut db, workspace).await.map_err(failed)?;
        let opened =
            sqlx::query_scalar("SELECT clock_timestamp()").fetch_one(&mut db).await.map_err(failed)?;
        Ok(Self { setup, db, opened, rows, has_totals, seed: rand::random() })
    }

    /// Whether the case can deadlock here at all; if not, why.
    #[must_use]
    pub fn lacks(&self, case: &Case) -> Option<String> {
        (case.needs_totals && !self.has_totals).then(|| {
            format!(
                "{} is left out: without the totals of level `optimized`, calls take only locks that they share, and nobody \
                 waits",
                case.name
            )
        })
    }

    /// Removes everything that the lab has made: the rows first, because the index can only be dropped when nobody is in the
    /// way, who may be somebody else.
    pub async fn clear(mut self) -> Result<(), Error> {
        let failed = |source| Error::Database { doing: "remove its rows", source };
        if self.setup.may_alter {
            rows::stop_counting(&mut self.db).await.map_err(failed)?;
        }
        self.rows.clear(&mut self.db, self.has_totals).await.map_err(failed)?;
        let failed = |source| Error::Database { doing: "drop its index callbench_lock_lab", source };
        rows::set(&mut self.db, CLEARING_LOCK_TIMEOUT).await.map_err(failed)?;
        let is_gone = index_build::drop_index(&mut self.db, &Tally::default()).await.map_err(failed)?;
        if is_gone { Ok(()) } else { Err(Error::IndexLeft) }
    }
}

/// The key of one row of a block: in no order, and the same for all who draw it.
fn fresh(seed: u64, block: u64, row: usize) -> Uuid {
    let mixed = crate::rounds::mix(crate::rounds::mix(seed, block), row as u64);
    Uuid::from_u128(rand::rngs::Xoshiro256PlusPlus::seed_from_u64(mixed).random())
}
