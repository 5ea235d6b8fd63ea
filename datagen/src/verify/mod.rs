//! Proves that a database holds exactly the data set of its ledger, and says what is different where it does not.
//!
//! Rows are pure functions of the specification, so they need not be kept to be compared: every table is read as a
//! binary COPY while its rows are generated again, and both sides are summed in buckets by the hash of their key
//! ([`buckets`]). Equal buckets hold equal rows. Only the rows of buckets that differ are looked at one by one
//! ([`changes`]), so memory is bounded at any scale.
//!
//! Everything is read on one snapshot ([`snapshot`]): writers go on, and what they commit meanwhile is not seen. Nothing
//! is written.

mod buckets;
mod changes;
mod distributions;
mod error;
mod findings;
mod health;
mod references;
mod sides;
mod snapshot;
mod summary;
mod sums;
mod tally;
mod totals;

use std::sync::Arc;
use std::time::Instant;

use tokio_util::sync::CancellationToken;

pub use error::Error;
pub use findings::{Change, Changes, Check, Figure, Group, Sum, TableFinding, Verdict, Verification};

use crate::entities::Table;
use crate::ledger::{self, Present};
use crate::plan;
use crate::population::Population;
use crate::progress::{Phase, Progress, Unit, seconds};
use crate::spec::DATASET_VERSION;
use snapshot::Snapshot;
use sums::Sums;
use tally::Workspaces;

/// How to verify.
#[derive(Debug, Clone)]
pub struct Options {
    /// Connections that read at the same time, and threads that generate; 0 counts as 1.
    pub connections: usize,
    /// Counts, checksums, distributions and health only: one pass over the rows, and no joins in the database.
    pub quick: bool,
    /// How many rows of one table are compared one by one at most; beyond that a sample of this size speaks for all. A
    /// row takes about a quarter of a kilobyte of memory.
    pub compared_rows: u64,
    /// Ends it early, with [`Error::Interrupted`].
    pub stop: CancellationToken,
}

impl Default for Options {
    fn default() -> Self {
        let connections = std::thread::available_parallelism().map_or(2, usize::from);
        Self { connections, quick: false, compared_rows: 500_000, stop: CancellationToken::new() }
    }
}

/// Verifies the database at `url`. What is wrong with the data is a finding; an error means that nothing can be said.
pub async fn verify(url: &str, options: &Options, progress: &dyn Progress) -> Result<Verification, Error> {
    // Dropping it closes its connections, which ends what the server does for it, and stops its threads.
    tokio::select! {
        biased;
        () = options.stop.cancelled() => Err(Error::Interrupted),
        done = verify_uninterrupted(url, options, progress) => done,
    }
}

async fn verify_uninterrupted(
    url: &str,
    options: &Options,
    progress: &dyn Progress,
) -> Result<Verification, Error> {
    let mut snapshot = Snapshot::open(url).await?;
    let present = require(&mut snapshot).await?;
    let level = migrations::level(snapshot.any()).await?;
    snapshot.leave_out(|table| !present.spec.fills(table));
    snapshot.widen(url, options.connections.max(1)).await?;
    let population = {
        let spec = present.spec.clone();
        sides::passed_on(tokio::task::spawn_blocking(move || Population::new(&spec)).await)
    };
    let population = Arc::new(population);
    let workspaces = Arc::new(Workspaces::of(&population));

    let mut tables = Vec::new();
    let mut sums = Vec::new();
    for table in Table::ALL {
        if !snapshot.holds(table.name()) {
            continue;
        }
        let loaded = present.tables.iter().find(|loaded| loaded.table == table.name());
        let expected_rows = loaded.map_or_else(|| plan::rows(&population, table), |loaded| loaded.rows);
        let running = Running::start(progress, format!("verify {table}"), expected_rows, Unit::Rows);
        let found = Sums::take(table, &population, &workspaces, &mut snapshot, &running).await?;
        running.finish(Some((found.held.rows, found.held.bytes)));
        let differing = found.buckets.differing();
        let changes = if differing.is_empty() || options.quick {
            None
        } else {
            let running = Running::start(progress, format!("compare {table}"), found.held.rows, Unit::Rows);
            let selected = found.buckets.select(&differing, options.compared_rows);
            let surplus = found.held.rows.cast_signed() - found.generated.rows.cast_signed();
            let changes = changes::find(
                table,
                &population,
                selected,
                differing.len(),
                surplus,
                &mut snapshot,
                &running,
            )
            .await?;
            running.finish(Some((found.held.rows, found.held.bytes)));
            Some(changes)
        };
        tables.push(TableFinding {
            table: table.name().to_owned(),
            held: found.held.sum(),
            expected: found.generated.sum(),
            loaded: loaded.map(|loaded| Sum { rows: loaded.rows, checksum: loaded.checksum.clone() }),
            is_equal: differing.is_empty() && found.held.sum() == found.generated.sum(),
            changes,
        });
        sums.push(found.into_tallies());
    }

    let mut checks = Vec::new();
    if !options.quick {
        let running = Running::start(
            progress,
            "verify references".to_owned(),
            references::count(&snapshot),
            Unit::Steps,
        );
        checks.extend(references::check(&mut snapshot, &running).await?);
        running.finish(None);
        if totals::are_kept(&snapshot) {
            let running = Running::start(progress, "verify totals".to_owned(), 1, Unit::Steps);
            checks.extend(totals::check(&mut snapshot).await?);
            running.advanced(1, 0);
            running.finish(None);
        }
    }
    checks.extend(distributions::check(&population, &sums));
    if !options.quick {
        checks.extend(distributions::calls_per_customer(&mut snapshot).await?);
    }
    checks.extend(distributions::order_on_disk(&population, &mut snapshot).await?);
    checks.extend(health::check(&mut snapshot, &present, level).await?);
    Ok(Verification {
        database: snapshot.database.clone(),
        taken_at: snapshot.taken_at,
        level: level.map(|level| level.name().to_owned()),
        version: present.version,
        spec: present.spec,
        loaded_at: present.completed_at,
        is_quick: options.quick,
        tables,
        checks,
    })
}

/// What the ledger says, if it is something that can be verified by this program.
async fn require(snapshot: &mut Snapshot) -> Result<Present, Error> {
    let database = snapshot.database.clone();
    let present = ledger::present(snapshot.any()).await.map_err(Error::of_ledger)?;
    let present = present.ok_or_else(|| Error::NoDataset { database: database.clone() })?;
    if !present.is_complete() {
        return Err(Error::Incomplete { database });
    }
    if present.version != DATASET_VERSION {
        return Err(Error::OtherVersion { database, found: present.version });
    }
    present.spec.check().map_err(Error::of_ledger)?;
    Ok(present)
}

/// A phase that is under way.
struct Running<'a> {
    progress: &'a dyn Progress,
    name: String,
    clock: Instant,
}

impl<'a> Running<'a> {
    fn start(progress: &'a dyn Progress, name: String, total: u64, unit: Unit) -> Self {
        progress.phase_started(&name, total, unit);
        Self { progress, name, clock: Instant::now() }
    }

    fn advanced(&self, units: u64, bytes: u64) {
        self.progress.advanced(&self.name, units, bytes);
    }

    fn finish(self, read: Option<(u64, u64)>) {
        self.progress.phase_finished(&Phase {
            name: self.name,
            began_seconds: 0.0,
            seconds: seconds(self.clock.elapsed()),
            rows: read.map(|(rows, _)| rows),
            bytes: read.map(|(_, bytes)| bytes),
        });
    }
}
