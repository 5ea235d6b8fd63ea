//! Transactions that lost against another are tried again.
//!
//! Writers here take their row locks in one order, so that they never wait for each other in a circle. But others write
//! to the same tables too, and PostgreSQL ends a circle by making one of them fail: a deadlock (40P01) or, at stricter
//! levels of isolation, a serialization failure (40001). Both mean that nothing of the transaction happened, so trying
//! again is safe. Nothing else is tried again.

use std::future::Future;
use std::time::Duration;

use crate::database::tally;
use crate::refusal::Refusal;

/// How often a transaction is tried again.
const MOST_RETRIES: u32 = 3;

/// The longest pause before the first retry; it doubles with each. The pause itself is drawn at random, so that those who
/// met do not meet again.
const FIRST_PAUSE: Duration = Duration::from_millis(20);

/// Why an attempt did not come to its end.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It was decided against; another try would decide the same.
    Refused(Refusal),
    /// The database failed.
    Database(sqlx::Error),
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Self::Refused(error.into())
    }
}

/// Runs `attempt`, which is one whole transaction, until it does not lose, at most four times. Each retry is counted in the
/// request's tally.
pub(crate) async fn retried<T, F>(attempt: impl Fn() -> F) -> Result<T, Refusal>
where
    F: Future<Output = Result<T, Failure>>,
{
    let mut retries = 0;
    loop {
        let error = match attempt().await {
            Ok(value) => return Ok(value),
            Err(Failure::Refused(refusal)) => return Err(refusal),
            Err(Failure::Database(error)) => error,
        };
        if !lost(&error) {
            return Err(error.into());
        }
        if retries == MOST_RETRIES {
            tracing::warn!(%error, retries, "a transaction lost every time");
            return Err(Refusal::Contended);
        }
        tally::note_retry();
        let longest = FIRST_PAUSE * 2_u32.pow(retries);
        retries += 1;
        tracing::debug!(%error, retries, "a transaction lost and is tried again");
        tokio::time::sleep(rand::random_range(Duration::ZERO..longest)).await;
    }
}

/// Whether the transaction lost against another.
fn lost(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Database(said) if matches!(said.code().as_deref(), Some("40P01" | "40001")))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::sync::Arc;

    use sqlx::Connection as _;
    use sqlx::postgres::PgConnection;

    use super::*;
    use crate::database::tally::Tally;

    /// Fails with these states, one after the other, as PostgreSQL does; then succeeds. Says how it ended, and how many
    /// attempts and retries there were.
    async fn run(states: &[&str]) -> (Result<(), Refusal>, usize, u64) {
        let url = cluster::testing::cluster().await.url("postgres");
        let attempts = Cell::new(0);
        let tally = Arc::new(Tally::default());
        let outcome = Arc::clone(&tally)
            .count(retried(|| async {
                let attempt = attempts.replace(attempts.get() + 1);
                let Some(state) = states.get(attempt) else { return Ok(()) };
                let mut db = PgConnection::connect(&url).await?;
                let raise = format!("DO $$ BEGIN RAISE EXCEPTION USING errcode = '{state}'; END $$");
                sqlx::raw_sql(sqlx::AssertSqlSafe(raise)).execute(&mut db).await?;
                Ok(())
            }))
            .await;
        (outcome, attempts.get(), tally.retries())
    }

    #[tokio::test]
    async fn deadlocks_and_serialization_failures_are_tried_again_three_times_and_nothing_else_is() {
        assert_eq!(run(&[]).await, (Ok(()), 1, 0));
        assert_eq!(run(&["40P01"]).await, (Ok(()), 2, 1));
        assert_eq!(run(&["40P01", "40001", "40P01"]).await, (Ok(()), 4, 3));
        assert_eq!(run(&["40001"; 4]).await, (Err(Refusal::Contended), 4, 3));
        assert_eq!(run(&["40001", "57014"]).await, (Err(Refusal::TooSlow), 2, 1));
        assert_eq!(run(&["23505"]).await, (Err(Refusal::Internal), 1, 0));
    }

    #[tokio::test]
    async fn what_was_decided_against_is_not_tried_again() {
        let attempts = Cell::new(0);
        let outcome: Result<(), Refusal> = retried(|| async {
            attempts.set(attempts.get() + 1);
            Err(Refusal::NotFound.into())
        })
        .await;
        assert_eq!((outcome, attempts.get()), (Err(Refusal::NotFound), 1));
    }
}
