//! An index that is built concurrently, dropped, and built again, as long as others write.

use sqlx::PgConnection;
use tokio_util::sync::CancellationToken;

use super::Error;
use super::sql::session;
use super::tally::{Loss, Tally};

/// Builds until the writers are done; says how many builds came to an end, well or not. A build that is under way then is
/// waited for, since it ran beside them; `stop` breaks it off.
pub(super) async fn build(
    url: &str,
    tally: &Tally,
    written: &CancellationToken,
    stop: &CancellationToken,
) -> Result<u64, Error> {
    let failed = |source| Error::Database { doing: "build an index", source };
    let mut connection = session(url).await.map_err(failed)?;
    // A build waits for one writer after the other, each for a short time.
    super::rows::set(&mut connection, "lock_timeout = 0").await.map_err(failed)?;
    let pid: i32 =
        sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(&mut connection).await.map_err(failed)?;
    let mut builds = 0;
    while !written.is_cancelled() {
        let building = async {
            let built =
                sqlx::raw_sql("CREATE INDEX CONCURRENTLY callbench_lock_lab ON customer (updated_at)")
                    .execute(&mut connection)
                    .await;
            note(built, tally)?;
            drop_index(&mut connection, tally).await
        };
        tokio::pin!(building);
        tokio::select! {
            built = &mut building => built.map_err(failed)?,
            () = stop.cancelled() => {
                cancel(url, pid).await.map_err(failed)?;
                // It ends with an error, which is what was asked for; whoever clears up drops what is left.
                let _ = building.await;
                break;
            }
        }
        builds += 1;
    }
    let _ = sqlx::Connection::close(connection).await;
    Ok(builds)
}

/// Drops the index, until nobody is in the way. A build that lost has left an invalid one.
pub(super) async fn drop_index(connection: &mut PgConnection, tally: &Tally) -> Result<(), sqlx::Error> {
    loop {
        let dropped = sqlx::raw_sql("DROP INDEX CONCURRENTLY IF EXISTS callbench_lock_lab")
            .execute(&mut *connection)
            .await;
        if note(dropped, tally)? {
            return Ok(());
        }
    }
}

/// Counts a loss; whether it went well.
fn note<T>(outcome: Result<T, sqlx::Error>, tally: &Tally) -> Result<bool, sqlx::Error> {
    match outcome {
        Ok(_) => Ok(true),
        Err(error) => match Loss::of(&error) {
            Some(loss) => {
                tally.lost(loss);
                Ok(false)
            }
            None => Err(error),
        },
    }
}

async fn cancel(url: &str, pid: i32) -> Result<(), sqlx::Error> {
    let mut other = session(url).await?;
    sqlx::query("SELECT pg_cancel_backend($1)").bind(pid).execute(&mut other).await?;
    sqlx::Connection::close(other).await
}
