//! One trial: its writers, whoever looks on meanwhile, and what both sides have counted in the end.

use std::sync::Arc;
use std::time::{Duration, Instant};

use reports::labs::locks::{Counter, Judgement, Proof, Trial, Watch, Way};
use sqlx::PgConnection;
use tokio_util::sync::CancellationToken;

use super::case::Work;
use super::crew::Crew;
use super::encounters::Encounters;
use super::tally::Tally;
use super::{Case, Error, Lab, Server, api, index_build, rows};
use crate::probes::{Kept, LockWatch};

/// How often the locks are looked at.
const PERIOD: Duration = Duration::from_millis(50);

/// A control that has not shown yet what it must is given as many transactions, however few the others have.
const CONTROL_AT_LEAST: u64 = 2_000;

/// How long the sessions of a trial may take to end.
const ENDING: Duration = Duration::from_secs(10);

/// A trial whose writers are done. [`Lab::count`] makes the result of it.
#[derive(Debug)]
pub struct Provoked {
    trial: Trial,
    deadlocks_before: Option<i64>,
    /// What the rows were before, where they are not set to zero.
    counter_before: i64,
    expected: i64,
    is_counting: bool,
}

impl Lab {
    /// Lets the writers of a case write, in one way; `server` is asked where the way is its API.
    pub async fn provoke(
        &mut self,
        case: &'static Case,
        way: Way,
        server: Option<&Server>,
    ) -> Result<Provoked, Error> {
        let failed = |source| Error::Database { doing: "prepare a trial", source };
        // No two trials make the same keys.
        self.seed = self.seed.wrapping_add(1);
        let threads = self.setup.threads.unwrap_or(case.threads);
        let transactions = match way {
            Way::Control => self.setup.transactions.max(CONTROL_AT_LEAST),
            Way::Sql | Way::Api => self.setup.transactions,
        };
        self.rows.reset(&mut self.db).await.map_err(failed)?;
        let is_counting = way == Way::Api && self.setup.may_alter && counts_changes(case);
        if is_counting {
            rows::count_changes(&mut self.db).await.map_err(failed)?;
        }
        let counter_before = self.counter(case).await.map_err(failed)?;
        let deadlocks_before = deadlocks(&mut self.db).await.map_err(failed)?;
        let deadlock_timeout_ms = self.deadlock_timeout_ms(way).await.map_err(failed)?;
        let retries_before = match server {
            Some(server) => api::retries(server).await?,
            None => 0,
        };
        let (seconds, tally, watch, index_builds) =
            self.run(case, way, threads, transactions, server).await?;
        let mut counts = tally.counts();
        if let Some(server) = server {
            let tried_again = api::retries(server).await?.saturating_sub(retries_before);
            counts.retries += tried_again;
            // Each retry of the server is a deadlock: at its level of isolation nothing else loses.
            counts.deadlocks += tried_again;
        }
        let trial = Trial {
            case: case.name.to_owned(),
            what: if threads == case.threads {
                case.what.to_owned()
            } else {
                format!("{} Here there are {threads} writers.", case.what)
            },
            way,
            proof: case.proof,
            threads,
            rows: u32::try_from(case.rows).unwrap_or(u32::MAX),
            asked: transactions,
            transactions: counts.transactions,
            commits: counts.commits,
            overlapped: counts.overlapped,
            met: (way != Way::Api || case.work != Work::Insert).then_some(counts.met),
            deadlocks: counts.deadlocks,
            counted_by_server: None,
            alone: false,
            serialization_failures: counts.serialization_failures,
            lock_timeouts: counts.lock_timeouts,
            retries: counts.retries,
            given_up: counts.given_up,
            failures: counts.failures,
            counter: None,
            index_builds,
            deadlock_timeout_ms,
            seconds,
            watch,
            judgement: Judgement::default(),
        };
        Ok(Provoked { trial, deadlocks_before, counter_before, expected: counts.changes, is_counting })
    }

