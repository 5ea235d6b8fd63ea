//! The ledger: what the database holds, whether it is whole, and what was taken apart to load it.
//!
//! One row in `callbench.dataset`. It is written before the first row of data and says "incomplete" until everything
//! is loaded, indexed and vacuumed; so a crash at any moment leaves a data set that is known to be incomplete. The
//! definitions of the indexes that are out of the way while rows are loaded stand in it too, stored in the transaction
//! that drops them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::types::Json;
use sqlx::{PgConnection, Row as _};

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
    /// When the load began.
    pub started_at: DateTime<Utc>,
    /// When it was done; `None` for a data set that is incomplete.
    pub completed_at: Option<DateTime<Utc>>,
    /// What was loaded into each table; empty while incomplete.
    pub tables: Vec<LoadedTable>,
    /// The phases of the load; empty while incomplete.
    pub phases: Vec<Phase>,
}

impl Present {
    /// Whether every row, every index and the statistics are there.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.completed_at.is_some()
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

/// Creates the ledger. The schema is that of the migrations' bookkeeping.
pub(crate) async fn create(conn: &mut PgConnection) -> Result<(), Error> {
    sqlx::raw_sql(
        "CREATE SCHEMA IF NOT EXISTS callbench;
         CREATE TABLE IF NOT EXISTS callbench.dataset (
             only_one     boolean PRIMARY KEY DEFAULT true CHECK (only_one),
             version      integer NOT NULL,
             spec         jsonb NOT NULL,
             started_at   timestamptz NOT NULL,
             completed_at timestamptz,
             set_aside    jsonb NOT NULL,
             tables       jsonb NOT NULL DEFAULT '[]',
             phases       jsonb NOT NULL DEFAULT '[]'
         )",
    )
    .execute(conn)
    .await
    .map_err(|error| Error::database("creating the ledger", error))?;
    Ok(())
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
    let row = sqlx::query(
        "SELECT version, spec, started_at, completed_at, set_aside, tables, phases FROM callbench.dataset",
    )
    .fetch_optional(conn)
    .await
    .map_err(failed)?;
    let Some(row) = row else { return Ok(None) };
    let unreadable = |error: sqlx::Error| Error::Ledger(error.to_string());
    let present = Present {
        spec: row.try_get::<Json<Spec>, _>("spec").map_err(unreadable)?.0,
        version: row.try_get::<i32, _>("version").map_err(unreadable)?.cast_unsigned(),
        started_at: row.try_get("started_at").map_err(unreadable)?,
        completed_at: row.try_get("completed_at").map_err(unreadable)?,
        tables: row.try_get::<Json<_>, _>("tables").map_err(unreadable)?.0,
        phases: row.try_get::<Json<_>, _>("phases").map_err(unreadable)?.0,
    };
    let set_aside = row.try_get::<Json<SetAside>, _>("set_aside").map_err(unreadable)?.0;
    Ok(Some((present, set_aside)))
}

/// Notes that a load begins, and what it takes apart. To be called in the transaction that takes it apart.
pub(crate) async fn begin(conn: &mut PgConnection, spec: &Spec, set_aside: &SetAside) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO callbench.dataset (version, spec, started_at, set_aside) VALUES ($1, $2, clock_timestamp(), $3)
         ON CONFLICT (only_one) DO UPDATE
         SET version = excluded.version, spec = excluded.spec, started_at = excluded.started_at,
             completed_at = NULL, set_aside = excluded.set_aside, tables = '[]', phases = '[]'",
    )
    .bind(DATASET_VERSION.cast_signed())
    .bind(Json(spec))
    .bind(Json(set_aside))
    .execute(conn)
    .await
    .map_err(|error| Error::database("writing the ledger", error))?;
    Ok(())
}

/// Notes that everything is there.
pub(crate) async fn complete(
    conn: &mut PgConnection,
    tables: &[LoadedTable],
    phases: &[Phase],
) -> Result<(), Error> {
    sqlx::query(
        "UPDATE callbench.dataset
         SET completed_at = clock_timestamp(), set_aside = '{\"indexes\": [], \"triggers\": []}',
             tables = $1, phases = $2",
    )
    .bind(Json(tables))
    .bind(Json(phases))
    .execute(conn)
    .await
    .map_err(|error| Error::database("writing the ledger", error))?;
    Ok(())
}
