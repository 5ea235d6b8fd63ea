//! How far a server keeps to the contract of the API: every check with what was asked, what was expected, what came.
//!
//! Plain data. The load generator asks the server and fills it; [`terminal`] prints it; [`Conformance::offers`] says which
//! scenarios the server can be asked for, so that a load can leave out the others and say why.

mod offers;
mod sample;
pub mod terminal;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

pub use offers::{Offer, SCENARIOS, needed, needed_by};

/// The version of the layout of the JSON. It grows when a field changes its meaning or goes away.
pub const SCHEMA: u32 = 1;

/// What a server answered to all checks that were made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conformance {
    /// [`SCHEMA`] at the time of writing.
    pub schema: u32,
    /// When the first request was sent, UTC.
    pub started_at: DateTime<Utc>,
    /// When the last answer had come, UTC.
    pub finished_at: DateTime<Utc>,
    /// Version of callbench.
    pub callbench: String,
    /// What stands before `/api/v1/`.
    pub base_url: String,
    /// The workspace as it was given.
    pub workspace: String,
    /// How the links of the list name pages.
    pub paging: Paging,
    /// Requests sent.
    pub requests: u64,
    /// The checks, in the order in which they were made.
    pub checks: Vec<Check>,
    /// Ids of customers that the checks have made and could not delete.
    pub left_behind: Vec<String>,
}

/// How the links of a list name pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Paging {
    /// By an opaque cursor.
    Cursors,
    /// By `page=2`, which the contract allows as a variant.
    Numbers,
    /// The list had no second page, so nobody knows.
    Unknown,
}

/// One thing that the contract says, held against the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// Snake case, a sentence: `next_and_previous_walk_the_same_rows`. Stable, so that scripts can name it.
    pub name: String,
    /// The part of the API that it is about, which `--only` names: `pages`.
    pub group: String,
    /// The section of the contract: `3 Cursors`.
    pub section: String,
    /// What became of it.
    pub outcome: Outcome,
    /// The requests that it sent, as `GET http://…`; of many the first ones.
    pub asked: Vec<String>,
}

/// What became of a check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum Outcome {
    /// Everything is as the contract says.
    Conforms,
    /// Something is not.
    Differs {
        /// What; at least one.
        differences: Vec<Difference>,
    },
    /// The server does not offer it: 404, 405 or 501 where there should be an answer.
    Missing {
        /// What said so.
        reason: String,
    },
    /// It could not be checked.
    Skipped {
        /// What it takes.
        reason: String,
    },
}

/// Something that is not as the contract says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// The request: `GET http://…`.
    pub asked: String,
    /// What the contract says, in words.
    pub expected: String,
    /// What came, shortened.
    pub seen: String,
}

/// How many checks ended in which way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Everything is as the contract says.
    pub conforms: usize,
    /// Something is not.
    pub differs: usize,
    /// Not offered.
    pub missing: usize,
    /// Not checked.
    pub skipped: usize,
}

impl Conformance {
    /// The check of this name, if it was made.
    #[must_use]
    pub fn check(&self, name: &str) -> Option<&Check> {
        self.checks.iter().find(|check| check.name == name)
    }

    /// How many checks ended in which way.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for check in &self.checks {
            *match check.outcome {
                Outcome::Conforms => &mut counts.conforms,
                Outcome::Differs { .. } => &mut counts.differs,
                Outcome::Missing { .. } => &mut counts.missing,
                Outcome::Skipped { .. } => &mut counts.skipped,
            } += 1;
        }
        counts
    }

    /// 0 when everything that was checked conforms, 1 when something differs or is missing, 2 when nothing could be
    /// checked.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self.counts() {
            Counts { differs: 0, missing: 0, conforms: 0, .. } => 2,
            Counts { differs: 0, missing: 0, .. } => 0,
            _ => 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_fails_like_what_differs_and_nothing_at_all_is_not_judged() {
        let with = |outcomes: Vec<Outcome>| sample::conformance(outcomes).exit_code();
        let skipped = || Outcome::Skipped { reason: "too few rows".into() };
        let missing = || Outcome::Missing { reason: "404".into() };
        assert_eq!(with(vec![Outcome::Conforms, skipped()]), 0);
        assert_eq!(with(vec![Outcome::Conforms, missing()]), 1);
        assert_eq!(with(vec![sample::differs()]), 1);
        assert_eq!(with(vec![skipped()]), 2);
        assert_eq!(with(vec![]), 2);
    }

    #[test]
    fn it_reads_back_as_it_was_written() {
        let conformance = sample::conformance(vec![Outcome::Conforms, sample::differs()]);
        let json = serde_json::to_string(&conformance).unwrap();
        assert!(json.contains(r#""outcome":{"is":"conforms"}"#), "{json}");
        assert_eq!(serde_json::from_str::<Conformance>(&json).unwrap(), conformance);
    }
}
