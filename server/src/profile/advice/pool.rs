//! Waits for a connection: the pool was full.

use super::{Finding, Kind, Request, figures};

/// The part of a request from which waiting shows.
const SHARE: f64 = 0.1;

/// A connection that is free is there within microseconds; a wait of this length is one for somebody else's statement.
const LEAST_MS: f64 = 1.0;

/// A finding for each pool that was waited for.
pub(super) fn findings(request: &Request) -> Vec<Finding> {
    let is_long = |wait_ms: f64| wait_ms >= LEAST_MS && wait_ms >= request.total_ms * SHARE;
    request
        .pools
        .iter()
        .filter(|pool| is_long(pool.wait_ms))
        .map(|pool| {
            let sentence = format!(
                "Of {} the request waited {} for one of the {} connections of the pool `{}`: all were in use, so raise the \
                 pool size while the database has cores to spare, or make the statements that hold them shorter",
                figures::ms(request.total_ms),
                figures::ms(pool.wait_ms),
                pool.size,
                pool.name,
            );
            Finding::new(Kind::FullPool, pool.wait_ms, sentence)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use sqlx::Executor as _;

    use super::*;
    use crate::database::testing;
    use crate::profile::advice::testing::{assert_says, of_kind};
    use crate::profile::advice::{PoolUse, advise};

    /// Work for the database that takes some milliseconds at least, whatever it runs on.
    const WORK: &str = "SELECT count(*) FROM generate_series(1, 300000) AS g WHERE g::text LIKE '%7'";

    #[tokio::test]
    async fn a_request_that_waits_for_others_connections_should_have_more_of_them() {
        let database = cluster::testing::database("server_advice").await;
        let pool = testing(database.url().parse().unwrap(), 1);
        let mut session = pool.session().await.unwrap();
        // The other one asks for the only connection, and gets it when the work is done.
        let other = tokio::spawn({
            let pool = pool.clone();
            async move {
                let began = Instant::now();
                let mut session = pool.session().await.unwrap();
                let wait_ms = began.elapsed().as_secs_f64() * 1e3;
                session.execute("SELECT 1").await.unwrap();
                (wait_ms, began.elapsed().as_secs_f64() * 1e3)
            }
        });
        tokio::task::yield_now().await;
        session.execute(WORK).await.unwrap();
        drop(session);
        let (wait_ms, total_ms) = other.await.unwrap();

        let of = |wait_ms| {
            let pools = [PoolUse { name: "pages", size: 1, wait_ms }];
            advise(&Request { total_ms, pools: &pools, ..Request::default() }, &[])
        };
        let waited = format!("waited {}", figures::ms(wait_ms));
        assert_says(
            &of_kind(Kind::FullPool, of(wait_ms)),
            &[&waited, "one of the 1 connections of the pool `pages`"],
        );
        assert_eq!(of(0.02), [], "a connection that was free");
    }

    #[test]
    fn a_wait_shows_from_a_tenth_of_the_request_and_a_millisecond() {
        for (wait_ms, total_ms, shows) in [(10.0, 100.0, true), (9.9, 100.0, false), (0.9, 1.0, false)] {
            let pools = [PoolUse { name: "pages", size: 8, wait_ms }];
            let request = Request { total_ms, pools: &pools, ..Request::default() };
            assert_eq!(!findings(&request).is_empty(), shows, "{wait_ms} of {total_ms}");
        }
    }
}
