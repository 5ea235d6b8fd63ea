//! The ledger: what the database holds, whether it is whole, how far a load has come, and what was taken apart for it.
//!
//! One row in `callbench.dataset`. It is written before the first row of data and says "incomplete" until everything
//! is loaded, indexed and vacuumed; so a crash at any moment leaves a data set that is known to be incomplete. The
//! definitions of the indexes that are out of the way while rows are loaded stand in it too, stored in the transaction
//! that drops them.
//!
//! And one row in `callbench.dataset_chunk` for each run of chunks, written in the transaction that loads it: a run is
//! either there with its row here, or neither is. That is all a load needs to go on where another one broke off, because
//! the rows themselves are pure functions.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::types::Json;
use sqlx::{PgConnection, Row as _};

use crate::checksum::Checksum;
use crate::encode::Written;
use crate::entities::Table;
use crate::error::Error;
use crate::loader::set_aside::SetAside;
use crate::progress::Phase;
use crate::spec::{DATASET_VERSION, Spec};

/// What a database holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Present {
    /// The specification that was loaded, or was to be.
    pub spec: Spec,
    /// The version of the rows, see [`DATASET_VERSION`].
    pub version: u32,
    /// When the load began, for the first time.
    pub started_at: DateTime<Utc>,
    /// When it was done; `None` for a data set that is incomplete.
    pub completed_at: Option<DateTime<Utc>>,
    /// How often the load was begun; more than once if it was interrupted.
    pub attempts: u32,
    /// What was loaded into each table; while incomplete, what is there so far.
    pub tables: Vec<LoadedTable>,
    /// The phases of the last attempt, in the order of their end; empty while incomplete.
    pub phases: Vec<Phase>,
}

impl Present {
    /// Whether every row, every index and the statistics are there.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.completed_at.is_some()
    }

    /// How long the last attempt took, in seconds, from the first row to the last vacuum.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        self.phases.iter().map(Phase::end_seconds).fold(0.0, f64::max)
    }
}

/// What was loaded into a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoadedTable {
    /// Its name.
    pub table: String,
    /// Rows.
    pub rows: u64,
    /// Bytes of the rows as they were sent.
    pub bytes: u64,
    /// Sum over the rows, in hexadecimal, see [`crate::checksum`].
    pub checksum: String,
}

/// The data set that the database holds by its own account; `None` where nothing was ever seeded.
pub async fn present(conn: &mut PgConnection) -> Result<Option<Present>, Error> {
    Ok(read(conn).await?.map(|(present, _)| present))
}

/// The tables of the ledger. The schema is that of the migrations' bookkeeping.
const CREATE: &str = "\
CREATE SCHEMA IF NOT EXISTS callbench;
CREATE TABLE IF NOT EXISTS callbench.dataset (
    only_one     boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    version      integer NOT NULL,
    spec         jsonb NOT NULL,
    started_at   timestamptz NOT NULL,
    completed_at timestamptz,
    set_aside    jsonb NOT NULL,
    tables       jsonb NOT NULL DEFAULT '[]',
    phases       jsonb NOT NULL DEFAULT '[]'
);
ALTER TABLE callbench.dataset ADD COLUMN IF NOT EXISTS attempts integer NOT NULL DEFAULT 1;
CREATE TABLE IF NOT EXISTS callbench.dataset_chunk (
    table_name  text NOT NULL,
    first_chunk bigint NOT NULL,
    end_chunk   bigint NOT NULL CHECK (end_chunk > first_chunk),
    rows        bigint NOT NULL,
    bytes       bigint NOT NULL,
    checksum    bigint NOT NULL,
    loaded_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (table_name, first_chunk)
);";

/// Creates the ledger.
pub(crate) async fn create(conn: &mut PgConnection) -> Result<(), Error> {
    sqlx::raw_sql(CREATE)
        .execute(conn)
        .await
        .map_err(|error| Error::database("creating the ledger", error))?;
    Ok(())
}

/// The ledger of a data set that somebody else has loaded, as plain SQL.
pub(crate) fn script(spec: &Spec, tables: &[LoadedTable]) -> String {
    let json = |value: Result<String, serde_json::Error>| {
        value.expect("plain data has a form in JSON").replace('\'', "''")
    };
    format!(
        "{CREATE}\nINSERT INTO callbench.dataset (version, spec, started_at, completed_at, set_aside, tables) VALUES (\n    \
         {DATASET_VERSION}, '{}', now(), now(),\n    '{{\"indexes\": [], \"triggers\": []}}', '{}');\n",
        json(serde_json::to_string(spec)),
        json(serde_json::to_string(tables)),
    )
}

