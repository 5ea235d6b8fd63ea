//! `pg_stat_database`: what all sessions of one database did.

use reports::run::DatabaseCounters;
use sqlx::PgConnection;

/// The counters of the database of `connection`.
pub(super) async fn read(connection: &mut PgConnection) -> Result<DatabaseCounters, sqlx::Error> {
    let row: Row = sqlx::query_as(
        "SELECT /* callbench probe */
                xact_commit, xact_rollback, blks_hit, blks_read, tup_returned, tup_fetched, tup_inserted, tup_updated,
                tup_deleted, conflicts, temp_files, temp_bytes, deadlocks, session_time, active_time
         FROM pg_catalog.pg_stat_database WHERE datname = current_database()",
    )
    .fetch_one(connection)
    .await?;
    Ok(row.into())
}

#[derive(sqlx::FromRow)]
struct Row {
    xact_commit: i64,
    xact_rollback: i64,
    blks_hit: i64,
    blks_read: i64,
    tup_returned: i64,
    tup_fetched: i64,
    tup_inserted: i64,
    tup_updated: i64,
    tup_deleted: i64,
    conflicts: i64,
    temp_files: i64,
    temp_bytes: i64,
    deadlocks: i64,
    session_time: f64,
    active_time: f64,
}

impl From<Row> for DatabaseCounters {
    fn from(row: Row) -> Self {
        use super::natural;
        Self {
            commits: natural(row.xact_commit),
            rollbacks: natural(row.xact_rollback),
            buffers_hit: natural(row.blks_hit),
            buffers_read: natural(row.blks_read),
            rows_scanned: natural(row.tup_returned),
            rows_fetched: natural(row.tup_fetched),
            rows_inserted: natural(row.tup_inserted),
            rows_updated: natural(row.tup_updated),
            rows_deleted: natural(row.tup_deleted),
            conflicts: natural(row.conflicts),
            temporary_files: natural(row.temp_files),
            temporary_bytes: natural(row.temp_bytes),
            deadlocks: natural(row.deadlocks),
            session_ms: row.session_time,
            active_ms: row.active_time,
        }
    }
}
