//! What rows and indexes cost, in bytes and in time.
//!
//! Bytes are those of PostgreSQL 15; times are those of `callbench seed` on 2 cores with two connections, at scale
//! `enterprise` and level `optimized` (and `demo` at level `before` for the indexes that only it has), where all parts
//! share the machine. Another machine is faster or slower: the times are for knowing whether to wait or to go for lunch.

use migrations::Level;

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

/// What one connection needs to copy a row into a table without indexes, in nanoseconds, beside its bytes. The server
/// takes the documents of customers apart.
pub(super) const fn copy_ns_per_row(table: Table) -> f64 {
    match table {
        Table::Customer => 4_200.0,
        _ => 400.0,
    }
}

/// And for each byte of it.
pub(super) const COPY_NS_PER_BYTE: f64 = 7.9;
/// What the totals take, in nanoseconds for each call that is counted.
pub(super) const COUNT_NS_PER_CALL: f64 = 220.0;
/// How much longer rows and indexes take that are written to the log.
pub(super) const LOG_FACTOR: f64 = 1.6;
/// What a vacuum with its statistics takes for each row in nanoseconds, frozen and not frozen.
pub(super) const VACUUM_NS_PER_ROW: [f64; 2] = [5.0, 150.0];
/// And for each table, in seconds.
pub(super) const VACUUM_SECONDS: f64 = 0.1;

/// An index: bytes and nanoseconds for each row of its table, the latter at [`MEASURED_ROWS`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct IndexCost {
    pub(super) name: &'static str,
    /// The lowest level that has the index as it was measured.
    pub(super) since: Level,
    pub(super) bytes_per_row: f64,
    pub(super) ns_per_row: f64,
}

/// Where times are measured, or brought to: sorting takes `n log n`.
pub(super) const MEASURED_ROWS: f64 = 60e6;

const fn index(name: &'static str, bytes_per_row: f64, ns_per_row: f64) -> IndexCost {
    IndexCost { name, since: Level::Before, bytes_per_row, ns_per_row }
}

const fn optimized(name: &'static str, bytes_per_row: f64, ns_per_row: f64) -> IndexCost {
    IndexCost { name, since: Level::Optimized, bytes_per_row, ns_per_row }
}

/// What is known of an index at a level.
pub(super) fn of_index(name: &str, level: Level) -> Option<&'static IndexCost> {
    let known = INDEXES.iter().filter(|cost| cost.name == name && cost.since <= level);
    known.max_by_key(|cost| cost.since)
}

/// The indexes of large tables. Those that level `optimized` defines anew were measured at scale `demo`, and their times
/// brought to those of the others by building these again beside them.
pub(super) const INDEXES: &[IndexCost] = &[
    index("call_pkey", 31.6, 570.0),
    index("idx_call_campaign_customer_id", 7.6, 550.0),
    index("idx_call_customer_created", 94.8, 1_150.0),
    index("idx_call_customer_id", 11.0, 700.0),
    index("idx_call_workspace_created", 40.6, 820.0),
    index("idx_call_workspace_id", 7.1, 700.0),
    index("call_campaign_customer_pkey", 31.6, 1_000.0),
    index("idx_enrolment_campaign_id", 7.2, 1_000.0),
    index("idx_enrolment_customer_id", 27.8, 1_000.0),
    index("customer_pkey", 31.6, 800.0),
    index("idx_customer_employee_id", 7.2, 2_500.0),
    index("idx_customer_other_attributes", 79.8, 13_500.0),
    index("idx_customer_workspace_call_status", 68.6, 2_700.0),
    index("idx_customer_workspace_created", 55.4, 1_300.0),
    index("idx_customer_workspace_duration", 38.2, 2_000.0),
    index("idx_customer_workspace_employee", 71.3, 2_500.0),
    index("idx_customer_workspace_id", 7.1, 2_500.0),
    index("idx_customer_workspace_quality", 63.6, 2_700.0),
    index("idx_customer_workspace_status", 65.8, 2_700.0),
    index("customer_call_stats_pkey", 31.6, 900.0),
    index("customer_label_pkey", 49.7, 1_000.0),
    index("idx_customer_label_label_id", 7.2, 800.0),
    optimized("idx_call_customer_created", 58.9, 870.0),
    optimized("idx_customer_label_label_id", 49.8, 800.0),
    optimized("idx_customer_other_attributes", 107.5, 14_300.0),
    optimized("idx_customer_workspace_carrier", 68.1, 3_200.0),
    optimized("idx_customer_workspace_created", 123.1, 2_100.0),
    optimized("idx_customer_workspace_duration", 63.6, 2_500.0),
    optimized("idx_customer_workspace_flags", 63.7, 2_100.0),
];

/// Any other: a key of 16 bytes.
pub(super) const OTHER_INDEX: IndexCost = index("", 39.0, 800.0);
