//! What a request makes the database do, counted by the database itself (`pg_stat_statements`).
//!
//! Counting is exact where timing is noisy: statements, rows, buffers and WAL per request are the same on any machine.
//! The counters belong to the whole database, so a pass of its own is made for them, one request after another, while
//! nothing else runs; the timed windows are left alone.

use std::collections::BTreeMap;
use std::time::Duration;

use reports::run::{Statement, Work};
use sqlx::PgConnection;

/// Statements that are kept per operation, the most expensive first.
const KEPT: usize = 20;

/// A backend adds a statement to the counters when it closes it, which can be a moment after the client has its rows.
/// The counters are read until two readings agree, at most this often.
const SETTLING: (u32, Duration) = (20, Duration::from_millis(10));

/// Why there are no counters, as a sentence without its subject.
#[derive(Debug, thiserror::Error)]
pub enum Unavailable {
    /// The library is not loaded.
    #[error("pg_stat_statements is not in shared_preload_libraries; add it there and restart the database")]
    NotLoaded,
    /// The extension is not there, and may not be created.
    #[error("the extension pg_stat_statements can't be created ({0}); let an administrator create it")]
    NotCreated(sqlx::Error),
    /// It counts nothing.
    #[error("pg_stat_statements.track is `none`; set it to `top`")]
    NotTracking,
    /// The user sees only their own statements.
    #[error("the user may not read the statistics of others; grant it pg_read_all_stats")]
    NotPermitted,
    /// Something else.
    #[error("the counters can't be read: {0}")]
    Failed(#[from] sqlx::Error),
}

/// Reads the counters of one database.
#[derive(Debug)]
pub struct StatementProbe {
    connection: PgConnection,
}

/// One statement of one user, since the counters were last reset.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
struct Counter {
    userid: i64,
    queryid: i64,
    toplevel: bool,
    calls: i64,
    rows: i64,
    buffers: i64,
    buffers_read: i64,
    wal_bytes: i64,
    execution_ms: f64,
    query: String,
}

/// A reading of all counters.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Counters(BTreeMap<(i64, i64, bool), Counter>);

impl StatementProbe {
    /// Prepares to count in the database of `connection`. Creates the extension if it is only that which is missing.
    pub async fn new(mut connection: PgConnection) -> Result<Self, Unavailable> {
        // The library defines its settings when it is loaded, and everybody may read this one.
        let (loaded, track): (bool, Option<String>) = sqlx::query_as(
            "SELECT current_setting('pg_stat_statements.max', true) IS NOT NULL,
                    current_setting('pg_stat_statements.track', true)",
        )
        .fetch_one(&mut connection)
        .await?;
        if !loaded {
            return Err(Unavailable::NotLoaded);
        }
        if track.as_deref() == Some("none") {
            return Err(Unavailable::NotTracking);
        }
        sqlx::query("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
            .execute(&mut connection)
            .await
            .map_err(Unavailable::NotCreated)?;
        let permitted: bool =
            sqlx::query_scalar("SELECT pg_has_role(current_user, 'pg_read_all_stats', 'USAGE')")
                .fetch_one(&mut connection)
                .await?;
        if !permitted {
            return Err(Unavailable::NotPermitted);
        }
        // The extension may live in any schema.
        sqlx::query(
            "SELECT set_config('search_path', quote_ident(n.nspname) || ', pg_catalog', false)
             FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
             WHERE e.extname = 'pg_stat_statements'",
        )
        .execute(&mut connection)
        .await?;
        Ok(Self { connection })
    }

    /// The counters of this database, as soon as they have stopped moving. The probe's own statements are left out.
    pub async fn read(&mut self) -> Result<Counters, Unavailable> {
        let (tries, pause) = SETTLING;
        let mut counters = self.read_once().await?;
        for _ in 0..tries {
            tokio::time::sleep(pause).await;
            let again = self.read_once().await?;
            if again == counters {
                break;
            }
            counters = again;
        }
        Ok(counters)
    }

    async fn read_once(&mut self) -> Result<Counters, Unavailable> {
        // The probe's statements are known by a mark, which the normalised text keeps.
        let counters: Vec<Counter> = sqlx::query_as(
            "SELECT /* callbench probe */ userid::int8 AS userid, queryid, toplevel, calls, rows,
                    shared_blks_hit + shared_blks_read AS buffers, shared_blks_read AS buffers_read,
                    wal_bytes::int8 AS wal_bytes, total_exec_time AS execution_ms, query
             FROM pg_stat_statements(true)
             WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
               AND queryid IS NOT NULL AND query IS NOT NULL AND query NOT LIKE '%/* callbench probe */%'",
        )
        .fetch_all(&mut self.connection)
        .await?;
        let key = |counter: &Counter| (counter.userid, counter.queryid, counter.toplevel);
        Ok(Counters(counters.into_iter().map(|counter| (key(&counter), counter)).collect()))
    }
}

impl Counters {
    /// The work between the reading `before` and this one, per request.
    #[must_use]
    pub fn work_since(&self, before: &Self, subject: &str, operation: &str, requests: u64) -> Work {
        let used = self.since(before);
        let sum = |value: fn(&Counter) -> f64| used.iter().map(value).sum::<f64>() / requests.max(1) as f64;
        Work {
            subject: subject.to_owned(),
            operation: operation.to_owned(),
            requests,
            statements_per_request: sum(|counter| counter.calls as f64),
            rows_per_request: sum(|counter| counter.rows as f64),
            buffers_per_request: sum(|counter| counter.buffers as f64),
            buffers_read_per_request: sum(|counter| counter.buffers_read as f64),
            wal_bytes_per_request: sum(|counter| counter.wal_bytes as f64),
            database_ms_per_request: sum(|counter| counter.execution_ms),
            statements: used.iter().take(KEPT).map(|counter| counter.per_request(requests)).collect(),
        }
    }

