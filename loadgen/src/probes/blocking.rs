//! Who waits for whom.
//!
//! `pg_blocking_pids` holds the whole lock manager for itself for a moment, once for each session that it is asked
//! about. So it is asked only when a session is known to wait, and about those few that have waited longest.

use chrono::{DateTime, Utc};
use reports::run::{BlockedMoment, LockWait};
use sqlx::PgConnection;

/// Sessions that are asked about in one look beside a load.
pub(super) const MOST: i64 = 20;

/// The `most` sessions that have waited longest for a lock, each with those in its way; none when they have stopped waiting
/// meanwhile. A user without rights over others sees who waits for whom all the same, but not what they do.
pub(super) async fn read(connection: &mut PgConnection, most: i64) -> Result<Vec<LockWait>, sqlx::Error> {
    // Who waits for a row waits for the transaction that changed it, and the lock names no table. The first in line
    // holds the row's place in line, which does.
    let rows: Vec<Row> = sqlx::query_as(
        "WITH /* callbench probe */ locks AS MATERIALIZED (
             SELECT pid, locktype, mode, relation, granted, waitstart
             FROM pg_catalog.pg_locks WHERE NOT granted OR locktype = 'tuple'
         ), waiting AS MATERIALIZED (
             SELECT a.pid, a.application_name, a.usename, a.query, l.locktype, l.mode, l.waitstart,
                    coalesce(l.relation, (SELECT min(place.relation) FROM locks place
                                          WHERE place.pid = a.pid AND place.granted)) AS relation
             FROM pg_catalog.pg_stat_activity a JOIN locks l ON l.pid = a.pid AND NOT l.granted
             WHERE a.datname = current_database()
             ORDER BY l.waitstart NULLS LAST LIMIT $1
         )
         SELECT w.pid AS waiting_pid, nullif(w.application_name, '') AS waiting_application,
                w.usename::text AS waiting_user,
                left(regexp_replace(w.query, '\\s+', ' ', 'g'), 160) AS waiting_statement,
                w.locktype AS lock, w.mode, w.waitstart AS waiting_since, w.relation::regclass::text AS relation,
                (extract(epoch FROM clock_timestamp() - w.waitstart) * 1000)::float8 AS waited_ms,
                b.pid AS blocking_pid, nullif(s.application_name, '') AS blocking_application,
                s.usename::text AS blocking_user, s.state AS blocking_state,
                left(regexp_replace(s.query, '\\s+', ' ', 'g'), 160) AS blocking_statement
         FROM waiting w
         CROSS JOIN LATERAL unnest(pg_blocking_pids(w.pid)) AS b(pid)
         LEFT JOIN pg_catalog.pg_stat_activity s ON s.pid = b.pid
         ORDER BY w.waitstart NULLS LAST, w.pid, b.pid",
    )
    .bind(most)
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// The longest of some waits, in milliseconds.
pub(super) fn longest_ms(waits: &[LockWait]) -> Option<f64> {
    waits.iter().filter_map(|wait| wait.waited_ms).max_by(f64::total_cmp)
}

/// Keeps the moment at which more sessions waited; at equal numbers, the one with the longer wait.
pub(super) fn keep_worse(worst: &mut Option<BlockedMoment>, moment: BlockedMoment) {
    let badness = |moment: &BlockedMoment| (moment.waiting, longest_ms(&moment.waits).unwrap_or(0.0));
    if worst.as_ref().is_none_or(|worst| badness(worst) < badness(&moment)) {
        *worst = Some(moment);
    }
}

#[derive(sqlx::FromRow)]
struct Row {
    waiting_pid: i32,
    waiting_application: Option<String>,
    waiting_user: Option<String>,
    waiting_statement: Option<String>,
    lock: String,
    mode: String,
    relation: Option<String>,
    waited_ms: Option<f64>,
    waiting_since: Option<DateTime<Utc>>,
    blocking_pid: i32,
    blocking_application: Option<String>,
    blocking_user: Option<String>,
    blocking_state: Option<String>,
    blocking_statement: Option<String>,
}

/// What the server shows instead of a statement to users who may not see it.
const HIDDEN: &str = "<insufficient privilege>";

impl From<Row> for LockWait {
    fn from(row: Row) -> Self {
        let shown = |statement: Option<String>| statement.filter(|words| words != HIDDEN);
        Self {
            waiting_pid: row.waiting_pid,
            waiting_application: row.waiting_application,
            waiting_user: row.waiting_user,
            waiting_statement: shown(row.waiting_statement),
            lock: row.lock,
            mode: row.mode,
            relation: row.relation,
            waited_ms: row.waited_ms,
            waiting_since: row.waiting_since,
            blocking_pid: row.blocking_pid,
            blocking_application: row.blocking_application,
            blocking_user: row.blocking_user,
            blocking_state: row.blocking_state,
            blocking_statement: shown(row.blocking_statement),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(at_s: f64, waiting: u64, waited_ms: f64) -> BlockedMoment {
        let wait = LockWait { waited_ms: Some(waited_ms), ..LockWait::default() };
        BlockedMoment { at_s, waiting, waits: vec![wait] }
    }

    #[test]
    fn the_moment_with_most_waits_is_kept_and_then_the_longest() {
        let mut worst = None;
        for next in [moment(1.0, 1, 900.0), moment(2.0, 3, 5.0), moment(3.0, 3, 7.0), moment(4.0, 2, 99.0)] {
            keep_worse(&mut worst, next);
        }
        assert!((worst.unwrap().at_s - 3.0).abs() < 1e-9);
    }
}
