//! What the tests of the loader share.

use std::collections::HashMap;
use std::sync::Mutex;

use chrono::{DateTime, Utc};
use datagen::checksum::Checksum;
use datagen::wire::Rows;
use datagen::{Options, Phase, Present, Progress, Seeded, Spec, Table, Unit};
use futures_util::StreamExt as _;
use migrations::Level;
use sqlx::{AssertSqlSafe, PgConnection};

/// A date in the past, so that tests don't depend on the clock.
pub(crate) fn as_of() -> DateTime<Utc> {
    "2026-03-01T00:00:00Z".parse().unwrap()
}

/// Large enough for several chunks of customers and calls, small enough for a debug build.
pub(crate) fn spec() -> Spec {
    Spec { other_customers: 9_000, other_calls: 40_000, ..Spec::custom(16_000, 80_000, 12, 7, as_of()) }
}

pub(crate) fn connections(connections: usize) -> Options {
    Options { connections, ..Options::default() }
}

pub(crate) async fn connect(url: &str) -> PgConnection {
    migrations::connect(url, "test").await.unwrap()
}

/// Seeds, and insists that something was loaded.
pub(crate) async fn load(url: &str, spec: &Spec, level: Level, options: &Options) -> Present {
    match datagen::seed(url, spec, level, options, &()).await.unwrap() {
        Seeded::Loaded(present) => present,
        Seeded::AlreadyThere(present) => panic!("already there: {present:?}"),
    }
}

/// Rows and checksum of a table, taken from what the database gives back.
pub(crate) async fn read_back(conn: &mut PgConnection, table: Table) -> (u64, Checksum) {
    let statement = table.copy_out();
    let mut pieces = conn.copy_out_raw(&statement).await.unwrap();
    let (mut rows, mut checksum) = (0, Checksum::default());
    let mut stream = Rows::new();
    while let Some(piece) = pieces.next().await {
        stream
            .push(&piece.unwrap(), |row| {
                checksum.add_row(row);
                rows += 1;
            })
            .unwrap();
    }
    stream.end().unwrap();
    (rows, checksum)
}

/// One number from a statement.
pub(crate) async fn number(conn: &mut PgConnection, sql: &str) -> i64 {
    sqlx::query_scalar(AssertSqlSafe(sql.to_owned()))
        .fetch_one(conn)
        .await
        .unwrap_or_else(|error| panic!("{sql}: {error}"))
}

/// Everything that the catalogue says about indexes, keys, triggers and options of the tables.
pub(crate) async fn schema(conn: &mut PgConnection) -> Vec<String> {
    sqlx::query_scalar(
        "SELECT pg_get_indexdef(indexrelid) || CASE WHEN indisvalid THEN '' ELSE ' INVALID' END
             FROM pg_index JOIN pg_class t ON t.oid = indrelid WHERE t.relnamespace = 'public'::regnamespace
         UNION ALL
         SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid)
             FROM pg_constraint WHERE connamespace = 'public'::regnamespace
         UNION ALL
         SELECT tgrelid::regclass || ' ' || tgname || ' ' || tgenabled::text FROM pg_trigger WHERE NOT tgisinternal
         UNION ALL
         SELECT relname || ' ' || coalesce(reloptions::text, '') FROM pg_class
             WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
         UNION ALL
         SELECT c.relname || ' ' || d.description FROM pg_description d JOIN pg_class c ON c.oid = d.objoid
             WHERE c.relnamespace = 'public'::regnamespace
         ORDER BY 1",
    )
    .fetch_all(conn)
    .await
    .unwrap()
}

/// Writes down what it hears; can end the load at a given point.
#[derive(Default)]
pub(crate) struct Listener {
    pub(crate) heard: Mutex<Vec<String>>,
    pub(crate) rows: Mutex<u64>,
    /// Units of each phase.
    pub(crate) units: Mutex<HashMap<String, u64>>,
    pub(crate) phases: Mutex<Vec<Phase>>,
    /// Ends the load when a phase of this name has begun, and some of its rows are sent if it has rows.
    pub(crate) stop_in: Option<(&'static str, tokio_util::sync::CancellationToken)>,
}

impl Progress for Listener {
    fn phase_started(&self, name: &str, total: u64, unit: Unit) {
        self.heard.lock().unwrap().push(format!("{name} {total} {unit:?}"));
        if let Some((phase, stop)) = &self.stop_in
            && name == *phase
            && unit != Unit::Rows
        {
            stop.cancel();
        }
    }

    fn advanced(&self, name: &str, units: u64, _bytes: u64) {
        if let Some((phase, stop)) = &self.stop_in
            && name == *phase
        {
            stop.cancel();
        }
        *self.units.lock().unwrap().entry(name.to_owned()).or_default() += units;
        if name.starts_with("copy") {
            *self.rows.lock().unwrap() += units;
        }
    }

    fn phase_finished(&self, phase: &Phase) {
        self.phases.lock().unwrap().push(phase.clone());
    }
}
