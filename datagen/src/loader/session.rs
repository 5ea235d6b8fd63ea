//! The connections of the loader.

use sqlx::PgConnection;

use crate::error::Error;

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

/// Several connections.
pub(crate) async fn open_all(url: &str, connections: usize) -> Result<Vec<PgConnection>, Error> {
    let mut all = Vec::with_capacity(connections);
    for _ in 0..connections {
        all.push(open(url).await?);
    }
    Ok(all)
}
