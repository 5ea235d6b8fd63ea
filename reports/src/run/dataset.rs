//! What a run found in the database.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// The rows under test.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Dataset {
    /// Name of the scale, for example `demo`.
    pub scale: String,
    /// Seed of the generator.
    pub seed: u64,
    /// Version of the generator's rows.
    pub version: u32,
    /// The instant that the rows take for "now".
    pub as_of: DateTime<Utc>,
    /// Rows of each table, largest first.
    pub tables: Vec<TableRows>,
    /// How the rows were loaded, where this run (or the one that seeded) recorded it.
    pub phases: Vec<Phase>,
}

/// A table and its number of rows.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TableRows {
    /// Name of the table.
    pub table: String,
    /// Rows in it.
    pub rows: u64,
    /// Rows of it in the workspace under test, where the table has workspaces.
    pub workspace_rows: Option<u64>,
    /// Bytes of the table with TOAST, without indexes.
    pub table_bytes: u64,
    /// Bytes of its indexes.
    pub index_bytes: u64,
}

/// One phase of preparing the data, with its duration.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Phase {
    /// Name of the phase, for example `copy`.
    pub name: String,
    /// When it began, in seconds after the first phase did; `None`: when the one before it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub began_seconds: Option<f64>,
    /// Wall-clock seconds.
    pub seconds: f64,
    /// Rows handled, where that means something.
    pub rows: Option<u64>,
    /// Bytes sent, where that means something.
    pub bytes: Option<u64>,
}

impl Dataset {
    /// Wall-clock seconds from the beginning of the first phase to the end of the last; phases may overlap.
    #[must_use]
    pub fn seeding_seconds(&self) -> f64 {
        let mut end = 0.0_f64;
        for phase in &self.phases {
            end = end.max(phase.began_seconds.unwrap_or(end) + phase.seconds);
        }
        end
    }
}
