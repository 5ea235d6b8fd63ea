//! One pass over a table and over what the generator writes for it: counts, checksums, buckets, tallies.

use std::sync::Arc;

use super::Running;
use super::buckets::Buckets;
use super::error::Error;
use super::findings::Sum;
use super::sides::{self, Sink};
use super::snapshot::Snapshot;
use super::tally::{Tally, Workspaces};
use crate::checksum::{self, Checksum};
use crate::entities::Table;
use crate::population::Population;
use crate::wire;

/// Both sides of a table.
pub(super) struct Sums {
    table: Table,
    pub(super) held: Side,
    pub(super) generated: Side,
    pub(super) buckets: Arc<Buckets>,
}

impl Sums {
    /// Reads the table and generates it again, at the same time.
    pub(super) async fn take(
        table: Table,
        population: &Arc<Population>,
        workspaces: &Arc<Workspaces>,
        snapshot: &mut Snapshot,
        running: &Running<'_>,
    ) -> Result<Self, Error> {
        let buckets = Arc::new(Buckets::new());
        let side = |add| Side::new(table, Arc::clone(&buckets), add, Arc::clone(workspaces));
        let threads = snapshot.connections.len();
        let generated = sides::regenerate(table, population, threads, || side(Buckets::add_generated));
        let held = sides::read(table, snapshot, running, || side(Buckets::add_held));
        let (held, generated) = tokio::try_join!(held, async { Ok(generated.await) })?;
        Ok(Self { table, held: Side::merge(held), generated: Side::merge(generated), buckets })
    }

    /// What the distributions need of it.
    pub(super) fn into_tallies(self) -> Tallies {
        Tallies { table: self.table, held: self.held.tally, generated: self.generated.tally }
    }
}

/// The tallies of a table.
pub(super) struct Tallies {
    pub(super) table: Table,
    pub(super) held: Tally,
    pub(super) generated: Tally,
}

/// The rows of one side that came by one connection or thread.
pub(super) struct Side {
    pub(super) rows: u64,
    pub(super) bytes: u64,
    checksum: Checksum,
    key_columns: usize,
    buckets: Arc<Buckets>,
    add: fn(&Buckets, &[u8], u64),
    tally: Tally,
}

impl Side {
    fn new(
        table: Table,
        buckets: Arc<Buckets>,
        add: fn(&Buckets, &[u8], u64),
        workspaces: Arc<Workspaces>,
    ) -> Self {
        let tally = Tally::new(table, workspaces);
        let checksum = Checksum::default();
        Self { rows: 0, bytes: 0, checksum, key_columns: table.key_columns(), buckets, add, tally }
    }

    fn merge(sides: Vec<Self>) -> Self {
        let merged = sides.into_iter().reduce(|mut merged, side| {
            merged.rows += side.rows;
            merged.bytes += side.bytes;
            merged.checksum += side.checksum;
            merged.tally.merge(&side.tally);
            merged
        });
        merged.expect("there is at least one connection and one thread")
    }

    pub(super) fn sum(&self) -> Sum {
        Sum { rows: self.rows, checksum: format!("{:016x}", self.checksum.0) }
    }
}

impl Sink for Side {
    fn row(&mut self, row: &[u8]) {
        let hash = checksum::of_row(row);
        self.rows += 1;
        self.bytes += row.len() as u64;
        self.checksum += Checksum(hash);
        (self.add)(&self.buckets, key_of(row, self.key_columns), hash);
        self.tally.add(row);
    }
}

/// The fields of the key, with their lengths, as they stand in the row.
pub(super) fn key_of(row: &[u8], columns: usize) -> &[u8] {
    let fields = row.get(2..).unwrap_or_default();
    let bytes = wire::fields(row).take(columns).map(|field| 4 + field.map_or(0, <[u8]>::len)).sum();
    fields.get(..bytes).unwrap_or(fields)
}
