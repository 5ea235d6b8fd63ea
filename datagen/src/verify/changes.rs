//! Which rows are not what they were, and in which columns.
//!
//! Only rows of buckets that differ are compared. Those of the generator are kept, each as its key and a hash of each
//! field; those of the database pass by. Where the buckets hold more rows than may be kept, some of them are compared,
//! and the numbers scaled up: which rows share a bucket is as good as random.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::{DateTime, Utc};

use super::Running;
use super::buckets::Selected;
use super::error::Error;
use super::findings::{Change, Changes};
use super::sides::{self, Sink};
use super::snapshot::Snapshot;
use super::sums::key_of;
use crate::checksum;
use crate::encode::PG_EPOCH_US;
use crate::entities::{Kind, Table};
use crate::population::Population;
use crate::wire;

/// Keys that are named as examples.
const EXAMPLES: usize = 3;

/// Compares the rows of the buckets that were `selected` among `differing` ones. The table holds `surplus` rows more than
/// the generator writes.
pub(super) async fn find(
    table: Table,
    population: &Arc<Population>,
    selected: Selected,
    differing: usize,
    surplus: i64,
    snapshot: &mut Snapshot,
    running: &Running<'_>,
) -> Result<Changes, Error> {
    let scale = (selected.buckets < differing).then(|| Scale {
        rows: selected.differing_rows as f64 / selected.expected_rows.max(1) as f64,
        buckets: differing as f64 / selected.buckets as f64,
        surplus,
    });
    let selected = Arc::new(selected);
    let threads = snapshot.connections.len();
    let expected = sides::regenerate(table, population, threads, || Expected {
        key_columns: table.key_columns(),
        selected: Arc::clone(&selected),
        rows: HashMap::new(),
    });
    let mut rows = HashMap::new();
    for part in expected.await {
        rows.extend(part.rows);
    }
    let rows = Arc::new(rows);
    let found =
        sides::read(table, snapshot, running, || Found::new(table, Arc::clone(&selected), Arc::clone(&rows)));
    let mut total = Found::new(table, Arc::clone(&selected), Arc::clone(&rows));
    for part in found.await? {
        total.merge(part);
    }
    let mut removed = Examples::default();
    for (key, _) in rows.iter().filter(|(_, row)| !row.is_seen.load(Ordering::Relaxed)) {
        removed.add(key);
    }
    Ok(total.changes(&removed, scale))
}

/// How a sample speaks for all.
#[derive(Debug, Clone, Copy)]
struct Scale {
    /// Rows of the generator in all buckets that differ, by those in the sample.
    rows: f64,
    /// Buckets that differ, by those in the sample.
    buckets: f64,
    /// Rows added less rows removed, which is known exactly.
    surplus: i64,
}

impl Scale {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an estimate, rounded")]
    fn up(rows: u64, by: f64) -> u64 {
        (rows as f64 * by).round() as u64
    }

    /// Rows added and removed. Where the sample has only the one, the other is taken for none, and the surplus tells.
    fn added_and_removed(self, added: u64, removed: u64) -> (u64, u64) {
        match (added, removed, self.surplus) {
            (_, 0, 0..) => (self.surplus.unsigned_abs(), 0),
            (0, _, ..=0) => (0, self.surplus.unsigned_abs()),
            _ => (Self::up(added, self.buckets), Self::up(removed, self.rows)),
        }
    }
}

/// A row of the generator.
struct ExpectedRow {
    field_hashes: Box<[u64]>,
    /// Whether the database has it.
    is_seen: AtomicBool,
}

/// Collects rows of the generator.
struct Expected {
    key_columns: usize,
    selected: Arc<Selected>,
    rows: HashMap<Box<[u8]>, ExpectedRow>,
}

impl Sink for Expected {
    fn row(&mut self, row: &[u8]) {
        let key = key_of(row, self.key_columns);
        if self.selected.holds(key) {
            let field_hashes = wire::fields(row).map(field_hash).collect();
            self.rows.insert(key.into(), ExpectedRow { field_hashes, is_seen: AtomicBool::new(false) });
        }
    }
}

