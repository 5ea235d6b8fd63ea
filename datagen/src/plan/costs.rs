//! What rows and indexes cost, in bytes and in time.
//!
//! Measured with `callbench seed --scale enterprise --level optimized` and `--level before` on 2 cores and two
//! connections, PostgreSQL 15 (`wal_level = minimal`). Another machine is faster or slower; the times are for knowing
//! whether to wait or to go for lunch.

use crate::entities::Table;

/// Bytes that a stored row takes beside its values: line pointer and header (28 bytes), bitmap of NULLs, alignment,
/// lengths of texts, room at the end of pages; for `customer` also what jsonb needs more than its text.
pub(super) const fn overhead_bytes_per_row(table: Table) -> u64 {
    match table {
        Table::Customer => 120,
        Table::CustomerLabel => 29,
        Table::Enrolment => 34,
        Table::Call => 46,
        _ => 40,
    }
}

/// What one connection needs to copy a row into a table without indexes, in nanoseconds: for the row itself, and for
/// each byte of it.
pub(super) const COPY_NS_PER_ROW: f64 = 400.0;
/// See [`COPY_NS_PER_ROW`].
pub(super) const COPY_NS_PER_BYTE: f64 = 3.0;
/// What the totals of a customer take, in nanoseconds for each call that is counted.
pub(super) const COUNT_NS_PER_CALL: f64 = 100.0;
/// How much longer rows and indexes take that are written to the log.
pub(super) const LOG_FACTOR: f64 = 1.5;
/// What a vacuum with its statistics takes for each row, frozen or not, in nanoseconds, and for each table, in seconds.
pub(super) const VACUUM_NS_PER_ROW: [f64; 2] = [10.0, 200.0];
/// See [`VACUUM_NS_PER_ROW`].
pub(super) const VACUUM_SECONDS: f64 = 0.05;

/// An index: bytes and nanoseconds for each row of its table, the latter at [`MEASURED_ROWS`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct IndexCost {
    pub(super) name: &'static str,
    pub(super) bytes_per_row: f64,
    pub(super) ns_per_row: f64,
}

/// Where the times were measured: sorting takes `n log n`.
pub(super) const MEASURED_ROWS: f64 = 60e6;

const fn index(name: &'static str, bytes_per_row: f64, ns_per_row: f64) -> IndexCost {
    IndexCost { name, bytes_per_row, ns_per_row }
}

/// The indexes of large tables.
pub(super) const INDEXES: &[IndexCost] =
    &[index("call_pkey", 39.0, 600.0), index("customer_pkey", 39.0, 600.0)];

/// Any other: a key of 16 bytes.
pub(super) const OTHER_INDEX: IndexCost = index("", 39.0, 600.0);
