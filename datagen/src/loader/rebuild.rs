//! What follows the rows: indexes, keys, statistics; several at once.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use futures_util::future::try_join_all;
use sqlx::PgConnection;

use super::set_aside::{Index, SetAside, run};
use crate::error::Error;
use crate::progress::Progress;

/// The least memory for one index build, in kilobytes; the server's own setting counts if it is higher.
const BUILD_MEMORY_KB: i64 = 256 * 1024;

/// Builds the indexes that are not there, then makes keys of those that are keys. What a load that broke off has built
/// already is kept.
pub(crate) async fn indexes(
    control: &mut PgConnection,
    connections: Vec<PgConnection>,
    set_aside: &SetAside,
    progress: &dyn Progress,
) -> Result<Vec<PgConnection>, Error> {
    let mut missing: Vec<&Index> = Vec::new();
    for index in &set_aside.indexes {
        if !exists(control, index).await? {
            missing.push(index);
        }
    }
    missing.sort_by_key(|index| !index.is_slow);
    let statements = missing.iter().map(|index| index.build.clone()).collect();
    let connections = at_once(connections, statements, "building indexes", progress).await?;

    // A key takes its table for itself, if only for a moment: not while other indexes of the table are being built.
    for index in &set_aside.indexes {
        if let Some(attach) = &index.attach
            && !is_attached(control, index).await?
        {
            run(control, "adding a key", attach).await?;
        }
        if let Some(comment) = &index.comment {
            run(control, "commenting on an index", comment).await?;
        }
    }
    Ok(connections)
}

/// Cleans up behind the load, sets the visibility map and gathers statistics.
pub(crate) async fn vacuum(
    connections: Vec<PgConnection>,
    tables: &[&str],
    progress: &dyn Progress,
) -> Result<Vec<PgConnection>, Error> {
    // The largest tables come last in the order of loading, and should start first.
    let statements = tables.iter().rev().map(|table| format!("VACUUM (ANALYZE) public.{table}")).collect();
    at_once(connections, statements, "vacuuming", progress).await
}

/// Runs statements on all connections, each the next one, and gives the connections back.
async fn at_once(
    connections: Vec<PgConnection>,
    statements: VecDeque<String>,
    while_doing: &'static str,
    progress: &dyn Progress,
) -> Result<Vec<PgConnection>, Error> {
    let is_alone = connections.len() == 1;
    let statements = Mutex::new(statements);
    let workers = connections.into_iter().map(async |mut conn| {
        prepare(&mut conn, is_alone).await?;
        loop {
            let next = statements.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
            let Some(statement) = next else { return Ok(conn) };
            run(&mut conn, while_doing, &statement).await?;
            progress.advanced(1, 0);
        }
    });
    try_join_all(workers).await
}

/// Memory for sorting; and as connections share the work already, no parallel workers within a build.
async fn prepare(conn: &mut PgConnection, is_alone: bool) -> Result<(), Error> {
    sqlx::query(
        "SELECT set_config('maintenance_work_mem',
                           greatest(setting::bigint, $1)::text || 'kB', false),
                CASE WHEN NOT $2 THEN set_config('max_parallel_maintenance_workers', '0', false) END
         FROM pg_settings WHERE name = 'maintenance_work_mem'",
    )
    .bind(BUILD_MEMORY_KB)
    .bind(is_alone)
    .execute(conn)
    .await
    .map_err(|error| Error::database("preparing a connection", error))?;
    Ok(())
}

async fn exists(conn: &mut PgConnection, index: &Index) -> Result<bool, Error> {
    sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM pg_class
                        WHERE relname = $1 AND relkind = 'i' AND relnamespace = 'public'::regnamespace)",
    )
    .bind(&index.name)
    .fetch_one(conn)
    .await
    .map_err(|error| Error::database("looking for an index", error))
}

async fn is_attached(conn: &mut PgConnection, index: &Index) -> Result<bool, Error> {
    sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM pg_constraint
                        WHERE conname = $1 AND contype IN ('p', 'u') AND connamespace = 'public'::regnamespace)",
    )
    .bind(&index.name)
    .fetch_one(conn)
    .await
    .map_err(|error| Error::database("looking for a key", error))
}
