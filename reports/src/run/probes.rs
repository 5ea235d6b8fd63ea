//! What the database and the machine did while windows ran, sampled once a second.
//!
//! Counters are as the database and the kernel keep them: they grow from some moment before the run, and what happened
//! is the difference of two samples. So a sample that was missed makes an interval longer and loses nothing. What could
//! not be asked is `None`, and a warning of the run says why.
//!
//! A backend hands its counters in at most once a second while it is busy, and what it holds then when it falls idle up
//! to ten seconds later (PostgreSQL 15 and later, `pgstat_report_stat`). A sample is therefore late by about a second,
//! and the last events before the end of a run can be missing. [`WalCounters::position_bytes`], the sessions and the
//! processes are of the moment.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// What was sampled beside the windows of one subject.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Probes {
    /// [`Subject::name`](super::Subject::name).
    pub subject: String,
    /// Samples of the database, in the order of time; empty without a URL of it.
    pub database: Vec<DatabaseSample>,
    /// Samples of the processes, in the order of time; empty where they can't be seen.
    pub processes: Vec<ProcessSample>,
    /// Who waited for whom when most sessions waited for a lock; `None` if no sample saw one wait.
    pub worst_wait: Option<BlockedMoment>,
    /// What each probe cost, those that were never read left out.
    pub costs: Vec<ProbeCost>,
    /// Whole seconds without a sample, because the one before took longer or the connection was lost.
    pub skipped: u64,
}

/// One look into the database.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct DatabaseSample {
    /// Seconds since the start of the run, on the clock of [`Window::opened_s`](super::Window::opened_s), at which the
    /// sample was begun.
    pub at_s: f64,
    /// Of this database.
    pub activity: Option<DatabaseCounters>,
    /// Of the whole cluster, all of its databases.
    pub wal: Option<WalCounters>,
    /// Of the tables of this database.
    pub tables: Option<TableCounters>,
    /// The sessions of others in this database.
    pub sessions: Option<Sessions>,
}

/// `pg_stat_database` of one database. The probes' own statements, five at most in each sample, are counted in it too.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct DatabaseCounters {
    /// Transactions committed.
    pub commits: u64,
    /// Transactions rolled back.
    pub rollbacks: u64,
    /// Buffers found in the database's cache.
    pub buffers_hit: u64,
    /// Buffers read from outside of it: the disk, or the operating system's cache.
    pub buffers_read: u64,
    /// Rows read by scans.
    pub rows_scanned: u64,
    /// Rows fetched through indexes.
    pub rows_fetched: u64,
    /// Rows inserted.
    pub rows_inserted: u64,
    /// Rows updated.
    pub rows_updated: u64,
    /// Rows deleted.
    pub rows_deleted: u64,
    /// Statements cancelled because of a conflict with recovery; on standbys only.
    pub conflicts: u64,
    /// Temporary files written, for sorts and hashes that did not fit into `work_mem`.
    pub temporary_files: u64,
    /// Their bytes.
    pub temporary_bytes: u64,
    /// Deadlocks that the database broke up.
    pub deadlocks: u64,
    /// Milliseconds that sessions were open, summed over them. A session that is idle hands it in late.
    pub session_ms: f64,
    /// Milliseconds that sessions spent executing, summed over them.
    pub active_ms: f64,
}

/// `pg_stat_wal`, and where the log is written. Whatever else the cluster does is in it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WalCounters {
    /// Records.
    pub records: u64,
    /// Full page images: the first change of a page after a checkpoint.
    pub full_page_images: u64,
    /// Bytes.
    pub bytes: u64,
    /// Times that WAL was written out because its buffers were full.
    pub buffers_full: u64,
    /// The position at which WAL is inserted, in bytes since its beginning: known at once, where the counters are late,
    /// and with the headers and the filling of pages. On a standby the position that is replayed.
    pub position_bytes: u64,
}

/// Sums over `pg_stat_user_tables`, without the books of callbench.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableCounters {
    /// Rows inserted.
    pub inserted: u64,
    /// Rows updated.
    pub updated: u64,
    /// Of these, updated without touching an index (heap-only tuples).
    pub hot_updated: u64,
    /// Of these, moved to another page, where they can't be heap-only; `None` before PostgreSQL 16.
    pub moved: Option<u64>,
    /// Rows deleted.
    pub deleted: u64,
}

