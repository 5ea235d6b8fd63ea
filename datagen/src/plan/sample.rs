//! How many rows a table will have, and how long they are: exact where that follows from the sizes of the workspaces, else
//! from a sample of chunks that is encoded and thrown away.

use crate::encode::{Writer, Written};
use crate::entities::{Table, call_stats};
use crate::population::Population;

/// Chunks of a table that are encoded for the estimate.
const SAMPLED_CHUNKS: u64 = 3;

/// Rows of a table: exact, or estimated from a sample.
pub(crate) fn rows(population: &Population, table: Table) -> u64 {
    exact_rows(population, table).unwrap_or_else(|| sample(population, table).scaled(population, table))
}

pub(super) fn exact_rows(population: &Population, table: Table) -> Option<u64> {
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
pub(super) struct Sample {
    pub(super) written: Written,
    chunks: u64,
}

impl Sample {
    pub(super) fn scaled(&self, population: &Population, table: Table) -> u64 {
        self.written.rows * table.chunks(population) / self.chunks.max(1)
    }
}

/// Chunks evenly spread over the table; all of them, if there are few.
pub(super) fn sample(population: &Population, table: Table) -> Sample {
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
