//! One process at a time changes a database.

use std::time::{Duration, Instant};

use sqlx::PgConnection;

use crate::Error;

/// An advisory lock, by an arbitrary constant.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Key(i64);

/// Of whoever changes a database: "callbnch" in ASCII.
const CHANGER: Key = Key(0x6361_6c6c_626e_6368);
/// Of whoever fills a derived table: "callfill".
pub(crate) const FILLER: Key = Key(0x6361_6c6c_6669_6c6c);

/// How long a process sleeps between two tries.
const BETWEEN_TRIES: Duration = Duration::from_millis(100);

/// Takes the lock that `migrate` and the loader of the data share, or fails with [`Error::Busy`] after `patience`.
///
/// The lock belongs to the session: it is released when the connection closes, also by a crash. It may be taken
/// several times in one session. Each try is a statement of its own, so that a waiting process holds no snapshot that
/// a concurrent index build would have to wait for.
pub async fn lock(conn: &mut PgConnection, patience: Duration) -> Result<(), Error> {
    lock_as(conn, CHANGER, patience).await
}

/// Takes a lock in the same way.
pub(crate) async fn lock_as(conn: &mut PgConnection, key: Key, patience: Duration) -> Result<(), Error> {
    let begun = Instant::now();
    loop {
        let taken: bool =
            sqlx::query_scalar("SELECT pg_try_advisory_lock($1)").bind(key.0).fetch_one(&mut *conn).await?;
        if taken {
            return Ok(());
        }
        if begun.elapsed() >= patience {
            let database =
                sqlx::query_scalar("SELECT current_database()::text").fetch_one(&mut *conn).await?;
            return Err(Error::Busy { database, waited_s: patience.as_secs() });
        }
        tokio::time::sleep(BETWEEN_TRIES).await;
    }
}

/// Gives back one hold of the lock.
pub(crate) async fn unlock(conn: &mut PgConnection) -> Result<(), Error> {
    sqlx::query("SELECT pg_advisory_unlock($1)").bind(CHANGER.0).execute(conn).await?;
    Ok(())
}
