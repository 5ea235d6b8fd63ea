//! One case, done in one way.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::judge::Judgement;
use super::watch::Watch;
use crate::stats::proportion;

/// Confidence of the upper bound of a share.
const CONFIDENCE: f64 = 0.95;

/// How the transactions of a case are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// Requests to the API of the server.
    Api,
    /// Plain SQL, in the order that the server keeps.
    Sql,
    /// Plain SQL without that order.
    Control,
}

impl Way {
    /// Its name in tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Sql => "sql",
            Self::Control => "control",
        }
    }
}

/// What a control has to show, and what must never be seen otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Proof {
    /// Deadlocks.
    Deadlocks,
    /// Updates that others have overwritten.
    LostUpdates,
}

/// What came of one case, done in one way.
///
/// An attempt is a transaction that was begun; one that lost is tried again, which is another attempt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// Name of the case.
    pub case: String,
    /// What happens in it, in one sentence.
    pub what: String,
    /// How the transactions are made.
    pub way: Way,
    /// What the control of this case has to show.
    pub proof: Proof,
    /// Writers at once.
    pub threads: u32,
    /// Rows of one transaction.
    pub rows: u32,
    /// Transactions that it was to have.
    pub asked: u64,
    /// Transactions that came to an end, well or not. It ends early once it has deadlocked 25 times.
    pub transactions: u64,
    /// Of these, committed ones.
    pub commits: u64,
    /// Of all, those that were under way at the same time as another.
    pub overlapped: u64,
    /// Of these, those that met one with one of the same rows, without which there is nothing to wait for; `None` where all
    /// rows are new, so that nobody shares them.
    pub met: Option<u64>,
    /// Attempts that lost in a deadlock, as clients saw it: SQLSTATE 40P01, or through the API the server's own retries
    /// and its answers that it gave up.
    pub deadlocks: u64,
    /// Deadlocks that the database counted meanwhile; `None` where it keeps no statistics.
    pub counted_by_server: Option<u64>,
    /// Whether nobody else used the database: it was a copy, and all sessions of the trial had ended. If not, the database may
    /// have counted the deadlocks of others.
    #[serde(default)]
    pub alone: bool,
    /// Attempts that lost to a serialization failure (40001).
    pub serialization_failures: u64,
    /// Attempts that waited too long for a lock (55P03).
    pub lock_timeouts: u64,
    /// Attempts beyond the first of their transaction.
    pub retries: u64,
    /// Transactions that lost every time and were given up.
    pub given_up: u64,
    /// Whatever else went wrong: what, and how often.
    pub failures: BTreeMap<String, u64>,
    /// A counter in the rows that each committed change adds to; `None` where there was none.
    pub counter: Option<Counter>,
    /// Index builds that came to an end meanwhile, well or not; `None` where none was to.
    pub index_builds: Option<u64>,
    /// Milliseconds after which a waiting session looks for a deadlock (`deadlock_timeout`) in the sessions of this trial.
    pub deadlock_timeout_ms: f64,
    /// How long it took.
    pub seconds: f64,
    /// Who waited for whom.
    pub watch: Watch,
    /// What it proves.
    pub judgement: Judgement,
}

/// What a counter should be, and what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counter {
    /// Changes that were committed.
    pub expected: i64,
    /// Changes that are in the rows.
    pub found: i64,
}

impl Counter {
    /// Changes that are missing; below zero if there are more than were committed.
    #[must_use]
    pub fn lost(self) -> i64 {
        self.expected - self.found
    }
}

impl Trial {
    /// Transactions that were begun, each try of them.
    #[must_use]
    pub fn attempts(&self) -> u64 {
        self.transactions + self.retries
    }

    /// The share of attempts that lose in a deadlock is below this, at 95 %; without a deadlock that is 3/n. `None` without
    /// an attempt.
    #[must_use]
    pub fn bound(&self) -> Option<f64> {
        proportion(self.deadlocks, self.attempts(), CONFIDENCE)?.high
    }

    /// Deadlocks as clients saw them or as the server counted them, whichever is more; the latter only where it could have
    /// counted nobody else's.
    #[must_use]
    pub fn most_deadlocks(&self) -> u64 {
        // Clients may be told of fewer than there were, and the counters of a server without statistics of none.
        let counted = self.counted_by_server.filter(|_| self.alone);
        self.deadlocks.max(counted.unwrap_or(0))
    }

    /// Updates that were lost; `None` where nothing counted them.
    #[must_use]
    pub fn lost(&self) -> Option<i64> {
        self.counter.map(Counter::lost)
    }
}
