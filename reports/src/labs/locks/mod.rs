//! Deadlocks, lost updates and waits for locks, provoked on purpose.
//!
//! A zero says nothing by itself: perhaps nobody met. So each case is a pair of trials, one in the order that the server
//! keeps and a control without it, which must deadlock under the same load; and a zero stands beside its exposure and the
//! share that it does not rule out (the rule of three: Hanley and Lippman-Hand, JAMA 249, 1983).

mod case;
mod evidence;
mod graph;
mod html;
mod judge;
#[cfg(test)]
mod sample;
pub mod store;
pub mod terminal;
mod trial;
mod watch;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

pub use case::Case;
pub use graph::{Room, graph};
pub use judge::{ENOUGH, Judgement};
pub use trial::{Counter, Proof, Trial, Way};
pub use watch::{Waiting, Watch};

use crate::budgets::exit_code_of;
use crate::run::{Environment, Outcome, Subject, Verdict};

/// The version of the layout of `locks.json`. It grows when a field changes its meaning or goes away.
pub const SCHEMA: u32 = 1;

/// What the lab has found.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Locks {
    /// [`SCHEMA`] at the time of writing.
    pub schema: u32,
    /// The name of the result, which is also the name of its folder.
    pub name: String,
    /// When it began, UTC.
    pub started_at: DateTime<Utc>,
    /// When it ended, UTC.
    pub finished_at: DateTime<Utc>,
    /// The command line that provokes it again.
    pub command: String,
    /// False when it was interrupted.
    pub complete: bool,
    /// Where it ran.
    pub environment: Environment,
    /// The server whose API was used, and the level of its schema.
    pub subject: Subject,
    /// The workspace in which the rows lie, as it was given.
    pub workspace: String,
    /// Transactions that each trial was to have.
    pub transactions: u64,
    /// The figures of each case, which follow from its trials.
    #[serde(default)]
    pub cases: Vec<Case>,
    /// In the order in which they ran.
    pub trials: Vec<Trial>,
    /// What budgets say of it; empty without any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub verdicts: Vec<Verdict>,
    /// What a reader must know.
    pub warnings: Vec<String>,
}

impl Locks {
    /// The same with each trial judged, those of a case together, and with the figures of each case.
    #[must_use]
    pub fn judged(mut self) -> Self {
        judge::judge(&mut self.trials);
        self.cases = case::cases(&self.trials);
        self
    }

    /// 0 when every trial passed and budgets hold, 1 when one failed, 2 when one proves nothing, was never made, or when there is none.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        let any = |outcome| self.trials.iter().any(|trial| trial.judgement.outcome == outcome);
        let of_verdicts = exit_code_of(&self.verdicts);
        if any(Outcome::Fail) || of_verdicts == 1 {
            1
        } else if !self.complete || self.trials.is_empty() || any(Outcome::Inconclusive) {
            2
        } else {
            of_verdicts
        }
    }

    /// The trial and its watch at whose worst moment most sessions waited.
    #[must_use]
    pub fn worst(&self) -> Option<&Trial> {
        let waiting = |trial: &&Trial| trial.watch.worst.as_ref().map(|worst| worst.waiting);
        self.trials.iter().filter(|trial| waiting(trial).is_some()).max_by_key(waiting)
    }
}
