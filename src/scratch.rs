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

/// What is said when a connection can't be closed.
const DISORDER: &str = "the private PostgreSQL could not be left in order";

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
        let turn = turn(url, stop).await?;
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
        turn.close().await.context(DISORDER)?;
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
        self.claim.close().await.context(DISORDER)
    }
}

/// Drops the copies that nobody holds.
pub(crate) async fn sweep(place: &Place, stop: &CancellationToken) -> anyhow::Result<()> {
    if !place.is_private() {
        return Ok(());
    }
    let mut connection = maintenance(place.url()).await?;
    if !copies(&mut connection).await?.is_empty() {
        // Who makes a copy has the turn until it is held and there.
        let turn = turn(place.url(), stop).await?;
        drop_unheld(&mut connection, place.url()).await?;
        turn.close().await.context(DISORDER)?;
    }
    connection.close().await.context(DISORDER)
}

/// Drops them and holds none of their names after it: the next to want one may be this process, over another connection.
async fn drop_unheld(connection: &mut PgConnection, url: &str) -> anyhow::Result<()> {
    for name in copies(connection).await? {
        if claimed(connection, &name).await? {
            databases::drop(&databases::with_database(url, &name)?).await?;
            sqlx::query("SELECT pg_advisory_unlock(hashtextextended('callbench writes to ' || $1, 0))")
                .bind(&name)
                .execute(&mut *connection)
                .await
                .context("the lock on a copy of the dataset could not be given back")?;
        }
    }
    Ok(())
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
async fn turn(url: &str, stop: &CancellationToken) -> anyhow::Result<PgConnection> {
    let mut turn = maintenance(url).await?;
    match stop.run_until_cancelled(migrations::lock(&mut turn, PATIENCE)).await {
        Some(taken) => taken?,
        None => return Err(Interrupted.into()),
    }
    Ok(turn)
}

/// A connection to a database that nobody copies.
async fn maintenance(url: &str) -> anyhow::Result<PgConnection> {
    Ok(migrations::connect(&databases::with_database(url, "postgres")?, APPLICATION).await?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stop::is_interruption;

    #[tokio::test]
    async fn a_copy_that_was_left_behind_is_swept_and_its_name_is_free_again() {
        let cluster = cluster::testing::cluster().await;
        let name = format!("callbench_{}_written", std::process::id());
        let left = cluster.url(&name);
        databases::ensure(&left).await.unwrap();
        let mut sweeping = maintenance(&left).await.unwrap();
        let mut other = maintenance(&left).await.unwrap();

        // While it is held it stays.
        assert!(claimed(&mut other, &name).await.unwrap());
        drop_unheld(&mut sweeping, &left).await.unwrap();
        assert!(databases::exists(&left).await.unwrap());
        other.close().await.unwrap();

        // The server notices the end of a session a moment after it.
        let mut other = maintenance(&left).await.unwrap();
        let begun = Instant::now();
        while databases::exists(&left).await.unwrap() {
            assert!(begun.elapsed() < Duration::from_mins(1), "it is still there");
            drop_unheld(&mut sweeping, &left).await.unwrap();
        }
        assert!(claimed(&mut other, &name).await.unwrap(), "the sweep holds its name still");
    }

    #[tokio::test]
    async fn who_waits_for_its_turn_can_be_stopped() {
        let url = cluster::testing::cluster().await.url("postgres");
        let stop = CancellationToken::new();
        let held = turn(&url, &stop).await.unwrap();
        let waiting = tokio::spawn({
            let (url, stop) = (url.clone(), stop.clone());
            async move { turn(&url, &stop).await.map(drop) }
        });
        tokio::task::yield_now().await;
        stop.cancel();
        let error = waiting.await.unwrap().expect_err("the turn is another's");
        assert!(is_interruption(&error), "{error:#}");
        held.close().await.unwrap();
    }
}
