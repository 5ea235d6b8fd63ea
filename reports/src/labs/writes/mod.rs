//! What a write costs at each level of the schema: time, log, buffers, processor, and which index is to blame.
//!
//! A [`Writes`] is plain data like a run: it is kept as JSON with a page beside it ([`store`]), and printed as two tables
//! ([`terminal`]). One [`Measurement`] is one operation, done a fixed number of times after a checkpoint, one after the
//! other, through the API or as plain SQL.

mod evidence;
mod html;
#[cfg(test)]
mod sample;
mod split;
pub mod store;
pub mod terminal;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::wal::{Kind, LogSpan, Updates};
use crate::budgets::exit_code_of;
use crate::latency::Latency;
use crate::run::{Environment, Verdict};

/// The version of the layout of `writes.json`. It grows when a field changes its meaning or goes away.
pub const SCHEMA: u32 = 1;

/// Operations at levels, through the API and as SQL.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Writes {
    /// [`SCHEMA`] at the time of writing.
    pub schema: u32,
    /// The name of the measurement, which is also the name of its folder.
    pub name: String,
    /// When it began, UTC.
    pub started_at: DateTime<Utc>,
    /// When it ended, UTC.
    pub finished_at: DateTime<Utc>,
    /// The command line that measures again.
    pub command: String,
    /// False when it was interrupted.
    pub complete: bool,
    /// Where it ran.
    pub environment: Environment,
    /// The workspace that was written to, as it was given.
    pub workspace: String,
    /// The seed of the choice of rows and values.
    pub seed: u64,
    /// How often each operation was to be done, by its name.
    pub counts: BTreeMap<String, u64>,
    /// Settings that decide what is written to the log, as the server gives them.
    pub settings: BTreeMap<String, String>,
    /// The levels, in the order in which they were measured.
    pub levels: Vec<Level>,
    /// By level, operation and way.
    pub measurements: Vec<Measurement>,
    /// What budgets say of it; empty without any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub verdicts: Vec<Verdict>,
    /// What a reader must know.
    pub warnings: Vec<String>,
}

/// A level as it was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Level {
    /// Its name; `as it is` for a schema that is not of the ladder.
    pub name: String,
    /// The variant of the reference server that it was asked through; `None` where nothing went through the API.
    pub variant: Option<String>,
    /// The tables that are written to.
    pub tables: Vec<Table>,
}

/// A table of a level.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// Name.
    pub name: String,
    /// How full its pages are made, in percent: what is left is room for heap-only updates.
    pub fillfactor: u32,
    /// Whether autovacuum was kept away from it meanwhile.
    pub autovacuum_off: bool,
    /// Its indexes, by name, those of its keys included.
    pub indexes: Vec<String>,
}

/// The way that a write takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Through {
    /// A request to the reference server.
    Api,
    /// A transaction of plain SQL with the same statements.
    Sql,
}

/// One operation, at one level, in one way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measurement {
    /// [`Level::name`].
    pub level: String,
    /// Name of the operation: `single_insert`.
    pub operation: String,
    /// Which way it went.
    pub through: Through,
    /// How often it was done.
    pub operations: u64,
    /// Rows that were written by all of them: customers, or calls.
    pub rows: u64,
    /// Bytes of these rows as they are stored now, with their headers.
    pub row_bytes: u64,
    /// Median service time in microseconds: from before it is sent, with the wait for a connection, to the last byte received,
    /// one operation at a time.
    pub p50_us: u64,
    /// 95th percentile.
    pub p95_us: u64,
    /// 99th percentile.
    pub p99_us: u64,
    /// The longest.
    pub max_us: u64,
    /// All service times.
    pub service: Latency,
    /// Checkpoints that fell into it. More than none spoil what is said of full-page images. `None` where the log could not
    /// be read.
    pub checkpoints: Option<u64>,
    /// Bytes of log between the two positions, by everybody.
    pub log_bytes: u64,
    /// What the log holds; `None` where it could not be read.
    pub log: Option<LogSpan>,
    /// Updates by the counters of the tables (`pg_stat_user_tables`); `None` where they did not come in time.
    pub counted_updates: Option<Updates>,
    /// Tables and indexes that grew, by name.
    pub growth: Vec<Growth>,
    /// Entries that wait in the pending lists of GIN indexes: what writing them into the index took afterwards.
    pub postponed: Vec<Postponed>,
    /// What the database counted for each operation; `None` without `pg_stat_statements`.
    pub work: Option<Work>,
    /// Processor time of an operation.
    pub processor: Processor,
}

/// A relation that grew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Growth {
    /// What it is.
    pub kind: Kind,
    /// Name.
    pub relation: String,
    /// Bytes more than before, in whole pages.
    pub bytes: i64,
}

/// What was left for later in a GIN index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Postponed {
    /// Name of the index.
    pub index: String,
    /// Pages of its pending list.
    pub pages: u64,
    /// Bytes of log that emptying it took, without full-page images; `None` where the log could not be read.
    pub log_bytes: Option<u64>,
}

/// What the database counted for each operation (`pg_stat_statements`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Work {
    /// Statements, the words about transactions included.
    pub statements: f64,
    /// Shared buffers touched.
    pub buffers: f64,
    /// Of these, not found in the cache.
    pub buffers_read: f64,
    /// Time in the executor, in milliseconds.
    pub database_ms: f64,
}

