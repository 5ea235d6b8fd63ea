//! What a specification will amount to, before anything is written: rows, bytes, and time, table by table and index by
//! index.
//!
//! Rows are exact where they follow from the sizes of the workspaces; labels and enrolments of customers, totals, and the
//! bytes of all rows, are estimated from a [`sample`]. Bytes on disk and times come from what was measured on one machine
//! ([`costs`]).

mod costs;
mod sample;
mod timetable;

use migrations::{Level, Script};
use serde::{Deserialize, Serialize};

use crate::entities::Table;
use crate::error::Error;
use crate::loader::schedule::Grain;
use crate::population::Population;
use crate::spec::Spec;
use costs::{IndexCost, MEASURED_ROWS, OTHER_INDEX};
pub(crate) use sample::rows;

/// The plan of a load.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The tables in the order in which they refer to each other.
    pub tables: Vec<PlannedTable>,
    /// How long all of it takes, in seconds: the parts overlap.
    pub seconds: f64,
}

/// One table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedTable {
    /// The table.
    pub table: Table,
    /// Rows; estimated for `customer_label`, `call_campaign_customer` and `customer_call_stats`.
    pub rows: u64,
    /// Bytes on the wire, estimated.
    pub copy_bytes: u64,
    /// Bytes of the table on disk, estimated.
    pub table_bytes: u64,
    /// How long its rows take, in seconds.
    pub copy_seconds: f64,
    /// How long its vacuum takes, in seconds.
    pub vacuum_seconds: f64,
    /// Its keys and indexes.
    pub indexes: Vec<PlannedIndex>,
}

/// One index.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedIndex {
    /// Its name.
    pub name: String,
    /// Bytes on disk, estimated.
    pub bytes: u64,
    /// How long it takes to build, in seconds.
    pub seconds: f64,
}

/// How the rows will be loaded, as far as it matters for the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Loading {
    /// Connections that load at the same time.
    pub connections: usize,
    /// What one transaction loads.
    pub grain: Grain,
}

impl PlannedTable {
    /// Bytes of all its indexes on disk.
    #[must_use]
    pub fn index_bytes(&self) -> u64 {
        self.indexes.iter().map(|index| index.bytes).sum()
    }
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
        self.tables.iter().map(|planned| planned.table_bytes + planned.index_bytes()).sum()
    }

    /// The phases of the load with the seconds that each is expected to take.
    #[must_use]
    pub fn phases(&self) -> Vec<(String, f64)> {
        let of_table = |planned: &PlannedTable| {
            let table = planned.table;
            let indexes =
                planned.indexes.iter().map(|index| (format!("index {}", index.name), index.seconds));
            let ends = [
                (format!("copy {table}"), planned.copy_seconds),
                (format!("vacuum {table}"), planned.vacuum_seconds),
            ];
            indexes.chain(ends).collect::<Vec<_>>()
        };
        self.tables.iter().flat_map(of_table).collect()
    }
}

/// The plan of `spec` at `level`. Takes about a second at any scale.
pub fn plan(spec: &Spec, level: Level, loading: &Loading) -> Result<Plan, Error> {
    spec.check()?;
    let population = Population::new(spec);
    let script = Script::of(level);
    let tables: Vec<PlannedTable> = Table::ALL
        .into_iter()
        .filter(|&table| table.exists_at(level) && spec.fills(table))
        .map(|table| planned(&population, table, level, &script, loading))
        .collect();
    let seconds = timetable::wall_seconds(&tables, loading);
    Ok(Plan { tables, seconds })
}

