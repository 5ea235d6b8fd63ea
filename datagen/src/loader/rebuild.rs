//! What follows the rows: indexes, keys, statistics.

use sqlx::PgConnection;

use super::set_aside::{Index, SetAside, run};
use crate::entities::Table;
use crate::error::Error;

/// Memory for one index build, in kilobytes, where several are under way. More is slower: a B-tree over 18 million random
/// UUIDs takes 10.0 s with 64 MB, 12.9 s with 256 MB, 14.1 s with 1 GB (means of two), for runs that are sorted in the
/// processor's caches are merged faster than one run is sorted in memory; a GIN index over 1.2 million documents takes
/// 9.9 s with 64 MB and 11.7 s with 1 GB.
const SHARED_BUILD_KB: i64 = 64 * 1024;
/// Memory for a build that is alone and has parallel workers, each of which wants its share; the server's own setting
/// counts if it is higher.
const PARALLEL_BUILD_KB: i64 = 256 * 1024;

/// Prepares a connection for indexes and rows. As connections share the work already, there are no parallel workers
/// within a build, unless the connection `is_alone`.
///
/// Pages are sent on their way to the disk as they are written: a table that goes around the log is synchronised when
/// its transaction ends, and would be waited for then (`backend_flush_after`, at most 2 MB).
pub(crate) async fn prepare(conn: &mut PgConnection, is_alone: bool) -> Result<(), Error> {
    let failed = |error| Error::database("preparing a connection", error);
    let memory = if is_alone {
        sqlx::query(
            "SELECT set_config('maintenance_work_mem', greatest(setting::bigint, $1)::text || 'kB', false)
             FROM pg_settings WHERE name = 'maintenance_work_mem'",
        )
        .bind(PARALLEL_BUILD_KB)
    } else {
        sqlx::query(
            "SELECT set_config('maintenance_work_mem', $1::bigint::text || 'kB', false),
                    set_config('max_parallel_maintenance_workers', '0', false)",
        )
        .bind(SHARED_BUILD_KB)
    };
    memory.execute(&mut *conn).await.map_err(failed)?;
    sqlx::raw_sql("SET backend_flush_after = '2MB'").execute(conn).await.map_err(failed)?;
    Ok(())
}

/// Builds an index.
pub(crate) async fn build(conn: &mut PgConnection, index: &Index) -> Result<(), Error> {
    run(conn, "building indexes", &index.build).await
}

/// The server process behind a connection.
pub(crate) async fn pid(conn: &mut PgConnection) -> Result<i32, Error> {
    sqlx::query_scalar("SELECT pg_backend_pid()")
        .fetch_one(conn)
        .await
        .map_err(|error| Error::database("preparing a connection", error))
}

/// How far the index builds of this database are, by the process that is at them, in so many `steps`: half for the scan of
/// the table, half for the tree behind the sort. Of an index that is no B-tree only the first half is known.
pub(crate) async fn progress(conn: &mut PgConnection, steps: u64) -> Result<Vec<(i32, u64)>, Error> {
    let rows: Vec<(i32, i64)> = sqlx::query_as(
        "SELECT pid, floor($1 / 2 * CASE
             WHEN phase IN ('building index', 'building index: scanning table')
                 THEN coalesce(blocks_done::float8 / nullif(blocks_total, 0), 0)
             WHEN phase LIKE 'building index: sorting%' THEN 1
             WHEN phase LIKE 'building index: loading%'
                 THEN 1 + coalesce(tuples_done::float8 / nullif(tuples_total, 0), 0)
             ELSE 0 END)::bigint
         FROM pg_stat_progress_create_index
         WHERE datname = current_database()",
    )
    .bind(steps as f64)
    .fetch_all(conn)
    .await
    .map_err(|error| Error::database("looking how indexes come on", error))?;
    Ok(rows.into_iter().map(|(pid, done)| (pid, u64::try_from(done).unwrap_or(0).min(steps))).collect())
}

/// Makes keys of those indexes that are keys, and brings back the comments.
pub(crate) async fn keys(conn: &mut PgConnection, indexes: &[Index]) -> Result<(), Error> {
    for index in indexes {
        if let Some(attach) = &index.attach
            && !is_attached(conn, index).await?
        {
            run(conn, "adding a key", attach).await?;
        }
        if let Some(comment) = &index.comment {
            run(conn, "commenting on an index", comment).await?;
        }
    }
    Ok(())
}

/// Brings back on empty tables, where that takes no time, all that was set aside. What is there already is left alone.
pub(crate) async fn everything(
    conn: &mut PgConnection,
    set_aside: &SetAside,
    tables: &[&str],
) -> Result<(), Error> {
    for index in &set_aside.indexes {
        if !exists(conn, index).await? {
            build(conn, index).await?;
        }
    }
    keys(conn, &set_aside.indexes).await?;
    set_aside.give_back_the_rest(conn, tables).await
}

/// Cleans up behind the load, sets the visibility map and gathers statistics.
pub(crate) async fn vacuum(conn: &mut PgConnection, table: Table) -> Result<(), Error> {
    run(conn, "vacuuming", &format!("VACUUM (ANALYZE) public.{table}")).await
}

/// Whether the index is there. One that was being built when a load broke off is not.
pub(crate) async fn exists(conn: &mut PgConnection, index: &Index) -> Result<bool, Error> {
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
