//! A copy of a database of the private cluster for a measurement that writes, so that the dataset stays as it was loaded.
//!
//! Who has a copy holds a lock on its name for as long. The lock ends with its connection, and so with its process, however
//! that ends: a copy that nobody holds was left behind by a process that was killed, and the next measurement drops it.

use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use cluster::databases;
use sqlx::{Connection as _, PgConnection};
use tokio_util::sync::CancellationToken;

use crate::place::{self, Place};
use crate::stop::Interrupted;

/// The name of this program in `pg_stat_activity`.
const APPLICATION: &str = "callbench";

/// How long a process waits while another one copies.
const PATIENCE: Duration = Duration::from_mins(10);

/// A copy that is written to.
pub(crate) struct Scratch {
    url: String,
    /// Holds the lock on its name. It lies in the maintenance database, where no probe counts it.
    claim: PgConnection,
}

impl Scratch {
    /// Copies a database of the private cluster.
    pub(crate) async fn of(place: &Place, url: &str, stop: &CancellationToken) -> anyhow::Result<Self> {
        let copy = place::beside(url, "written")?;
        let name = copy.rsplit('/').next().and_then(|name| name.split('?').next()).unwrap_or_default();
        let turn = turn(url).await?;
        let mut claim = maintenance(url).await?;
        if !claimed(&mut claim, name).await? {
            bail!(
                "another measurement writes to {name}, its copy of the dataset; try again when it has ended"
            );
        }
        databases::drop(&copy).await?;
        place.refuse_copy_beyond_disk(url).await?;
        let begun = Instant::now();
        databases::clone(url, name).await?;
        turn.close().await.context("the private PostgreSQL could not be left in order")?;
        let scratch = Self { claim, url: copy };
        if stop.is_cancelled() {
            scratch.remove().await?;
            return Err(Interrupted.into());
        }
        eprintln!("{:<44} {:>7.1} s", "copy to write to", begun.elapsed().as_secs_f64());
        Ok(scratch)
    }

    /// URL of the copy.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Drops the copy.
    pub(crate) async fn remove(self) -> anyhow::Result<()> {
        databases::drop(&self.url).await?;
        self.claim.close().await.context("the private PostgreSQL could not be left in order")
    }
}

/// Drops the copies that nobody holds.
pub(crate) async fn sweep(place: &Place) -> anyhow::Result<()> {
    if !place.is_private() {
        return Ok(());
    }
    let mut connection = maintenance(place.url()).await?;
    if copies(&mut connection).await?.is_empty() {
        return Ok(());
    }
    // Who makes a copy has the turn until it is held and there.
    let turn = turn(place.url()).await?;
    for name in copies(&mut connection).await? {
        if claimed(&mut connection, &name).await? {
            databases::drop(&databases::with_database(place.url(), &name)?).await?;
        }
    }
    turn.close().await.context("the private PostgreSQL could not be left in order")
}

async fn copies(connection: &mut PgConnection) -> anyhow::Result<Vec<String>> {
    sqlx::query_scalar(r"SELECT datname::text FROM pg_database WHERE datname LIKE 'callbench\_%\_written'")
        .fetch_all(connection)
        .await
        .context("the databases could not be listed")
}

/// Takes the lock on the name of a copy; false while another process has it.
async fn claimed(connection: &mut PgConnection, name: &str) -> anyhow::Result<bool> {
    sqlx::query_scalar("SELECT pg_try_advisory_lock(hashtextextended('callbench writes to ' || $1, 0))")
        .bind(name)
        .fetch_one(connection)
        .await
        .context("the copy of the dataset could not be locked")
}

/// One process at a time copies or sweeps.
async fn turn(url: &str) -> anyhow::Result<PgConnection> {
    let mut turn = maintenance(url).await?;
    migrations::lock(&mut turn, PATIENCE).await?;
    Ok(turn)
}

/// A connection to a database that nobody copies.
async fn maintenance(url: &str) -> anyhow::Result<PgConnection> {
    Ok(migrations::connect(&databases::with_database(url, "postgres")?, APPLICATION).await?)
}
