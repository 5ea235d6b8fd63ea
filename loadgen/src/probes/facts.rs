//! What the database server is: its version, and the settings that decide its speed.

use std::collections::BTreeMap;

use reports::run::DatabaseFacts;
use sqlx::Connection as _;

/// The settings that are kept with a result. Names that a server doesn't know are left out.
const SETTINGS: [&str; 28] = [
    "autovacuum",
    "checkpoint_completion_target",
    "checkpoint_timeout",
    "default_statistics_target",
    "effective_cache_size",
    "effective_io_concurrency",
    "fsync",
    "full_page_writes",
    "hash_mem_multiplier",
    "huge_pages",
    "io_method",
    "jit",
    "maintenance_work_mem",
    "max_connections",
    "max_parallel_maintenance_workers",
    "max_parallel_workers",
    "max_parallel_workers_per_gather",
    "max_wal_size",
    "max_worker_processes",
    "pg_stat_statements.track",
    "plan_cache_mode",
    "random_page_cost",
    "shared_buffers",
    "synchronous_commit",
    "track_io_timing",
    "wal_compression",
    "wal_level",
    "work_mem",
];

/// Asks the database at `url`. Settings are those of a new session in that database, printed with their units.
pub async fn facts(url: &str) -> Result<DatabaseFacts, sqlx::Error> {
    let mut connection = super::connect(url).await?;
    // `version()` goes on with architecture and compiler; the part before ` on ` is what people call it.
    let version: String =
        sqlx::query_scalar("SELECT split_part(version(), ' on ', 1)").fetch_one(&mut connection).await?;
    let settings: Vec<(String, String)> = sqlx::query_as(
        "SELECT name, current_setting(name) FROM pg_catalog.pg_settings WHERE name = ANY($1) ORDER BY name",
    )
    .bind(&SETTINGS[..])
    .fetch_all(&mut connection)
    .await?;
    connection.close().await?;
    Ok(DatabaseFacts { version, settings: BTreeMap::from_iter(settings) })
}