/// Sessions of clients at one moment, those of callbench's probes left out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Sessions {
    /// How many there are.
    pub connections: u64,
    /// What they do; `None` where the user may not see what others do.
    pub states: Option<SessionStates>,
}

/// What sessions do at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct SessionStates {
    /// Executing a statement, waiting for a lock included.
    pub active: u64,
    /// Waiting for the client, outside of a transaction.
    pub idle: u64,
    /// Waiting for the client inside of a transaction, failed or not.
    pub idle_in_transaction: u64,
    /// Of the active ones, waiting for a lock.
    pub waiting_for_lock: u64,
    /// The longest of these waits so far, in milliseconds; `None` without one, or when it ended while we looked.
    pub longest_lock_wait_ms: Option<f64>,
}

/// Who waited for whom at one moment.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct BlockedMoment {
    /// Seconds since the start of the run.
    pub at_s: f64,
    /// Sessions that waited. Only the longest waits are listed when there are very many.
    pub waiting: u64,
    /// The waits, the longest first: one for each pair of a session and another that is in its way.
    pub waits: Vec<LockWait>,
}

/// A session in the way of another.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LockWait {
    /// Process of the session that waits.
    pub waiting_pid: i32,
    /// What its program calls itself; `None` if it has no name.
    #[serde(default)]
    pub waiting_application: Option<String>,
    /// Its user.
    #[serde(default)]
    pub waiting_user: Option<String>,
    /// The beginning of its statement.
    pub waiting_statement: Option<String>,
    /// What is locked: `relation`, `transactionid` (a row that an open transaction has changed), `tuple`, …
    pub lock: String,
    /// The mode that it asks for, such as `ShareLock`.
    pub mode: String,
    /// The table or index, where it is known: a wait for a transaction names it only while the row is held in line.
    pub relation: Option<String>,
    /// How long it has waited so far; `None` in its first moment.
    pub waited_ms: Option<f64>,
    /// Since when, by the clock of the database; `None` in its first moment.
    #[serde(default)]
    pub waiting_since: Option<DateTime<Utc>>,
    /// Process of the session in its way; 0 for a prepared transaction.
    pub blocking_pid: i32,
    /// What its program calls itself; `None` if it has no name, and for a prepared transaction.
    #[serde(default)]
    pub blocking_application: Option<String>,
    /// Its user; `None` for a prepared transaction.
    #[serde(default)]
    pub blocking_user: Option<String>,
    /// What that session does: `active`, `idle in transaction`, …; `None` for a prepared transaction.
    pub blocking_state: Option<String>,
    /// The beginning of its present or last statement.
    pub blocking_statement: Option<String>,
}

/// One look at the processes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct ProcessSample {
    /// Seconds since the start of the run.
    pub at_s: f64,
    /// The load generator.
    pub client: Option<ProcessCounters>,
    /// The server under test, with its children.
    pub server: Option<ProcessCounters>,
    /// All processes of the database server.
    pub database: Option<ProcessCounters>,
}

/// A family of processes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct ProcessCounters {
    /// CPU seconds, those of children that have ended included.
    pub cpu_s: f64,
    /// Resident memory in bytes now: what each process has for itself, and once what they share (the most that any
    /// of them has mapped). Huge pages are not in it.
    pub resident_bytes: u64,
    /// Times that a thread gave the processor away by waiting, since the first sample. What a thread did after the last
    /// look before its end is missing.
    pub voluntary_switches: u64,
    /// Times that the processor was taken from a thread, since the first sample.
    pub involuntary_switches: u64,
    /// Processes now.
    pub processes: u64,
}

/// What a probe cost.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ProbeCost {
    /// What was read: `pg_stat_database`, `pg_stat_wal`, `pg_stat_user_tables`, `pg_stat_activity`, `pg_locks`, `/proc`.
    pub probe: String,
    /// How often.
    pub readings: u64,
    /// Milliseconds that the readings took in all, measured from here to the microsecond.
    pub own_ms: f64,
    /// Milliseconds of the longest.
    pub longest_ms: f64,
}
