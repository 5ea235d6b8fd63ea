//! A part of a schedule that several processes send together, each without knowing of the others.
//!
//! All of them draw the same arrivals and keep those whose number is theirs, so nobody has to coordinate them but a
//! clock: [`crate::Plan::start_at`] says when the window opens for all.

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use reports::run::OnOverload;
use sha2::{Digest as _, Sha256};

use crate::load::{Load, Open};
use crate::plan::Plan;

/// Whoever is later than this is no part of the same measurement any more.
pub(crate) const LATEST: Duration = Duration::from_secs(1);

/// Which part of a schedule a process sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    /// From 0, below [`Self::of`].
    pub index: u64,
    /// How many parts there are.
    pub of: u64,
}

impl Shard {
    /// What stands against sending a part of this plan, if anything does: a sentence without an end.
    pub(crate) fn check(self, plan: &Plan) -> Result<(), String> {
        let Self { index, of } = self;
        if index >= of {
            return Err(format!("there is no shard {index} of {of}: shards are counted from 0"));
        }
        match &plan.load {
            Load::Closed { users } => {
                return Err(format!(
                    "its {users} users have no schedule that could be dealt out to {of} shards; give a rate"
                ));
            }
            Load::Open(Open { on_overload: OnOverload::Reduce, .. }) => {
                return Err(format!("each of {of} shards would reduce its rate by itself"));
            }
            Load::Open(_) => {}
        }
        // A second window opens when the first has drained, which is another moment in each process.
        let windows = plan.rounds as usize * plan.scenarios.len();
        if windows != 1 {
            return Err(format!(
                "it has {windows} windows, and shards open only the first one together; make it one scenario or one mix"
            ));
        }
        Ok(())
    }

    /// SHA-256 of everything that has to be the same in all shards of a plan; it leaves out which shard this is.
    pub(crate) fn plan_sha256(self, plan: &Plan, kept: &reports::run::Plan) -> String {
        let mut checksum = Sha256::new();
        for scenario in &plan.scenarios {
            checksum.update(scenario.name.as_bytes());
            for part in &scenario.parts {
                checksum.update(format!("\0{}\0{}", part.operation.name(), part.weight));
            }
            checksum.update("\n");
        }
        let reports::run::Plan { rounds, workspace, page_size, load, cache, seed, .. } = kept;
        let (of, window, start_at) = (self.of, plan.window, plan.start_at);
        checksum.update(format!(
            "{rounds}\n{workspace}\n{page_size}\n{load:?}\n{cache}\n{seed}\n{of}\n{window:?}\n{start_at:?}"
        ));
        checksum.finalize().iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
    }
}

/// The instant of a moment by the clock; the error is by how much it is over, if that is too much.
pub(crate) fn instant_of(start_at: DateTime<Utc>) -> Result<Instant, Duration> {
    let (now, clock) = (Instant::now(), Utc::now());
    match (start_at - clock).to_std() {
        Ok(ahead) => Ok(now + ahead),
        Err(_) => match (clock - start_at).to_std().unwrap_or_default() {
            late if late > LATEST => Err(late),
            _ => Ok(now),
        },
    }
}
