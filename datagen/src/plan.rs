//! What a specification will amount to, before anything is written.
//!
//! Rows are exact where they follow from the sizes of the workspaces; labels and enrolments of customers, and the
//! bytes of all rows, are estimated from a sample of chunks that is encoded and thrown away.

use crate::encode::{Writer, Written};
use crate::entities::{Table, call_stats};
use crate::error::Error;
use crate::population::Population;
use crate::spec::Spec;

/// Chunks of a table that are encoded for the estimate.
const SAMPLED_CHUNKS: u64 = 3;

/// The plan of a load.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The tables in the order of loading.
    pub tables: Vec<PlannedTable>,
}

/// One table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlannedTable {
    /// The table.
    pub table: Table,
    /// Rows; estimated for `customer_label`, `call_campaign_customer` and `customer_call_stats`.
    pub rows: u64,
    /// Bytes on the wire, estimated.
    pub copy_bytes: u64,
    /// Bytes of the table on disk, estimated.
    pub table_bytes: u64,
    /// Bytes of its indexes on disk, estimated.
    pub index_bytes: u64,
}

impl Plan {
    /// Rows of all tables.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.tables.iter().map(|planned| planned.rows).sum()
    }

    /// Bytes on disk of all tables and their indexes.
    #[must_use]
    pub fn disk_bytes(&self) -> u64 {
        self.tables.iter().map(|planned| planned.table_bytes + planned.index_bytes).sum()
    }
}

/// The plan of `spec` at `level`. Takes about a second at any scale.
pub fn plan(spec: &Spec, level: migrations::Level) -> Result<Plan, Error> {
    spec.check()?;
    let population = Population::new(spec);
    let tables = Table::ALL.into_iter().filter(|table| table.exists_at(level)).map(|table| {
        let sample = sample(&population, table);
        let rows = exact_rows(&population, table).unwrap_or_else(|| sample.scaled(&population, table));
        let per_row = |bytes: u64| {
            let bytes = u128::from(rows) * u128::from(bytes) / u128::from(sample.written.rows.max(1));
            u64::try_from(bytes).unwrap_or(u64::MAX)
        };
        let copy_bytes = per_row(sample.written.bytes);
        let framing = rows * (2 + 4 * u64::from(table.width()));
        PlannedTable {
            table,
            rows,
            copy_bytes,
            table_bytes: copy_bytes.saturating_sub(framing) + rows * overhead_bytes_per_row(table),
            index_bytes: rows * index_bytes_per_row(table, level),
        }
    });
    Ok(Plan { tables: tables.collect() })
}

/// Rows of a table: exact, or estimated from a sample.
pub(crate) fn rows(population: &Population, table: Table) -> u64 {
    exact_rows(population, table).unwrap_or_else(|| sample(population, table).scaled(population, table))
}

fn exact_rows(population: &Population, table: Table) -> Option<u64> {
    let spec = &population.spec;
    let workspaces = u64::from(spec.workspaces);
    let sum = |of: fn(&crate::population::Tenant) -> u64| population.tenants.iter().map(of).sum();
    Some(match table {
        Table::Workspace => workspaces,
        Table::Employee => sum(|tenant| tenant.employees),
        Table::AppUser | Table::AuthToken => crate::entities::staff::users_of(workspaces),
        Table::UserWorkspace => crate::entities::staff::users_of(workspaces) + workspaces - 1,
        Table::Label => sum(|tenant| tenant.labels),
        Table::Campaign => sum(|tenant| tenant.campaigns.len() as u64),
        Table::Customer => spec.customers + spec.other_customers,
        Table::Call => spec.calls + spec.other_calls,
        Table::CustomerLabel | Table::Enrolment | Table::CallStats => return None,
    })
}

/// Some chunks of a table, encoded.
struct Sample {
    written: Written,
    chunks: u64,
}

impl Sample {
    fn scaled(&self, population: &Population, table: Table) -> u64 {
        self.written.rows * table.chunks(population) / self.chunks.max(1)
    }
}

/// Chunks evenly spread over the table; all of them, if there are few.
fn sample(population: &Population, table: Table) -> Sample {
    if table == Table::CallStats {
        // Its chunks go through all calls.
        return Sample { written: call_stats::estimate(population), chunks: table.chunks(population) };
    }
    let of = table.chunks(population);
    let chunks = of.min(SAMPLED_CHUNKS);
    let mut written = Written::default();
    for at in 0..chunks {
        let mut throw_away = |piece: Vec<u8>| Some(piece);
        let mut writer = Writer::new(Vec::new(), 1 << 16, &mut throw_away);
        let complete = table.write_chunk(population, (2 * at + 1) * of / (2 * chunks), &mut writer);
        if let (true, Some((chunk, _))) = (complete.is_continue(), writer.end()) {
            written += chunk;
        }
    }
    Sample { written, chunks }
}

/// What a stored row takes beside its values: line pointer and header (28 bytes), bitmap of NULLs, alignment, lengths
/// of texts, room at the end of pages; for `customer` also what jsonb needs more than its text. Measured at scale `dev`.
fn overhead_bytes_per_row(table: Table) -> u64 {
    match table {
        Table::Customer => 120,
        Table::CustomerLabel => 29,
        Table::Enrolment => 34,
        Table::Call => 46,
        _ => 40,
    }
}

/// Bytes of all indexes of a table per row. Measured at scale `dev` (PostgreSQL 15).
fn index_bytes_per_row(table: Table, level: migrations::Level) -> u64 {
    use migrations::Level::Before;
    match (table, level) {
        (Table::Customer, Before) => 47,
        (Table::Customer, _) => 546,
        (Table::CustomerLabel, _) => 58,
        (Table::Enrolment, _) => 68,
        (Table::Call, Before) => 56,
        (Table::Call, _) => 175,
        (Table::CallStats, _) => 32,
        _ => 100,
    }
}
