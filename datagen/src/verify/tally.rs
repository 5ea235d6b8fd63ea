//! How often the values of a table occur: NULLs of every column, and the values of columns that have only a few.
//!
//! Counted from the rows as they pass, on both sides alike, so that no statement has to scan the table again.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::entities::{Kind, Table};
use crate::population::Population;
use crate::wire;

/// Columns of text that have only a few values; booleans are counted anyway.
const CATEGORIES: [(Table, &str); 7] = [
    (Table::Customer, "status"),
    (Table::Customer, "quality"),
    (Table::Customer, "call_status"),
    (Table::Enrolment, "status"),
    (Table::Call, "direction"),
    (Table::Call, "status"),
    (Table::Call, "call_type"),
];

/// Values of a column that are told apart; what somebody wrote beyond that is counted as one.
const MOST_VALUES: usize = 24;

/// The ids of the workspaces, and the number of each.
pub(super) struct Workspaces(HashMap<[u8; 16], usize>);

impl Workspaces {
    pub(super) fn of(population: &Population) -> Self {
        Self(population.tenants.iter().enumerate().map(|(number, tenant)| (tenant.id, number)).collect())
    }
}

/// What is counted of a table.
pub(super) struct Tally {
    pub(super) rows: u64,
    columns: Vec<Counts>,
    workspaces: Arc<Workspaces>,
    /// Rows of each workspace, by its number; empty for tables of which this is not asked.
    pub(super) of_workspaces: Vec<u64>,
    /// Rows whose workspace the generator does not know.
    pub(super) of_other_workspaces: u64,
}

struct Counts {
    column: &'static str,
    kind: Kind,
    nulls: u64,
    /// `None` for a column with many values.
    values: Option<Values>,
    /// Whether it says which workspace the row belongs to, and this is asked for.
    is_workspace: bool,
}

#[derive(Default)]
struct Values {
    counts: Vec<(Vec<u8>, u64)>,
    others: u64,
}

impl Tally {
    pub(super) fn new(table: Table, workspaces: Arc<Workspaces>) -> Self {
        let is_sized = matches!(table, Table::Customer | Table::Call);
        let columns = table.columns().iter().map(|column| Counts {
            column: column.name,
            kind: column.kind,
            nulls: 0,
            values: (column.kind == Kind::Boolean || CATEGORIES.contains(&(table, column.name)))
                .then(Values::default),
            is_workspace: is_sized && column.name == "workspace_id",
        });
        let of_workspaces = if is_sized { vec![0; workspaces.0.len()] } else { Vec::new() };
        Self { rows: 0, columns: columns.collect(), workspaces, of_workspaces, of_other_workspaces: 0 }
    }

    pub(super) fn add(&mut self, row: &[u8]) {
        self.rows += 1;
        for (field, counts) in wire::fields(row).zip(&mut self.columns) {
            let Some(field) = field else {
                counts.nulls += 1;
                continue;
            };
            if let Some(values) = &mut counts.values {
                values.add(field, 1);
            } else if counts.is_workspace {
                match <&[u8; 16]>::try_from(field).ok().and_then(|id| self.workspaces.0.get(id)) {
                    Some(&number) => self.of_workspaces[number] += 1,
                    None => self.of_other_workspaces += 1,
                }
            }
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.rows += other.rows;
        self.of_other_workspaces += other.of_other_workspaces;
        for (rows, more) in self.of_workspaces.iter_mut().zip(&other.of_workspaces) {
            *rows += more;
        }
        for (counts, more) in self.columns.iter_mut().zip(&other.columns) {
            counts.nulls += more.nulls;
            if let (Some(values), Some(more)) = (&mut counts.values, &more.values) {
                values.others += more.others;
                for (value, count) in &more.counts {
                    values.add(value, *count);
                }
            }
        }
    }

    /// Every value and every NULL that was counted: `quality = hot`, `email is NULL`, and how often.
    pub(super) fn counts(&self) -> BTreeMap<String, u64> {
        let mut all = BTreeMap::new();
        for counts in &self.columns {
            let column = counts.column;
            if counts.nulls > 0 {
                all.insert(format!("{column} is NULL"), counts.nulls);
            }
            let Some(values) = &counts.values else { continue };
            for (value, count) in &values.counts {
                let value = match counts.kind {
                    Kind::Boolean => if value == &[0] { "false" } else { "true" }.into(),
                    _ => String::from_utf8_lossy(value),
                };
                all.insert(format!("{column} = {value}"), *count);
            }
            if values.others > 0 {
                all.insert(format!("{column} = anything else"), values.others);
            }
        }
        all
    }
}

impl Values {
    fn add(&mut self, value: &[u8], count: u64) {
        if let Some((_, known)) = self.counts.iter_mut().find(|(known, _)| known == value) {
            *known += count;
        } else if self.counts.len() < MOST_VALUES {
            self.counts.push((value.to_vec(), count));
        } else {
            self.others += count;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{Scale, Spec};
    use crate::verify::sides::{Sink, write_chunks};

    impl Sink for Tally {
        fn row(&mut self, row: &[u8]) {
            self.add(row);
        }
    }

    fn tally(population: &Population, table: Table) -> Tally {
        let mut tally = Tally::new(table, Arc::new(Workspaces::of(population)));
        write_chunks(table, population, &0.into(), &tokio_util::sync::CancellationToken::new(), &mut tally);
        tally
    }

    #[test]
    fn every_row_is_counted_under_one_value_and_one_workspace() {
        let population = Population::new(&Spec::of(Scale::Tiny, 3, "2026-03-01T00:00:00Z".parse().unwrap()));
        for (table, rows) in [(Table::Customer, 4_000), (Table::Call, 30_000)] {
            let tally = tally(&population, table);
            assert_eq!(tally.rows, rows);
            let statuses: u64 = tally
                .counts()
                .iter()
                .filter(|(value, _)| value.starts_with("status = "))
                .map(|(_, count)| count)
                .sum();
            assert_eq!(statuses, rows);
            let size = |tenant: &crate::population::Tenant| {
                if table == Table::Call { tenant.calls } else { tenant.customers }
            };
            let sizes: Vec<u64> = population.tenants.iter().map(size).collect();
            assert_eq!((tally.of_workspaces, tally.of_other_workspaces), (sizes, 0));
        }
    }

    #[test]
    fn tallies_of_parts_sum_to_that_of_the_whole() {
        let population = Population::new(&Spec::of(Scale::Tiny, 3, "2026-03-01T00:00:00Z".parse().unwrap()));
        let whole = tally(&population, Table::Customer);
        let mut twice = tally(&population, Table::Customer);
        twice.merge(&whole);
        assert_eq!(twice.rows, 2 * whole.rows);
        let doubled: BTreeMap<String, u64> =
            whole.counts().into_iter().map(|(value, count)| (value, 2 * count)).collect();
        assert_eq!(twice.counts(), doubled);
    }

    #[test]
    fn more_values_than_can_be_told_apart_are_counted_together() {
        let mut values = Values::default();
        for value in 0_u8..100 {
            values.add(&[value], 1);
        }
        assert_eq!((values.counts.len(), values.others), (MOST_VALUES, 100 - MOST_VALUES as u64));
    }
}
