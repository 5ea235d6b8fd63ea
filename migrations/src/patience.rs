//! Changes whose locks others feel: made in short transactions that rather give up, and try again, than be waited for.
//!
//! Whoever waits for a strong lock on a table makes everybody wait who comes after. So the wait is bounded, and between
//! two tries the others have their turn.

use std::time::{Duration, Instant};

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use crate::books::{Direction, note};
use crate::ladder::Step;
use crate::{Error, Event, OnEvent};

/// How long others may have to wait behind us for a table, at most. Shorter than the server's default `deadlock_timeout`
/// of 1 s: in a circle of waiting sessions it is we who give way.
const LOCK_TIMEOUT: &str = "SET LOCAL lock_timeout = '900ms'";

/// A transaction that holds a strong lock while this process hangs is ended by the server.
const IDLE_TIMEOUT: &str = "SET LOCAL idle_in_transaction_session_timeout = '10s'";

/// For how long to try.
const PATIENCE: Duration = Duration::from_mins(10);
/// The pause after the first try; each later one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// But not longer than this.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// The tries of one change.
#[derive(Debug)]
pub(crate) struct Patience {
    began: Instant,
    pause: Duration,
    tries: u32,
}

impl Default for Patience {
    fn default() -> Self {
        Self { began: Instant::now(), pause: FIRST_PAUSE, tries: 0 }
    }
}

impl Patience {
    /// After a try that failed: waits, if somebody else was in the way; otherwise the failure stands.
    pub(crate) async fn endure(
        &mut self,
        failure: sqlx::Error,
        step: &str,
        on_event: OnEvent<'_>,
    ) -> Result<(), Error> {
        self.tries += 1;
        if !is_conflict(&failure) {
            return Err(Error::Step { step: step.to_owned(), source: failure });
        }
        if self.began.elapsed() >= PATIENCE {
            return Err(Error::NoTurn {
                step: step.to_owned(),
                waited_s: PATIENCE.as_secs(),
                source: failure,
            });
        }
        on_event(Event::Waiting { step: step.to_owned(), tries: self.tries });
        tokio::time::sleep(self.pause).await;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        Ok(())
    }
}

/// Whether the same statement may succeed at another moment: a lock not granted in time, a deadlock, or a serialization
/// failure.
pub(crate) fn is_conflict(failure: &sqlx::Error) -> bool {
    let code = failure.as_database_error().and_then(sqlx::error::DatabaseError::code);
    matches!(code.as_deref(), Some("55P03" | "40P01" | "40001"))
}

/// Bounds what others may have to wait for this transaction.
pub(crate) async fn be_brief(transaction: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(LOCK_TIMEOUT).execute(&mut *transaction).await?;
    sqlx::raw_sql(IDLE_TIMEOUT).execute(transaction).await?;
    Ok(())
}

/// Runs a script in one short transaction with its entries in the books, as often as it takes. The script is made of
/// constants of this crate, never of input.
pub(crate) async fn run(
    conn: &mut PgConnection,
    script: &str,
    entries: &[(&Step, Direction)],
    step: &str,
    on_event: OnEvent<'_>,
) -> Result<(), Error> {
    let mut patience = Patience::default();
    while let Err(failure) = run_once(conn, script, entries).await {
        patience.endure(failure, step, on_event).await?;
    }
    Ok(())
}

async fn run_once(
    conn: &mut PgConnection,
    script: &str,
    entries: &[(&Step, Direction)],
) -> Result<(), sqlx::Error> {
    let mut transaction = conn.begin().await?;
    be_brief(&mut transaction).await?;
    sqlx::raw_sql(AssertSqlSafe(script.to_owned())).execute(&mut *transaction).await?;
    for (step, direction) in entries {
        note(&mut transaction, step, *direction).await?;
    }
    transaction.commit().await
}
