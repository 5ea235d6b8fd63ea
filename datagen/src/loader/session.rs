//! The connections of the loader.

use std::time::{Duration, Instant};

use sqlx::PgConnection;

use crate::error::{Error, ORPHANS_PATIENCE};

/// The key of the advisory lock that every loading session holds, shared, as long as it lives ("callload" in ASCII).
const KEY: i64 = 0x6361_6c6c_6c6f_6164;

/// How long to sleep between two looks.
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);

/// A connection on which nothing is cut short by a time-out that the server sets for its usual users.
pub(crate) async fn open(url: &str) -> Result<PgConnection, Error> {
    let mut conn = migrations::connect(url, "callbench seed").await?;
    sqlx::raw_sql(
        "SET statement_timeout = 0;
         SET lock_timeout = 0;
         SET idle_in_transaction_session_timeout = 0;
         SET search_path = public",
    )
    .execute(&mut conn)
    .await
    .map_err(|error| Error::database("preparing a connection", error))?;
    Ok(conn)
}

/// Several connections, each of which is known to belong to a load.
pub(crate) async fn open_all(url: &str, connections: usize) -> Result<Vec<PgConnection>, Error> {
    let mut all = Vec::with_capacity(connections);
    for _ in 0..connections {
        let mut conn = open(url).await?;
        sqlx::query("SELECT pg_advisory_lock_shared($1)")
            .bind(KEY)
            .execute(&mut conn)
            .await
            .map_err(|error| Error::database("preparing a connection", error))?;
        all.push(conn);
    }
    Ok(all)
}

/// Ends the sessions that a killed load has left in the server, and waits until they are gone: one of them may still be
/// committing its rows, or building an index. To be called under the lock of the migrations, which no load of today
/// can hold beside us.
pub(crate) async fn end_orphans(conn: &mut PgConnection) -> Result<(), Error> {
    let begun = Instant::now();
    loop {
        let ended: Vec<bool> = sqlx::query_scalar(
            "SELECT pg_terminate_backend(pid) FROM pg_locks
             WHERE locktype = 'advisory' AND objsubid = 1 AND mode = 'ShareLock'
               AND (classid::bigint << 32) | objid::bigint = $1
               AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
        )
        .bind(KEY)
        .fetch_all(&mut *conn)
        .await
        .map_err(|error| Error::database("ending the sessions of a load that broke off", error))?;
        if ended.is_empty() {
            return Ok(());
        }
        if begun.elapsed() > ORPHANS_PATIENCE {
            return Err(Error::Orphans { sessions: ended.len() });
        }
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
}
