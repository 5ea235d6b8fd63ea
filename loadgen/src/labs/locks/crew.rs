//! The writers of a trial: each takes the next number, does its turn, and tries again what lost, as the server does.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use reports::labs::locks::{Proof, Way};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::api::{ApiHand, Said};
use super::case::{Case, Turn, Work};
use super::encounters::{Encounters, Taken};
use super::rows::Rows;
use super::sql::SqlHand;
use super::tally::{Loss, Tally};
use super::{Error, Server};

/// How often a transaction that lost is tried again, and the longest pause before the first retry, which doubles with each:
/// what the reference server does.
const MOST_RETRIES: u32 = 3;
const FIRST_PAUSE: Duration = Duration::from_millis(20);

/// So many deadlocks are proof enough, that a control does what it must, or that something in order does what it must not.
const ENOUGH: u64 = 25;

/// What all writers of a trial share.
#[derive(Debug, Clone)]
pub(super) struct Crew {
    pub(super) url: String,
    pub(super) server: Option<Server>,
    pub(super) case: &'static Case,
    pub(super) way: Way,
    pub(super) threads: u32,
    pub(super) transactions: u64,
    pub(super) seed: u64,
    pub(super) rows: Rows,
    pub(super) tally: Arc<Tally>,
    pub(super) encounters: Arc<Encounters>,
    pub(super) stop: CancellationToken,
}

impl Crew {
    /// Lets all of them write until the transactions are done.
    pub(super) async fn work(self) -> Result<(), Error> {
        let next = Arc::new(AtomicU64::new(0));
        let mut hands = Vec::new();
        for _ in 0..self.threads {
            hands.push(self.hand().await?);
        }
        let mut writers = JoinSet::new();
        for (writer, mut hand) in hands.into_iter().enumerate() {
            let (crew, next) = (self.clone(), Arc::clone(&next));
            writers.spawn(async move {
                let outcome = crew.write(writer, &mut hand, &next).await;
                if let Some(sql) = hand.sql {
                    sql.close().await;
                }
                outcome
            });
        }
        while let Some(writer) = writers.join_next().await {
            writer.map_err(|error| Error::Load(crate::Error::Engine { what: error.to_string() }))??;
        }
        Ok(())
    }

    async fn hand(&self) -> Result<Hand, Error> {
        let needs_sql = self.server.is_none() || self.case.work == Work::DeleteOrUpdate;
        let sql = if needs_sql {
            let opened = SqlHand::open(&self.url, &self.rows, self.way, self.seed).await;
            Some(opened.map_err(|source| Error::Database { doing: "open a session for a writer", source })?)
        } else {
            None
        };
        let api = self.server.as_ref().map(|server| ApiHand::open(server, &self.rows)).transpose()?;
        Ok(Hand { sql, api })
    }

    async fn write(&self, writer: usize, hand: &mut Hand, next: &AtomicU64) -> Result<(), Error> {
        while !self.stop.is_cancelled() && !self.is_decided() {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= self.transactions {
                break;
            }
            let turn = self.case.turn(self.way, self.threads, self.seed, number);
            self.encounters.begin(writer, Taken::by(&turn));
            let outcome = match (&hand.api, &mut hand.sql) {
                (Some(api), _) => Ok(self.ask(api, &turn).await),
                (None, Some(sql)) => self.retried(sql, Do::Turn(&turn)).await,
                (None, None) => break,
            };
            let met = self.encounters.end(writer);
            let committed = outcome?;
            self.tally.note(|counts| {
                counts.transactions += 1;
                counts.commits += u64::from(committed);
                counts.overlapped += u64::from(met.anybody);
                counts.met += u64::from(met.with_a_row);
            });
            if let (Turn::Delete(picks), Some(sql)) = (&turn, &mut hand.sql) {
                self.retried(sql, Do::Revive(picks)).await?;
            }
        }
        Ok(())
    }

    /// Whether more would show no more.
    fn is_decided(&self) -> bool {
        self.case.proof == Proof::Deadlocks && self.tally.counts().deadlocks >= ENOUGH
    }

    /// One request; whether it changed what it should.
    async fn ask(&self, api: &ApiHand, turn: &Turn) -> bool {
        match api.attempt(turn).await {
            Said::Changed(rows) => {
                self.changed(rows);
                return true;
            }
            // The server has tried it several times; the last of them is no retry.
            Said::Contended => self.tally.note(|counts| {
                counts.deadlocks += 1;
                counts.given_up += 1;
            }),
            Said::Failed(what) => self.tally.failed(what),
        }
        false
    }

    /// One transaction with its retries; whether it was committed.
    async fn retried(&self, sql: &mut SqlHand, what: Do<'_>) -> Result<bool, Error> {
        for retry in 0..=MOST_RETRIES {
            let attempt = match what {
                Do::Turn(turn) => sql.attempt(turn).await,
                Do::Revive(picks) => sql.revive(picks).await,
            };
            let error = match attempt {
                Ok(rows) => {
                    self.changed(rows);
                    return Ok(true);
                }
                Err(error) => error,
            };
            let Some(loss) = Loss::of(&error) else {
                let Some(said) = error.as_database_error() else {
                    return Err(Error::Database { doing: "write", source: error });
                };
                self.tally.failed(said.message().to_owned());
                return Ok(false);
            };
            self.tally.lost(loss);
            if loss == Loss::LockTimeout || retry == MOST_RETRIES {
                break;
            }
            self.tally.note(|counts| counts.retries += 1);
            tokio::time::sleep(rand::random_range(Duration::ZERO..FIRST_PAUSE * 2_u32.pow(retry))).await;
        }
        self.tally.note(|counts| counts.given_up += 1);
        Ok(false)
    }

    fn changed(&self, rows: u64) {
        self.tally.note(|counts| counts.changes += i64::try_from(rows).unwrap_or(i64::MAX));
    }
}

/// What a writer writes with. Through the API it still needs a session where it brings back what it has deleted.
#[derive(Debug)]
struct Hand {
    sql: Option<SqlHand>,
    api: Option<ApiHand>,
}

#[derive(Clone, Copy)]
enum Do<'a> {
    Turn(&'a Turn),
    Revive(&'a [usize]),
}