    async fn run(
        &mut self,
        case: &'static Case,
        way: Way,
        threads: u32,
        transactions: u64,
        server: Option<&Server>,
    ) -> Result<(f64, Arc<Tally>, Watch, Option<u64>), Error> {
        let failed = |source| Error::Database { doing: "look at the locks", source };
        let url = self.setup.database_url.clone();
        let tally = Arc::new(Tally::default());
        let crew = Crew {
            url: url.clone(),
            server: server.cloned(),
            case,
            way,
            threads,
            transactions,
            seed: self.seed,
            rows: self.rows.clone(),
            tally: Arc::clone(&tally),
            encounters: Arc::new(Encounters::new(threads)),
            stop: self.setup.stop.clone(),
        };
        let watched = CancellationToken::new();
        let watch = LockWatch::open(&url, PERIOD, Kept::Strip).await.map_err(failed)?;
        let watching = tokio::spawn(watch.run(watched.clone(), |_| {}));
        let begun = Instant::now();
        let outcome = if case.work == Work::UpdateBesideIndexBuild {
            let written = CancellationToken::new();
            let building = index_build::build(&url, &tally, &written, &self.setup.stop);
            let writing = async {
                let outcome = crew.work().await;
                written.cancel();
                outcome
            };
            let (writing, building) = tokio::join!(writing, building);
            writing.and(building.map(Some))
        } else {
            crew.work().await.map(|()| None)
        };
        let seconds = begun.elapsed().as_secs_f64();
        watched.cancel();
        let watch = watching.await.map_err(|error| crate::Error::Engine { what: error.to_string() })?;
        Ok((seconds, tally, watch, outcome?))
    }

    /// What the database has counted. The server of the trial has to be gone, because its sessions hand in what they know with
    /// their end.
    pub async fn count(&mut self, provoked: Provoked) -> Result<Trial, Error> {
        let failed = |source| Error::Database { doing: "count", source };
        let Provoked { mut trial, deadlocks_before, counter_before, expected, is_counting } = provoked;
        let have_ended = self.sessions_end().await.map_err(failed)?;
        trial.alone = self.setup.may_alter && have_ended;
        let counted = deadlocks(&mut self.db).await.map_err(failed)?;
        trial.counted_by_server =
            deadlocks_before.zip(counted).and_then(|(before, now)| u64::try_from(now - before).ok());
        trial.watch.deadlocks = trial.counted_by_server;
        let case = Case::named(&trial.case);
        let is_counted =
            case.is_some_and(|case| trial.way != Way::Api || is_counting || !counts_changes(case));
        if let Some(case) = case.filter(|_| is_counted) {
            let found = self.counter(case).await.map_err(failed)? - counter_before;
            trial.counter = Some(Counter { expected, found });
        }
        if is_counting {
            rows::stop_counting(&mut self.db).await.map_err(failed)?;
        }
        Ok(trial)
    }

    /// What each change adds to.
    async fn counter(&mut self, case: &Case) -> Result<i64, sqlx::Error> {
        match case.work {
            Work::Insert => self.rows.made(&mut self.db).await,
            Work::Calls => self.rows.totals(&mut self.db).await,
            _ => self.rows.counted(&mut self.db).await,
        }
    }

    /// That of the lab's own sessions, or that of any other.
    async fn deadlock_timeout_ms(&mut self, way: Way) -> Result<f64, sqlx::Error> {
        if way != Way::Api {
            return rows::deadlock_timeout_ms(&mut self.db).await;
        }
        let mut plain = <PgConnection as sqlx::Connection>::connect(&self.setup.database_url).await?;
        let timeout = rows::deadlock_timeout_ms(&mut plain).await?;
        sqlx::Connection::close(plain).await?;
        Ok(timeout)
    }

    /// Waits until the sessions that began after the lab's first are gone, and says whether they are; not for ever, because
    /// somebody else's may be among them.
    async fn sessions_end(&mut self) -> Result<bool, sqlx::Error> {
        let deadline = Instant::now() + ENDING;
        loop {
            let left: i64 = sqlx::query_scalar(
                "SELECT count(*) FROM pg_stat_activity
                  WHERE datname = current_database() AND pid <> pg_backend_pid()
                    AND backend_type = 'client backend' AND backend_start >= $1",
            )
            .bind(self.opened)
            .fetch_one(&mut self.db)
            .await?;
            if left == 0 || Instant::now() >= deadline {
                return Ok(left == 0);
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// Whether the changes of this case are counted in the rows, which the server does not do by itself.
fn counts_changes(case: &Case) -> bool {
    !matches!(case.work, Work::Insert | Work::Calls) && case.proof == Proof::Deadlocks
}

/// The deadlocks of the database so far; `None` where it keeps no statistics.
async fn deadlocks(db: &mut PgConnection) -> Result<Option<i64>, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT CASE WHEN current_setting('track_counts')::bool THEN deadlocks END
           FROM pg_stat_database WHERE datname = current_database()",
    )
    .fetch_one(db)
    .await
}
