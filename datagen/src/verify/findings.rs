//! What was found, as plain data: it prints as JSON as it is.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::spec::Spec;

/// All that verifying has to say about a database.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verification {
    /// Name of the database.
    pub database: String,
    /// The moment whose rows were read, by the database's clock.
    pub taken_at: DateTime<Utc>,
    /// The level of the schema; `None` if it is between two levels.
    pub level: Option<String>,
    /// The version of the rows.
    pub version: u32,
    /// The specification in the ledger.
    pub spec: Spec,
    /// When the load was done.
    pub loaded_at: Option<DateTime<Utc>>,
    /// Whether only what one pass over the rows shows was looked at.
    pub is_quick: bool,
    /// The tables in the order of loading.
    pub tables: Vec<TableFinding>,
    /// Everything else that was looked at.
    pub checks: Vec<Check>,
}

impl Verification {
    /// Whether every table holds exactly the rows that were loaded into it.
    #[must_use]
    pub fn rows_are_as_loaded(&self) -> bool {
        self.tables.iter().all(|table| table.is_equal && !table.is_other_generator())
    }

    /// Whether rows and everything else are as they should be.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.rows_are_as_loaded() && self.failures().next().is_none()
    }

    /// The checks that failed.
    pub fn failures(&self) -> impl Iterator<Item = &Check> {
        self.checks.iter().filter(|check| check.verdict == Verdict::Failed)
    }
}

/// Rows, and the sum over them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sum {
    /// Rows.
    pub rows: u64,
    /// Sum over the rows, in hexadecimal, see [`crate::checksum`].
    pub checksum: String,
}

/// A table, row by row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TableFinding {
    /// Its name.
    pub table: String,
    /// What the database holds.
    pub held: Sum,
    /// What the generator writes today.
    pub expected: Sum,
    /// What the ledger says was loaded; `None` for a table that came after the load.
    pub loaded: Option<Sum>,
    /// Whether the rows are those that the generator writes.
    pub is_equal: bool,
    /// What is different; `None` if nothing is, or nobody asked.
    pub changes: Option<Changes>,
}

impl TableFinding {
    /// Whether the generator writes other rows today than were loaded, which a change of the version should have said.
    /// Then nothing can be told about changes.
    #[must_use]
    pub fn is_other_generator(&self) -> bool {
        self.loaded.as_ref().is_some_and(|loaded| *loaded != self.expected)
    }
}

/// What is different between the rows of a table and those that were loaded.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Changes {
    /// Whether the numbers are scaled up from a sample, because too many rows may differ.
    pub is_estimated: bool,
    /// Rows whose key was not loaded.
    pub added: Change,
    /// Rows that were loaded and whose key is gone.
    pub removed: Change,
    /// Rows whose key was loaded with other values.
    pub changed: Change,
    /// In how many of the changed rows each column differs, most first; columns that nowhere differ are left out.
    pub columns: Vec<(String, u64)>,
    /// `created_at` of the earliest of the added rows, where the table has it.
    pub added_from: Option<DateTime<Utc>>,
    /// `created_at` of the latest of the added rows.
    pub added_to: Option<DateTime<Utc>>,
}

/// Rows that differ in one way.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// How many.
    pub rows: u64,
    /// The least keys of them, at most three.
    pub examples: Vec<String>,
}

/// What a check is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Group {
    /// Ids that refer to rows.
    References,
    /// The totals of each customer against their calls.
    Totals,
    /// How often values occur, and how rows are spread.
    Distributions,
    /// Indexes, triggers, statistics.
    Health,
}

/// How a check went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// As expected.
    Passed,
    /// Not as expected.
    Failed,
    /// A number to know; nothing is expected of it.
    Noted,
}

/// A number with its kind.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Figure {
    /// So many rows, indexes, workspaces.
    Count(u64),
    /// A part of the rows, 0 to 1.
    Share(f64),
    /// A correlation, -1 to 1.
    Correlation(f64),
}

/// Something that was looked at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Check {
    /// What it is about.
    pub group: Group,
    /// What was looked at: `call.customer_id without its customer of the same workspace`.
    pub name: String,
    /// What was found.
    pub observed: Figure,
    /// What should be; for a correlation the least that it should be.
    pub expected: Option<Figure>,
    /// How far the two may be apart; exact if there is none.
    pub tolerance: Option<Figure>,
    /// How it went.
    pub verdict: Verdict,
    /// A few ids or names of what is wrong, at most three.
    pub examples: Vec<String>,
}

impl Check {
    /// There should be none of it.
    pub(super) fn none(group: Group, name: impl Into<String>, found: u64, examples: Vec<String>) -> Self {
        Self { examples, ..Self::exactly(group, name, found, 0) }
    }

    /// There should be exactly so many.
    pub(super) fn exactly(group: Group, name: impl Into<String>, found: u64, expected: u64) -> Self {
        Self {
            group,
            name: name.into(),
            observed: Figure::Count(found),
            expected: Some(Figure::Count(expected)),
            tolerance: None,
            verdict: if found == expected { Verdict::Passed } else { Verdict::Failed },
            examples: Vec::new(),
        }
    }

    /// A number to know.
    pub(super) fn noted(group: Group, name: impl Into<String>, found: Figure) -> Self {
        Self {
            group,
            name: name.into(),
            observed: found,
            expected: None,
            tolerance: None,
            verdict: Verdict::Noted,
            examples: Vec::new(),
        }
    }
}
