//! The result of a run, as plain data.
//!
//! A [`Run`] is everything that a measurement leaves behind: what ran, on what, each measured window with its whole
//! histograms, the counted work, the checks, and the verdicts. It is written to `result.json`, and every report,
//! table and comparison is made from it, also years later. Nothing in it points back at a live system.

mod dataset;
mod environment;
mod load;
mod probes;
mod shard;
mod verdict;
mod window;
mod work;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

pub use self::dataset::{Dataset, Phase, TableRows};
pub use self::environment::{DatabaseFacts, Environment};
pub use self::load::{LoadModel, OnOverload, OpenLoop, Process, Replay, WhenBusy};
pub use self::probes::{
    BlockedMoment, DatabaseCounters, DatabaseSample, LockWait, ProbeCost, Probes, ProcessCounters,
    ProcessSample, SessionStates, Sessions, TableCounters, WalCounters,
};
pub use self::shard::Shard;
pub use self::verdict::{Bound, Observed, Outcome, Unit, Verdict, Weight};
pub use self::window::{CpuCost, Second, Timings, Window};
pub use self::work::{Statement, Work};

/// The version of the layout of `result.json`. It grows when a field changes its meaning or goes away.
/// 2: a median of a second that is not known is null instead of 0.
pub const SCHEMA: u32 = 2;

/// One run: a plan carried out over one or more subjects.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Run {
    /// [`SCHEMA`] at the time of writing.
    pub schema: u32,
    /// The name of the run, which is also the name of its folder under `runs/`.
    pub name: String,
    /// When the run began, UTC.
    pub started_at: DateTime<Utc>,
    /// When the last window ended, UTC.
    pub finished_at: DateTime<Utc>,
    /// The command line that runs it again.
    pub command: String,
    /// False when the run was interrupted; such a run is never judged as a pass.
    pub complete: bool,
    /// Where it ran.
    pub environment: Environment,
    /// The rows it ran on; `None` for a target whose database is unknown.
    pub dataset: Option<Dataset>,
    /// What was to be measured.
    pub plan: Plan,
    /// What was measured: one server variant on one level, or somebody's server.
    pub subjects: Vec<Subject>,
    /// Every measured window, in the order in which they ran.
    pub windows: Vec<Window>,
    /// Counted work per request, one entry per subject and operation; empty without a database to ask.
    pub work: Vec<Work>,
    /// What the database and the machine did meanwhile, one entry per subject; empty where nothing was sampled.
    #[serde(default)]
    pub probes: Vec<Probes>,
    /// Correctness checks that accompany the measurement (equal rows between subjects, for instance).
    pub checks: Vec<Check>,
    /// Sentences that a reader must know before they trust a figure.
    pub warnings: Vec<String>,
    /// What the budgets said; empty until judged.
    pub verdicts: Vec<Verdict>,
}

/// What was to be measured.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Plan {
    /// Operations, in the order of the report.
    pub operations: Vec<String>,
    /// Rounds: each measures every subject and operation once (and the control subject once more).
    pub rounds: u32,
    /// The workspace under test, as it was given (slug or UUID).
    pub workspace: String,
    /// Rows per page.
    pub page_size: u32,
    /// Open or closed loop.
    pub load: LoadModel,
    /// How long was waited for the answer to a request, in ms, until it was recorded as the failure `timeout`.
    #[serde(default = "one_minute_ms")]
    pub timeout_ms: u64,
    /// The state of the caches: always `warm` today, after a warm-up that is not measured.
    pub cache: String,
    /// Seed of the arrival schedule and of the shuffled order of windows.
    pub seed: u64,
    /// Which part of the schedule was sent, where several processes sent it together; `None` for the whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<Shard>,
}

/// How long was waited before a plan could say so.
const fn one_minute_ms() -> u64 {
    60_000
}

/// What is measured: one server on one state of the schema.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Subject {
    /// Short name, unique in the run: the server variant (`naive`, `live`), or `target`.
    pub name: String,
    /// Level of the schema (`before`, `indexed`, …), where known.
    pub level: Option<String>,
    /// One sentence on what it is.
    pub description: String,
}

/// A correctness check.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Check {
    /// What was checked, as a sentence that is true when it passes.
    pub name: String,
    /// Whether it held.
    pub passed: bool,
    /// What was seen.
    pub detail: String,
}