    /// What was added since `before`, most time first.
    fn since(&self, before: &Self) -> Vec<Counter> {
        let mut used: Vec<Counter> = self
            .0
            .iter()
            .filter_map(|(key, after)| match before.0.get(key) {
                Some(before) if before.calls <= after.calls => after.minus(before),
                // New, or counted from zero again after it was thrown out for want of room.
                _ => Some(after.clone()),
            })
            .collect();
        used.sort_by(|a, b| b.execution_ms.total_cmp(&a.execution_ms));
        used
    }
}

impl Counter {
    fn minus(&self, before: &Self) -> Option<Self> {
        let used = Self {
            calls: self.calls - before.calls,
            rows: self.rows - before.rows,
            buffers: self.buffers - before.buffers,
            buffers_read: self.buffers_read - before.buffers_read,
            wal_bytes: self.wal_bytes - before.wal_bytes,
            execution_ms: self.execution_ms - before.execution_ms,
            ..self.clone()
        };
        (used.calls > 0).then_some(used)
    }

    fn per_request(&self, requests: u64) -> Statement {
        let requests = requests.max(1) as f64;
        Statement {
            sql: self.query.clone(),
            calls_per_request: self.calls as f64 / requests,
            rows_per_request: self.rows as f64 / requests,
            ms_per_request: self.execution_ms / requests,
            buffers_per_request: self.buffers as f64 / requests,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counter(queryid: i64, calls: i64, execution_ms: f64) -> Counter {
        Counter {
            userid: 10,
            queryid,
            toplevel: true,
            calls,
            rows: calls * 50,
            buffers: calls * 8,
            buffers_read: calls,
            wal_bytes: 0,
            execution_ms,
            query: format!("SELECT {queryid}"),
        }
    }

    fn counters(all: &[Counter]) -> Counters {
        Counters(all.iter().map(|counter| ((10, counter.queryid, true), counter.clone())).collect())
    }

    #[test]
    fn work_is_what_was_added_divided_by_the_requests() {
        let before = counters(&[counter(1, 100, 50.0), counter(2, 7, 1.0)]);
        let after = counters(&[counter(1, 120, 60.0), counter(2, 7, 1.0), counter(3, 40, 4.0)]);
        let work = after.work_since(&before, "live", "first_page", 20);
        assert!((work.statements_per_request - 3.0).abs() < 1e-9);
        assert!((work.rows_per_request - 150.0).abs() < 1e-9);
        assert!((work.buffers_per_request - 24.0).abs() < 1e-9);
        assert!((work.database_ms_per_request - 0.7).abs() < 1e-9);
        let texts: Vec<_> = work.statements.iter().map(|statement| statement.sql.as_str()).collect();
        assert_eq!(texts, ["SELECT 1", "SELECT 3"], "most time first, and none that did not run");
    }

    #[test]
    fn a_counter_that_began_again_counts_from_zero() {
        let used = counters(&[counter(1, 5, 2.0)]).since(&counters(&[counter(1, 900, 80.0)]));
        assert_eq!(used[0].calls, 5);
    }
}
