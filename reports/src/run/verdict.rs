//! What the budgets said of a run.

use serde::{Deserialize, Serialize};

/// What a budget rule said about the run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Verdict {
    /// The section of `budgets.toml`.
    pub budget: String,
    /// The rule as written.
    pub rule: String,
    /// [`Subject::name`](super::Subject::name) that was judged.
    pub subject: String,
    /// The operation that was judged.
    pub operation: String,
    /// What was measured; `None` when there was nothing to judge.
    pub observed: Option<Observed>,
    /// The limit, in the unit of [`Observed`].
    pub limit: f64,
    /// Pass, fail, or neither.
    pub outcome: Outcome,
    /// `1 - observed / limit` for upper limits: the share of the budget that is left; `None` where that has no
    /// meaning.
    pub headroom: Option<f64>,
    /// One sentence on why.
    pub reason: String,
    /// For a ratio: the subject or operation that was the base.
    #[serde(default)]
    pub against: Option<String>,
    /// On which side of the limit the value has to stay.
    #[serde(default)]
    pub bound: Bound,
    /// What an answer other than a pass does to the run, by the policy in force when it was judged.
    #[serde(default)]
    pub weight: Weight,
}

/// The side of the limit on which a value has to stay.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// Below it: `<`, `<=`.
    #[default]
    Upper,
    /// Above it: `>`, `>=`.
    Lower,
    /// On it: `=`.
    Exact,
}

/// What a verdict that is not a pass does to the exit code of the run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Weight {
    /// The run fails (exit code 1).
    #[default]
    Fail,
    /// The run could not be judged (exit code 2), unless something else fails it.
    Undecided,
    /// The run passes, and the verdict is shown as a warning.
    Warn,
    /// The run passes.
    Pass,
}

/// A measured value with its interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Observed {
    /// The estimate.
    pub value: f64,
    /// Lower end of the interval at the policy's confidence; `None` with too few samples for one.
    pub low: Option<f64>,
    /// Upper end; `None` with too few samples for one, or too many failed requests.
    pub high: Option<f64>,
    /// What the numbers are.
    pub unit: Unit,
    /// Samples behind it: requests, or rounds for a ratio.
    pub samples: u64,
}

/// The unit of a judged value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Microseconds.
    Microseconds,
    /// A share between 0 and 1.
    Share,
    /// A count.
    Count,
    /// A count per request.
    PerRequest,
    /// Bytes per request.
    BytesPerRequest,
    /// Requests per second.
    PerSecond,
    /// A multiple of another subject's value.
    Ratio,
}

/// The three answers of a budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The whole interval satisfies the rule.
    Pass,
    /// None of it does.
    Fail,
    /// The interval straddles the limit, there were too few samples, or the run was invalid.
    Inconclusive,
}