pub(crate) async fn read(conn: &mut PgConnection) -> Result<Option<(Present, SetAside)>, Error> {
    let failed = |error| Error::database("reading the ledger", error);
    let exists: bool = sqlx::query_scalar("SELECT to_regclass('callbench.dataset') IS NOT NULL")
        .fetch_one(&mut *conn)
        .await
        .map_err(failed)?;
    if !exists {
        return Ok(None);
    }
    // A ledger that an older version made has no attempts.
    let row = sqlx::query(
        "SELECT version, spec, started_at, completed_at, set_aside, tables, phases,
                coalesce((to_jsonb(dataset) ->> 'attempts')::integer, 1) AS attempts
         FROM callbench.dataset",
    )
    .fetch_optional(&mut *conn)
    .await
    .map_err(failed)?;
    let Some(row) = row else { return Ok(None) };
    let unreadable = |error: sqlx::Error| Error::Ledger(error.to_string());
    let mut present = Present {
        spec: row.try_get::<Json<Spec>, _>("spec").map_err(unreadable)?.0,
        version: row.try_get::<i32, _>("version").map_err(unreadable)?.cast_unsigned(),
        started_at: row.try_get("started_at").map_err(unreadable)?,
        completed_at: row.try_get("completed_at").map_err(unreadable)?,
        attempts: row.try_get::<i32, _>("attempts").map_err(unreadable)?.cast_unsigned(),
        tables: row.try_get::<Json<_>, _>("tables").map_err(unreadable)?.0,
        phases: row.try_get::<Json<_>, _>("phases").map_err(unreadable)?.0,
    };
    let set_aside = row.try_get::<Json<SetAside>, _>("set_aside").map_err(unreadable)?.0;
    if !present.is_complete() && present.version == DATASET_VERSION {
        let runs = runs(conn).await?;
        present.tables = Table::ALL.into_iter().filter_map(|table| loaded(&runs, table)).collect();
    }
    Ok(Some((present, set_aside)))
}

/// Notes that a load begins, and what it takes apart. To be called in the transaction that takes it apart.
pub(crate) async fn begin(conn: &mut PgConnection, spec: &Spec, set_aside: &SetAside) -> Result<(), Error> {
    let failed = |error| Error::database("writing the ledger", error);
    sqlx::query(
        "INSERT INTO callbench.dataset (version, spec, started_at, set_aside) VALUES ($1, $2, clock_timestamp(), $3)
         ON CONFLICT (only_one) DO UPDATE
         SET version = excluded.version, spec = excluded.spec, started_at = excluded.started_at, attempts = 1,
             completed_at = NULL, set_aside = excluded.set_aside, tables = '[]', phases = '[]'",
    )
    .bind(DATASET_VERSION.cast_signed())
    .bind(Json(spec))
    .bind(Json(set_aside))
    .execute(&mut *conn)
    .await
    .map_err(failed)?;
    sqlx::query("TRUNCATE callbench.dataset_chunk").execute(conn).await.map_err(failed)?;
    Ok(())
}

/// Notes that a load goes on.
pub(crate) async fn go_on(conn: &mut PgConnection) -> Result<(), Error> {
    sqlx::query("UPDATE callbench.dataset SET attempts = attempts + 1")
        .execute(conn)
        .await
        .map_err(|error| Error::database("writing the ledger", error))?;
    Ok(())
}

/// A run of chunks that was loaded in one transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LoadedRun {
    /// From its first chunk to the one behind its last.
    pub(crate) chunks: std::ops::Range<u64>,
    pub(crate) written: Written,
}

/// What is loaded so far, table by table.
pub(crate) type Runs = BTreeMap<String, Vec<LoadedRun>>;

/// All runs that are loaded, in the order of their chunks.
pub(crate) async fn runs(conn: &mut PgConnection) -> Result<Runs, Error> {
    let rows: Vec<(String, i64, i64, i64, i64, i64)> = sqlx::query_as(
        "SELECT table_name, first_chunk, end_chunk, rows, bytes, checksum FROM callbench.dataset_chunk
         ORDER BY table_name, first_chunk",
    )
    .fetch_all(conn)
    .await
    .map_err(|error| Error::database("reading the ledger", error))?;
    let mut runs = Runs::new();
    for (table, first, end, rows, bytes, checksum) in rows {
        runs.entry(table).or_default().push(LoadedRun {
            chunks: first.cast_unsigned()..end.cast_unsigned(),
            written: Written {
                rows: rows.cast_unsigned(),
                bytes: bytes.cast_unsigned(),
                checksum: Checksum(checksum.cast_unsigned()),
            },
        });
    }
    Ok(runs)
}

/// Notes a run. To be called in the transaction that loads it.
pub(crate) async fn note_run(conn: &mut PgConnection, table: Table, run: &LoadedRun) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO callbench.dataset_chunk (table_name, first_chunk, end_chunk, rows, bytes, checksum)
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(table.name())
    .bind(run.chunks.start.cast_signed())
    .bind(run.chunks.end.cast_signed())
    .bind(run.written.rows.cast_signed())
    .bind(run.written.bytes.cast_signed())
    .bind(run.written.checksum.0.cast_signed())
    .execute(conn)
    .await
    .map_err(|error| Error::database("writing the ledger", error))?;
    Ok(())
}

/// The sum over the runs of a table; `None` if there are none.
pub(crate) fn loaded(runs: &Runs, table: Table) -> Option<LoadedTable> {
    let runs = runs.get(table.name())?;
    let mut written = Written::default();
    for run in runs {
        written += run.written;
    }
    Some(LoadedTable {
        table: table.name().to_owned(),
        rows: written.rows,
        bytes: written.bytes,
        checksum: format!("{:016x}", written.checksum.0),
    })
}

/// Notes that everything is there. To be called in the transaction that gives back what was set aside.
pub(crate) async fn complete(
    conn: &mut PgConnection,
    tables: &[LoadedTable],
    phases: &[Phase],
) -> Result<(), Error> {
    let failed = |error| Error::database("writing the ledger", error);
    sqlx::query(
        "UPDATE callbench.dataset
         SET completed_at = clock_timestamp(), set_aside = '{\"indexes\": [], \"triggers\": []}',
             tables = $1, phases = $2",
    )
    .bind(Json(tables))
    .bind(Json(phases))
    .execute(&mut *conn)
    .await
    .map_err(failed)?;
    sqlx::query("TRUNCATE callbench.dataset_chunk").execute(conn).await.map_err(failed)?;
    Ok(())
}
