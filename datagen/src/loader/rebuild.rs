//! What follows the rows: indexes, keys, statistics.

use sqlx::PgConnection;

use super::set_aside::{Index, run};
use crate::entities::Table;
use crate::error::Error;

/// The least memory for one index build, in kilobytes; the server's own setting counts if it is higher.
const BUILD_MEMORY_KB: i64 = 256 * 1024;

/// Memory for sorting; and as connections share the work already, no parallel workers within a build.
pub(crate) async fn prepare(conn: &mut PgConnection, is_alone: bool) -> Result<(), Error> {
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

/// Builds an index.
pub(crate) async fn build(conn: &mut PgConnection, index: &Index) -> Result<(), Error> {
    run(conn, "building indexes", &index.build).await
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