fn planned(
    population: &Population,
    table: Table,
    level: Level,
    script: &Script,
    loading: &Loading,
) -> PlannedTable {
    let sample = sample::sample(population, table);
    let rows = sample::exact_rows(population, table).unwrap_or_else(|| sample.scaled(population, table));
    let copy_bytes =
        u128::from(rows) * u128::from(sample.written.bytes) / u128::from(sample.written.rows.max(1));
    let copy_bytes = u64::try_from(copy_bytes).unwrap_or(u64::MAX);
    let framing = rows * (2 + 4 * u64::from(table.width()));
    let is_whole = loading.grain == Grain::Table;
    let log_factor = if is_whole { 1.0 } else { costs::LOG_FACTOR };
    let mut copy_ns =
        rows as f64 * costs::copy_ns_per_row(table) + copy_bytes as f64 * costs::COPY_NS_PER_BYTE;
    if table == Table::CallStats {
        let calls = population.spec.calls + population.spec.other_calls;
        copy_ns += calls as f64 * costs::COUNT_NS_PER_CALL;
    }
    let sharing = if is_whole { 1.0 } else { loading.connections.max(1) as f64 };
    let indexes = script.indexes.iter().filter(|index| index.table.as_deref() == Some(table.name()));
    PlannedTable {
        table,
        rows,
        copy_bytes,
        table_bytes: copy_bytes.saturating_sub(framing) + rows * costs::overhead_bytes_per_row(table),
        copy_seconds: copy_ns * log_factor / sharing / 1e9,
        vacuum_seconds: costs::VACUUM_SECONDS
            + rows as f64 * costs::VACUUM_NS_PER_ROW[usize::from(!is_whole)] / 1e9,
        indexes: indexes
            .filter_map(|index| Some(planned_index(index.index()?, level, rows, log_factor)))
            .collect(),
    }
}

fn planned_index(name: &str, level: Level, rows: u64, log_factor: f64) -> PlannedIndex {
    let cost: &IndexCost = costs::of_index(name, level).unwrap_or(&OTHER_INDEX);
    // Sorting takes n log n.
    let depth = (rows.max(2) as f64).log2() / MEASURED_ROWS.log2();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an estimate")]
    let bytes = (rows as f64 * cost.bytes_per_row) as u64;
    PlannedIndex {
        name: name.to_owned(),
        bytes,
        seconds: rows as f64 * cost.ns_per_row * depth * log_factor / 1e9,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::spec::Scale;

    fn plan_of(scale: Scale, connections: usize, grain: Grain) -> Plan {
        let spec = Spec::of(scale, 7, "2026-03-01T00:00:00Z".parse().unwrap());
        plan(&spec, Level::Optimized, &Loading { connections, grain }).unwrap()
    }

    #[test]
    fn work_that_overlaps_takes_less_time_than_its_sum_and_more_than_its_longest_part() {
        for grain in [Grain::Chunk, Grain::Table] {
            let alone = plan_of(Scale::Dev, 1, grain);
            let sum: f64 = alone.phases().iter().map(|(_, seconds)| seconds).sum();
            assert!((alone.seconds - sum).abs() < 1e-6, "{} {sum}", alone.seconds);
            let shared = plan_of(Scale::Dev, 2, grain);
            let longest = shared.phases().iter().map(|(_, seconds)| *seconds).fold(0.0, f64::max);
            assert!(shared.seconds < alone.seconds && shared.seconds >= longest);
        }
    }

    #[test]
    fn every_index_that_was_measured_exists_and_every_index_of_a_large_table_was_measured() {
        let large = ["customer", "customer_label", "call_campaign_customer", "call", "customer_call_stats"];
        // By its definition: a level may have another index under the same name, which costs something else.
        let mut measured: HashMap<String, &IndexCost> = HashMap::new();
        for level in Level::ALL {
            for index in Script::of(level).indexes {
                if index.table.as_deref().is_some_and(|table| large.contains(&table)) {
                    let name = index.index().unwrap();
                    let cost = costs::of_index(name, level).unwrap_or_else(|| panic!("{name} at {level}"));
                    let before = measured.insert(index.sql.clone(), cost);
                    assert!(before.is_none_or(|before| before == cost), "{name} has two costs");
                }
            }
        }
        for cost in costs::INDEXES {
            let definitions = measured.values().filter(|measured| *measured == &cost);
            assert_eq!(definitions.count(), 1, "{} since {}", cost.name, cost.since);
        }
    }
}