/// NULL hashes to zero, which no value does but by a chance of 2^-64.
fn field_hash(field: Option<&[u8]>) -> u64 {
    field.map_or(0, checksum::of_row)
}

/// Compares rows of the database as they pass.
struct Found {
    table: Table,
    /// Place of `created_at` among the columns.
    created_at: Option<usize>,
    selected: Arc<Selected>,
    expected: Arc<HashMap<Box<[u8]>, ExpectedRow>>,
    added: Examples,
    changed: Examples,
    changed_columns: Vec<u64>,
    added_from: Option<DateTime<Utc>>,
    added_to: Option<DateTime<Utc>>,
}

impl Found {
    fn new(table: Table, selected: Arc<Selected>, expected: Arc<HashMap<Box<[u8]>, ExpectedRow>>) -> Self {
        Self {
            table,
            created_at: table.columns().iter().position(|column| column.name == "created_at"),
            selected,
            expected,
            added: Examples::default(),
            changed: Examples::default(),
            changed_columns: vec![0; table.columns().len()],
            added_from: None,
            added_to: None,
        }
    }

    fn merge(&mut self, other: Self) {
        self.added.merge(other.added);
        self.changed.merge(other.changed);
        for (rows, more) in self.changed_columns.iter_mut().zip(other.changed_columns) {
            *rows += more;
        }
        for time in [other.added_from, other.added_to].into_iter().flatten() {
            self.was_added_at(time);
        }
    }

    fn was_added_at(&mut self, time: DateTime<Utc>) {
        self.added_from = Some(self.added_from.map_or(time, |from| from.min(time)));
        self.added_to = Some(self.added_to.map_or(time, |to| to.max(time)));
    }

    fn changes(&self, removed: &Examples, scale: Option<Scale>) -> Changes {
        let (added_rows, removed_rows) = match scale {
            Some(scale) => scale.added_and_removed(self.added.rows, removed.rows),
            None => (self.added.rows, removed.rows),
        };
        let scaled = |rows: u64| scale.map_or(rows, |scale| Scale::up(rows, scale.rows));
        let change = |rows: u64, examples: &Examples| Change {
            rows,
            examples: examples.least.iter().map(|key| key_text(self.table, key)).collect(),
        };
        let names = self.table.columns().iter().map(|column| column.name.to_owned());
        let mut columns: Vec<(String, u64)> =
            names.zip(&self.changed_columns).map(|(name, &rows)| (name, scaled(rows))).collect();
        columns.retain(|&(_, rows)| rows > 0);
        columns.sort_by_key(|&(_, rows)| std::cmp::Reverse(rows));
        Changes {
            is_estimated: scale.is_some(),
            added: change(added_rows, &self.added),
            removed: change(removed_rows, removed),
            changed: change(scaled(self.changed.rows), &self.changed),
            columns,
            added_from: self.added_from,
            added_to: self.added_to,
        }
    }
}

impl Sink for Found {
    fn row(&mut self, row: &[u8]) {
        let key = key_of(row, self.table.key_columns());
        if !self.selected.holds(key) {
            return;
        }
        let expected = Arc::clone(&self.expected);
        // A key that comes twice, because its index is broken, is an added row the second time.
        let Some(expected) = expected.get(key).filter(|row| !row.is_seen.swap(true, Ordering::Relaxed))
        else {
            self.added.add(key);
            let created_at = self.created_at.and_then(|at| wire::fields(row).nth(at)).flatten();
            if let Some(time) = created_at.and_then(time) {
                self.was_added_at(time);
            }
            return;
        };
        let mut is_changed = false;
        for ((field, expected), rows) in
            wire::fields(row).zip(&expected.field_hashes).zip(&mut self.changed_columns)
        {
            if field_hash(field) != *expected {
                *rows += 1;
                is_changed = true;
            }
        }
        if is_changed {
            self.changed.add(key);
        }
    }
}