/// Processor time of one operation in microseconds; `None` for who can't be seen from here.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Processor {
    /// This process.
    pub client_us: Option<f64>,
    /// The reference server; nothing for plain SQL.
    pub server_us: Option<f64>,
    /// All processes of the database.
    pub database_us: Option<f64>,
}

impl Writes {
    /// 0 when everything was measured, every split adds up and budgets hold, 1 when one does not, 2 when something is missing or
    /// can't be told.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        let logs = || self.measurements.iter().map(|measurement| measurement.log.as_ref());
        if logs().flatten().any(|log| log.sum() != log.totals) {
            return 1;
        }
        let of_verdicts = exit_code_of(&self.verdicts);
        if of_verdicts == 1 {
            1
        } else if !self.complete || self.measurements.is_empty() || logs().any(|log| log.is_none()) {
            2
        } else {
            of_verdicts
        }
    }

    /// The operations, in the order in which they were measured.
    #[must_use]
    pub fn operations(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for measurement in &self.measurements {
            if !names.contains(&measurement.operation.as_str()) {
                names.push(&measurement.operation);
            }
        }
        names
    }

    /// The measurements of an operation, in one way or the other.
    pub fn of<'a>(
        &'a self,
        operation: &'a str,
        through: Through,
    ) -> impl Iterator<Item = &'a Measurement> + 'a {
        let is_meant = move |one: &&Measurement| one.operation == operation && one.through == through;
        self.measurements.iter().filter(is_meant)
    }
}

impl Measurement {
    /// `value` for each operation.
    #[must_use]
    pub fn each(&self, value: u64) -> f64 {
        value as f64 / self.operations.max(1) as f64
    }

    /// Bytes of log for each operation without full-page images: tables, indexes and the commit. `None` where the log could
    /// not be read.
    #[must_use]
    pub fn log_bytes_each(&self) -> Option<f64> {
        self.log.as_ref().map(|log| self.each(log.sum().bytes))
    }

    /// The same for each row that was written, so that one row and many can be compared. `None` without rows, too.
    #[must_use]
    pub fn log_bytes_of_a_row(&self) -> Option<f64> {
        let log = self.log.as_ref()?;
        (self.rows > 0).then(|| log.sum().bytes as f64 / self.rows as f64)
    }

    /// Bytes of full-page images for each operation.
    #[must_use]
    pub fn image_bytes_each(&self) -> Option<f64> {
        self.log.as_ref().map(|log| self.each(log.sum().image_bytes))
    }

    /// Records for each operation.
    #[must_use]
    pub fn records_each(&self) -> Option<f64> {
        self.log.as_ref().map(|log| self.each(log.sum().records))
    }

    /// Bytes that indexes grew by for each operation.
    #[must_use]
    pub fn index_bytes_each(&self) -> f64 {
        let of_indexes = self.growth.iter().filter(|growth| growth.kind == Kind::Index);
        of_indexes.map(|growth| growth.bytes).sum::<i64>() as f64 / self.operations.max(1) as f64
    }

    /// Write amplification: bytes of log, without full-page images, for each byte of the rows that were written. `None`
    /// without rows, or where the log could not be read.
    #[must_use]
    pub fn amplification(&self) -> Option<f64> {
        let log = self.log.as_ref()?;
        (self.row_bytes > 0).then(|| log.sum().bytes as f64 / self.row_bytes as f64)
    }

    /// The share of heap-only updates by the log's records; `None` without updates.
    #[must_use]
    pub fn hot_share(&self) -> Option<f64> {
        self.log.as_ref()?.updates().hot_share()
    }

    /// Processor time of server and database for each operation, in microseconds; `None` where neither could be seen.
    #[must_use]
    pub fn processor_us(&self) -> Option<f64> {
        let Processor { server_us, database_us, .. } = self.processor;
        match self.through {
            Through::Api => Some(server_us? + database_us?),
            Through::Sql => database_us,
        }
    }
}

impl Through {
    /// As it is typed and printed.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Sql => "sql",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_split_that_is_not_the_whole_fails_and_one_that_is_missing_is_not_judged() {
        let whole = sample::writes();
        assert_eq!(whole.exit_code(), 0);
        let mut lost = whole.clone();
        lost.measurements[1].log.as_mut().unwrap().parts.pop();
        assert_eq!(lost.exit_code(), 1);
        let mut unread = whole.clone();
        unread.measurements[1].log = None;
        let interrupted = Writes { complete: false, ..whole.clone() };
        let empty = Writes { measurements: Vec::new(), ..whole };
        assert_eq!([unread, interrupted, empty].map(|writes| writes.exit_code()), [2, 2, 2]);
    }

    #[test]
    fn figures_are_those_of_one_operation_or_of_one_row() {
        let mut one = sample::writes().measurements.remove(2);
        (one.operations, one.rows, one.row_bytes) = (10, 100, 1_620);
        let near = |value: Option<f64>, wanted: f64| value.is_some_and(|value| (value - wanted).abs() < 1e-9);
        // 2,000 bytes of the table, 340 of commits, 900 of an index.
        assert!(near(one.log_bytes_each(), 324.0) && near(one.log_bytes_of_a_row(), 32.4));
        assert!(near(one.records_each(), 3.0) && near(one.image_bytes_each(), 8_000.0));
        assert!(near(one.amplification(), 2.0) && near(Some(one.index_bytes_each()), 819.2));
        assert!(near(one.processor_us(), 750.0));
        one.rows = 0;
        assert_eq!(one.log_bytes_of_a_row(), None);
    }
}
