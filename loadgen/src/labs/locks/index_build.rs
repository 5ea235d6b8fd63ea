//! An index that is built concurrently, dropped, and built again, as long as others write.

use sqlx::PgConnection;
use tokio_util::sync::CancellationToken;

use super::Error;
use super::sql::session;
use super::tally::{Loss, Tally};

/// How often the index is tried to drop before others are left alone.
const TRIES: u32 = 5;

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
            // One may be left from before.
            if !drop_index(&mut connection, tally).await? {
                return Ok(0);
            }
            let built =
                sqlx::raw_sql("CREATE INDEX CONCURRENTLY callbench_lock_lab ON customer (updated_at)")
                    .execute(&mut connection)
                    .await;
            note(built, tally)?;
            // What stays is dropped before the next build, or by whoever clears up.
            drop_index(&mut connection, tally).await?;
            Ok(1)
        };
        tokio::pin!(building);
        tokio::select! {
            built = &mut building => builds += built.map_err(failed)?,
            () = stop.cancelled() => {
                cancel(url, pid).await.map_err(failed)?;
                // It ends with an error, which is what was asked for; whoever clears up drops what is left.
                let _ = building.await;
                break;
            }
        }
    }
    let _ = sqlx::Connection::close(connection).await;
    Ok(builds)
}

/// Drops the index, in a few tries; says whether it is gone. A build that lost has left an invalid one.
pub(super) async fn drop_index(connection: &mut PgConnection, tally: &Tally) -> Result<bool, sqlx::Error> {
    for _ in 0..TRIES {
        let dropped = sqlx::raw_sql("DROP INDEX CONCURRENTLY IF EXISTS callbench_lock_lab")
            .execute(&mut *connection)
            .await;
        if note(dropped, tally)? {
            return Ok(true);
        }
    }
    Ok(false)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_index_that_others_are_in_the_way_of_is_given_up_and_dropped_when_they_are_gone() {
        let database = cluster::testing::database("lock_lab_index").await;
        let (mut own, mut other) =
            (session(database.url()).await.unwrap(), session(database.url()).await.unwrap());
        sqlx::raw_sql(
            "CREATE TABLE customer (updated_at timestamptz); CREATE INDEX callbench_lock_lab ON customer (updated_at);
             SET lock_timeout = '10ms'",
        )
        .execute(&mut own)
        .await
        .unwrap();
        sqlx::raw_sql("BEGIN; LOCK TABLE customer IN ROW EXCLUSIVE MODE").execute(&mut other).await.unwrap();
        let tally = Tally::default();
        assert!(!drop_index(&mut own, &tally).await.unwrap());
        assert_eq!(tally.counts().lock_timeouts, u64::from(TRIES));
        sqlx::raw_sql("COMMIT").execute(&mut other).await.unwrap();
        assert!(drop_index(&mut own, &tally).await.unwrap());
        let left: Option<i64> = sqlx::query_scalar("SELECT to_regclass('callbench_lock_lab')::oid::bigint")
            .fetch_one(&mut own)
            .await
            .unwrap();
        assert_eq!(left, None);
    }
}