/// Counts keys, and keeps the least of them.
#[derive(Default)]
struct Examples {
    rows: u64,
    least: Vec<Box<[u8]>>,
}

impl Examples {
    fn add(&mut self, key: &[u8]) {
        self.rows += 1;
        self.keep(key.into());
    }

    fn keep(&mut self, key: Box<[u8]>) {
        if self.least.len() < EXAMPLES || self.least.last().is_some_and(|last| key < *last) {
            let at = self.least.partition_point(|kept| *kept < key);
            self.least.insert(at, key);
            self.least.truncate(EXAMPLES);
        }
    }

    fn merge(&mut self, other: Self) {
        self.rows += other.rows;
        for key in other.least {
            self.keep(key);
        }
    }
}

/// A `timestamptz`; `None` for an infinite one.
fn time(field: &[u8]) -> Option<DateTime<Utc>> {
    let since_2000_us = i64::from_be_bytes(field.try_into().ok()?);
    DateTime::from_timestamp_micros(since_2000_us.checked_add(PG_EPOCH_US)?)
}

/// A key as a statement would have it; its columns with a slash between.
fn key_text(table: Table, key: &[u8]) -> String {
    let row = [&[0, 0], key].concat();
    let fields = wire::fields(&row).flatten().zip(table.columns()).map(|(field, column)| {
        match (column.kind, <[u8; 16]>::try_from(field)) {
            (Kind::Uuid, Ok(id)) => sqlx::types::Uuid::from_bytes(id).to_string(),
            _ => field.iter().fold(String::from("\\x"), |text, byte| format!("{text}{byte:02x}")),
        }
    });
    fields.collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_read_as_in_a_statement() {
        let id = [
            0, 0, 0, 16, 0xd9, 0x14, 0xf7, 0xff, 0xd0, 0xfd, 0x44, 0x79, 0x96, 0xad, 0x91, 0xff, 0xdc, 0x72,
            0xbc, 0x21,
        ];
        let text = "d914f7ff-d0fd-4479-96ad-91ffdc72bc21";
        assert_eq!(key_text(Table::Call, &id), text);
        assert_eq!(key_text(Table::CustomerLabel, &[id, id].concat()), format!("{text}/{text}"));
        assert_eq!(key_text(Table::AuthToken, &[0, 0, 0, 2, 0x0a, 0xff]), "\\x0aff");
    }

    #[test]
    fn the_least_keys_are_the_examples_whoever_found_them() {
        let mut one = Examples::default();
        let mut other = Examples::default();
        for key in [9_u8, 4, 7, 1] {
            one.add(&[key]);
        }
        for key in [3_u8, 8] {
            other.add(&[key]);
        }
        one.merge(other);
        assert_eq!(one.rows, 6);
        let least: Vec<&[u8]> = one.least.iter().map(AsRef::as_ref).collect();
        assert_eq!(least, [[1], [3], [4]]);
    }

    #[test]
    fn what_is_known_exactly_is_not_estimated() {
        let scale = |surplus| Scale { rows: 10.0, buckets: 12.0, surplus };
        assert_eq!(scale(117).added_and_removed(10, 0), (117, 0));
        assert_eq!(scale(-98).added_and_removed(0, 10), (0, 98));
        assert_eq!(scale(5).added_and_removed(10, 11), (120, 110));
        // The sample has only added rows, and yet more are gone than came.
        assert_eq!(scale(-5).added_and_removed(10, 0), (120, 0));
        assert_eq!(scale(0).added_and_removed(0, 0), (0, 0));
    }

    #[test]
    fn an_infinite_time_is_none() {
        assert_eq!(time(&0_i64.to_be_bytes()).unwrap().to_rfc3339(), "2000-01-01T00:00:00+00:00");
        assert_eq!(time(&i64::MAX.to_be_bytes()), None);
    }
}
