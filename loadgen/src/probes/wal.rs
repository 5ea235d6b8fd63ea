//! `pg_stat_wal`: what the cluster wrote into its log.
//!
//! Only columns that every version from 14 to 18 has: 18 moved writes and syncs to `pg_stat_io`.

use reports::run::WalCounters;
use sqlx::PgConnection;

/// The counters of the whole cluster.
pub(super) async fn read(connection: &mut PgConnection) -> Result<WalCounters, sqlx::Error> {
    // A standby has no position of its own to insert at.
    let (records, full_page_images, bytes, buffers_full, position_bytes): (i64, i64, i64, i64, i64) =
        sqlx::query_as(
            "SELECT /* callbench probe */
                    wal_records, wal_fpi, wal_bytes::int8, wal_buffers_full,
                    pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()
                                         ELSE pg_current_wal_insert_lsn() END, '0/0')::int8
             FROM pg_catalog.pg_stat_wal",
        )
        .fetch_one(connection)
        .await?;
    Ok(WalCounters {
        records: super::natural(records),
        full_page_images: super::natural(full_page_images),
        bytes: super::natural(bytes),
        buffers_full: super::natural(buffers_full),
        position_bytes: super::natural(position_bytes),
    })
}
