//! What rules are held against: a run, or what a lab has found.

use super::metric::Metric;
use crate::run::Unit;
use crate::spelling;
use crate::stats::Estimate;
use crate::summary::Case;

/// What made a result. A budget speaks of one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A run of requests; a budget that names no lab is about these.
    Run,
    /// `callbench writes`.
    Writes,
    /// `callbench locks`.
    Locks,
}

impl Kind {
    /// The labs, by the names that budgets have for them.
    pub(super) const LABS: [(&str, Self); 2] = [("writes", Self::Writes), ("locks", Self::Locks)];
}

/// A result that has something to be judged, for subjects under operations.
pub trait Evidence {
    /// What made it.
    fn kind(&self) -> Kind;

    /// Whether it came to its end.
    fn is_complete(&self) -> bool;

    /// The names of its subjects.
    fn subjects(&self) -> Vec<String>;

    /// The names of the operations that were measured.
    fn operations(&self) -> Vec<String>;

    /// The names of the operations that were to be measured.
    fn planned(&self) -> Vec<String>;

    /// A metric of a case.
    fn absolute(&self, case: Case<'_>, metric: Metric, confidence: f64) -> Measured;

    /// Whether anything counted a metric of a case here; a built-in rule about what nothing could count is left out.
    fn is_counted(&self, _case: Case<'_>, _metric: Metric) -> bool {
        true
    }

    /// A metric of a case that is not counted, as a multiple of that of another.
    fn ratio(&self, case: Case<'_>, base: Case<'_>, metric: Metric, confidence: f64) -> Measured;

    /// Why no time of a case may be judged, whatever it is: a sentence that begins with what is not to be trusted.
    fn distrust(&self, case: Case<'_>) -> Option<String>;
}

/// A measured value, or why there is none.
#[derive(Debug, Clone, PartialEq)]
pub enum Measured {
    /// A value with its interval.
    Value {
        /// The value, in the unit.
        estimate: Estimate,
        /// Its unit.
        unit: Unit,
        /// Requests behind it, or rounds for a ratio.
        samples: u64,
        /// How many samples it takes for both ends of the interval, and what they are.
        needs: (u64, &'static str),
    },
    /// Nothing to judge.
    Missing(String),
}

/// A value without an interval, since it is a fact.
pub(crate) fn exact(value: f64) -> Estimate {
    Estimate { value, low: Some(value), high: Some(value) }
}

pub(crate) fn words(case: Case<'_>) -> String {
    format!("{} under {}", case.subject, case.operation)
}

/// Why a case has no data, with the names that there are.
pub(crate) fn nothing(evidence: &(impl Evidence + ?Sized), case: Case<'_>) -> String {
    let (subjects, operations) = (evidence.subjects(), evidence.operations());
    let (what, name, known) = if !subjects.iter().any(|name| name == case.subject) {
        ("subject", case.subject, subjects)
    } else if !operations.iter().any(|name| name == case.operation) {
        ("operation", case.operation, operations)
    } else {
        return format!("No request of {} was measured.", words(case));
    };
    let meant = spelling::question(spelling::nearest(name, known.iter().map(String::as_str)));
    let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    format!(
        "This run measured no {what} `{name}` (it has: {known}){}",
        if meant.is_empty() { "." } else { &meant }
    )
}
