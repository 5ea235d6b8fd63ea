//! `pg_stat_user_tables`: which changes of rows were heap-only.

use reports::run::TableCounters;
use sqlx::PgConnection;

/// The sums over all tables of the database of `connection` that hold data of the API.
pub(super) async fn read(connection: &mut PgConnection) -> Result<TableCounters, sqlx::Error> {
    // `n_tup_newpage_upd` came with 16. As a key of an object it is null before; as a column it would be an error.
    let (inserted, updated, hot_updated, moved, deleted): (i64, i64, i64, Option<i64>, i64) = sqlx::query_as(
        "SELECT /* callbench probe */
                coalesce(sum(n_tup_ins), 0)::int8, coalesce(sum(n_tup_upd), 0)::int8,
                coalesce(sum(n_tup_hot_upd), 0)::int8,
                sum((to_jsonb(t) ->> 'n_tup_newpage_upd')::int8)::int8,
                coalesce(sum(n_tup_del), 0)::int8
         FROM pg_catalog.pg_stat_user_tables t WHERE schemaname <> 'callbench'",
    )
    .fetch_one(connection)
    .await?;
    Ok(TableCounters {
        inserted: super::natural(inserted),
        updated: super::natural(updated),
        hot_updated: super::natural(hot_updated),
        moved: moved.map(super::natural),
        deleted: super::natural(deleted),
    })
}
