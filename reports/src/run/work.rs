//! What was counted, apart from the clock.

use serde::{Deserialize, Serialize};

/// Work counted inside the database per request of one operation, outside of the timed windows.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Work {
    /// [`Subject::name`](super::Subject::name).
    pub subject: String,
    /// Name of the operation.
    pub operation: String,
    /// Requests over which it was counted.
    pub requests: u64,
    /// SQL statements per request (`pg_stat_statements.calls`).
    pub statements_per_request: f64,
    /// Rows returned by statements, per request.
    pub rows_per_request: f64,
    /// Shared buffers touched per request, found in the cache or not.
    pub buffers_per_request: f64,
    /// Of these, read from outside the cache.
    pub buffers_read_per_request: f64,
    /// Bytes of WAL per request.
    pub wal_bytes_per_request: f64,
    /// Milliseconds of statement execution per request.
    pub database_ms_per_request: f64,
    /// The statements behind it, most time first.
    pub statements: Vec<Statement>,
}

/// One normalised statement and what it cost.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Statement {
    /// Text, normalised by the database.
    pub sql: String,
    /// Executions per request.
    pub calls_per_request: f64,
    /// Rows per request.
    pub rows_per_request: f64,
    /// Milliseconds per request.
    pub ms_per_request: f64,
    /// Shared buffers touched per request.
    pub buffers_per_request: f64,
}
