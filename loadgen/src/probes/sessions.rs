//! `pg_stat_activity`: who is connected, and what they do at this moment.

use reports::run::{SessionStates, Sessions};
use sqlx::PgConnection;

/// The sessions of clients in the database of `connection`, without those of probes. `sees_all` says whether the user
/// may see what others do; without that right their columns are empty, and counting them would give zeros.
pub(super) async fn read(connection: &mut PgConnection, sees_all: bool) -> Result<Sessions, sqlx::Error> {
    let row: Row = sqlx::query_as(
        "SELECT /* callbench probe */
                count(*) AS connections,
                count(*) FILTER (WHERE state = 'active') AS active,
                count(*) FILTER (WHERE state = 'idle') AS idle,
                count(*) FILTER (WHERE state LIKE 'idle in transaction%') AS idle_in_transaction,
                count(*) FILTER (WHERE wait_event_type = 'Lock') AS waiting_for_lock
         FROM pg_catalog.pg_stat_activity
         WHERE datname = current_database() AND application_name <> 'callbench probe'
           AND coalesce(backend_type, 'client backend') = 'client backend'",
    )
    .fetch_one(connection)
    .await?;
    let states = SessionStates {
        active: super::natural(row.active),
        idle: super::natural(row.idle),
        idle_in_transaction: super::natural(row.idle_in_transaction),
        waiting_for_lock: super::natural(row.waiting_for_lock),
        longest_lock_wait_ms: None,
    };
    Ok(Sessions { connections: super::natural(row.connections), states: sees_all.then_some(states) })
}

#[derive(sqlx::FromRow)]
struct Row {
    connections: i64,
    active: i64,
    idle: i64,
    idle_in_transaction: i64,
    waiting_for_lock: i64,
}
