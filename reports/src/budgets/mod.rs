//! Budgets: limits in a file, and the verdicts they give over a run.
//!
//! A budget file is TOML with one section per budget; each holds rules such as `p95 < 500ms` or
//! `statements/req < 10`. [`parse`] reads it and refuses whatever could hide a mistake: unknown words, missing units,
//! rules that can never hold or never fail. [`judge`] holds each rule against the run and answers *pass* when the
//! whole interval of the measured value satisfies it, *fail* when none of it does, *inconclusive* otherwise.
//! [`exit_code`] turns the answers into what a CI job obeys.

mod evidence;
mod exit;
mod file;
mod judge;
mod metric;
mod rule;
mod run;
mod soundness;
pub mod words;

pub use crate::document::Error;
pub use evidence::{Evidence, Kind, Measured};
pub(crate) use evidence::{exact, nothing};
pub use exit::{exit_code, exit_code_of};
pub use file::parse;
pub use judge::judge;
pub use metric::{Metric, Quantity, Tally};
pub use rule::Rule;

use crate::run::Weight;
use crate::summary::Case;

/// Reads one rule about response times or errors that stands by itself. The error says what is wrong, without an end.
pub fn rule(text: &str) -> Result<Rule, String> {
    Rule::parse(text, metric::List::Latency).map_err(|mistake| mistake.sentence(text))
}

/// The budget file that is used when the user names none: the one at the root of the project.
pub const DEFAULT: &str = include_str!("../../../budgets.toml");

/// A budget file, read and found sound.
#[derive(Debug, Clone, PartialEq)]
pub struct Budgets {
    /// How sure to be, and what an answer other than a pass does.
    pub policy: Policy,
    /// The budgets in the order of the file.
    pub budgets: Vec<Budget>,
}

impl Budgets {
    /// The budgets that speak of what was to be measured: of its operations, its subjects, bases that it has, and what could
    /// be counted there.
    ///
    /// For the default file on a run of part of the demo. A file that the user named is judged whole, so that a
    /// misspelt name fails instead of dropping out.
    #[must_use]
    pub fn applicable_to(&self, evidence: &dyn Evidence) -> Self {
        let (subjects, planned) = (evidence.subjects(), evidence.planned());
        let subject = |name: &str| subjects.iter().any(|known| known == name);
        let operation = |name: &str| planned.iter().any(|known| known == name);
        let budgets = self
            .budgets
            .iter()
            .filter(|budget| budget.kind == evidence.kind())
            .filter(|budget| subject(&budget.subject) && operation(&budget.operation))
            .map(|budget| {
                let mut budget = budget.clone();
                let case = Case { subject: &budget.subject, operation: &budget.operation };
                budget.rules.retain(|rule| evidence.is_counted(case, rule.metric));
                budget.versus.retain(|versus| subject(&versus.base) || operation(&versus.base));
                budget
            })
            .filter(|budget| !(budget.rules.is_empty() && budget.versus.is_empty()))
            .collect();
        Self { policy: self.policy, budgets }
    }
}

/// The `[policy]` section.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Policy {
    /// The confidence of each end of an interval, between 0.5 and 1 (exclusive); 0.95 unless given.
    pub confidence: f64,
    /// What a verdict does whose interval straddles the limit, or whose samples are too few or not to be trusted.
    pub inconclusive: Weight,
    /// What a rule does whose operation, subject or metric the run does not have.
    pub no_data: Weight,
}

impl Default for Policy {
    fn default() -> Self {
        Self { confidence: 0.95, inconclusive: Weight::Undecided, no_data: Weight::Fail }
    }
}

/// The rules of a section about one subject under one operation; a section that lists several has a budget for each pair.
#[derive(Debug, Clone, PartialEq)]
pub struct Budget {
    /// Name of the section.
    pub name: String,
    /// What made the results that it is about: a run unless a lab is given.
    pub kind: Kind,
    /// The operation it is about; the name of the section unless given.
    pub operation: String,
    /// The subject it is about; `live` unless given, which a section about a lab has to do.
    pub subject: String,
    /// Rules on the subject itself: `work`, then `latency`, then `counts`.
    pub rules: Vec<Rule>,
    /// Rules against another subject or operation of the same run.
    pub versus: Vec<Versus>,
}

/// Rules whose limits are multiples of what a base measured in the same run.
#[derive(Debug, Clone, PartialEq)]
pub struct Versus {
    /// A subject (then under the same operation), or an operation (then of the same subject).
    pub base: String,
    /// The rules; their limits are multiples.
    pub rules: Vec<Rule>,
}
