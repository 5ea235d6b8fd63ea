//! The probes of one database, on a connection of their own.
//!
//! PostgreSQL 15 and later keep what a transaction has read of the statistics until its end
//! (`stats_fetch_consistency`). So each reading is a transaction of its own, which sees everything anew without
//! `pg_stat_clear_snapshot`, and the way of keeping is `cache`: one table's figures fit together, and nobody copies those
//! of all objects, as `snapshot` would do once a second.

use std::time::Duration;

use reports::run::{BlockedMoment, DatabaseSample, ProbeCost};
use sqlx::PgConnection;

use super::gauge::Gauge;
use super::{activity, blocking, sessions, tables, wal};

/// A server that gives no answer for this long has lost us.
const PATIENCE: Duration = Duration::from_secs(5);

/// The first version that has all of the views.
const OLDEST: i32 = 140_000;

/// Reads one database.
#[derive(Debug)]
pub(super) struct DatabaseProbes {
    url: String,
    connection: Option<PgConnection>,
    /// Whether the user may see what others do; known with the connection.
    sees_all: bool,
    activity: Gauge,
    wal: Gauge,
    tables: Gauge,
    sessions: Gauge,
    blocking: Gauge,
    pub(super) worst_wait: Option<BlockedMoment>,
}

/// What a server lets us see.
#[derive(sqlx::FromRow)]
pub(super) struct Sight {
    version: i32,
    pub(super) sees_all: bool,
    counts: bool,
    follows: bool,
}

impl DatabaseProbes {
    pub(super) fn new(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            connection: None,
            sees_all: false,
            activity: Gauge::new("pg_stat_database"),
            wal: Gauge::new("pg_stat_wal"),
            tables: Gauge::new("pg_stat_user_tables"),
            sessions: Gauge::new("pg_stat_activity"),
            blocking: Gauge::new("pg_locks"),
            worst_wait: None,
        }
    }

    /// A sample, on a new connection if there is none. An error costs the connection.
    pub(super) async fn sample(&mut self, at_s: f64) -> Result<DatabaseSample, sqlx::Error> {
        let sampled = match tokio::time::timeout(PATIENCE, self.read(at_s)).await {
            Ok(sampled) => sampled,
            Err(_) => Err(sqlx::Error::Protocol(format!("no answer within {} s", PATIENCE.as_secs()))),
        };
        if sampled.is_err() {
            self.connection = None;
        }
        sampled
    }

    async fn read(&mut self, at_s: f64) -> Result<DatabaseSample, sqlx::Error> {
        let connection = match &mut self.connection {
            Some(connection) => connection,
            none => none.insert(connect(&self.url).await?),
        };
        if self.sessions.cost().is_none() && self.sessions.absent().is_none() {
            let sight = look(connection).await?;
            self.sees_all = sight.sees_all && sight.follows;
            self.activity = Gauge::new("pg_stat_database").without(sight.no_counters());
            self.tables = Gauge::new("pg_stat_user_tables").without(sight.no_counters());
            self.wal = Gauge::new("pg_stat_wal").without(sight.too_old());
            self.sessions = Gauge::new("pg_stat_activity").without(sight.too_old());
            self.blocking = Gauge::new("pg_locks").without(sight.no_states());
        }
        let activity = self.activity.read(activity::read(connection)).await?;
        let wal = self.wal.read(wal::read(connection)).await?;
        let tables = self.tables.read(tables::read(connection)).await?;
        let mut sessions = self.sessions.read(sessions::read(connection, self.sees_all)).await?;
        if let Some(states) = sessions.as_mut().and_then(|sessions| sessions.states.as_mut())
            && states.waiting_for_lock > 0
            && let Some(waits) = self.blocking.read(blocking::read(connection, blocking::MOST)).await?
            && !waits.is_empty()
        {
            states.longest_lock_wait_ms = blocking::longest_ms(&waits);
            let moment = BlockedMoment { at_s, waiting: states.waiting_for_lock, waits };
            blocking::keep_worse(&mut self.worst_wait, moment);
        }
        Ok(DatabaseSample { at_s, activity, wal, tables, sessions })
    }

    /// What each probe cost.
    pub(super) fn costs(&self) -> Vec<ProbeCost> {
        self.gauges().into_iter().filter_map(|(gauge, _)| gauge.cost()).collect()
    }

    /// What could not be asked, and why: sentences without their subject, each reason once.
    pub(super) fn absences(&self) -> Vec<String> {
        let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
        for (gauge, what) in self.gauges() {
            let Some(reason) = gauge.absent() else { continue };
            match reasons.iter_mut().find(|(known, _)| *known == reason) {
                Some((_, whats)) => whats.push(what),
                None => reasons.push((reason, vec![what])),
            }
        }
        reasons
            .into_iter()
            .map(|(reason, whats)| format!("{} not sampled: {reason}", listed(&whats)))
            .collect()
    }

    fn gauges(&self) -> [(&Gauge, &'static str); 5] {
        [
            (&self.activity, "the counters of the database"),
            (&self.wal, "WAL"),
            (&self.tables, "the counters of its tables"),
            (&self.sessions, "connections"),
            (&self.blocking, "what sessions do and the locks that they wait for"),
        ]
    }
}

impl Sight {
    pub(super) fn too_old(&self) -> Option<String> {
        (self.version < OLDEST).then(|| {
            format!(
                "the server is PostgreSQL {}, and the views are those of {}",
                self.version / 10_000,
                OLDEST / 10_000
            )
        })
    }

    fn no_counters(&self) -> Option<String> {
        let off = || (!self.counts).then(|| "`track_counts` is off; set it to `on`".to_owned());
        self.too_old().or_else(off)
    }

    pub(super) fn no_states(&self) -> Option<String> {
        let hidden = || {
            (!self.sees_all).then(|| {
                "the user may not see what the sessions of others do; grant it pg_read_all_stats".to_owned()
            })
        };
        let off = || (!self.follows).then(|| "`track_activities` is off; set it to `on`".to_owned());
        self.too_old().or_else(hidden).or_else(off)
    }
}

/// A connection whose statements give up before they are in anybody's way, and are planned cheaply.
pub(super) async fn connect(url: &str) -> Result<PgConnection, sqlx::Error> {
    let mut connection = super::connect(url).await?;
    // By what the server knows, so that an older one is not asked for a setting that it doesn't have.
    sqlx::query(
        "SELECT /* callbench probe */ set_config(s.name, wanted.setting, false)
         FROM (VALUES ('statement_timeout', '1s'), ('lock_timeout', '100ms'), ('jit', 'off'),
                      ('max_parallel_workers_per_gather', '0'), ('stats_fetch_consistency', 'cache'))
              AS wanted (name, setting)
         JOIN pg_catalog.pg_settings s ON s.name = wanted.name",
    )
    .execute(&mut connection)
    .await?;
    Ok(connection)
}

pub(super) async fn look(connection: &mut PgConnection) -> Result<Sight, sqlx::Error> {
    sqlx::query_as(
        "SELECT /* callbench probe */
                current_setting('server_version_num')::int4 AS version,
                pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') AS sees_all,
                current_setting('track_counts')::bool AS counts,
                current_setting('track_activities')::bool AS follows",
    )
    .fetch_one(connection)
    .await
}

/// `a is`, `a and b are`, `a, b and c are`.
fn listed(whats: &[&str]) -> String {
    match whats {
        [] => String::new(),
        // Each of the names is a plural, but for WAL.
        ["WAL"] => "WAL is".to_owned(),
        [one] => format!("{one} are"),
        [first @ .., last] => format!("{} and {last} are", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_that_several_probes_share_is_said_once() {
        let mut probes = DatabaseProbes::new("");
        let sight = Sight { version: 130_004, sees_all: true, counts: true, follows: true };
        probes.wal = Gauge::new("pg_stat_wal").without(sight.too_old());
        probes.sessions = Gauge::new("pg_stat_activity").without(sight.too_old());
        let sight = Sight { version: 150_004, counts: false, ..sight };
        probes.tables = Gauge::new("pg_stat_user_tables").without(sight.no_counters());
        assert_eq!(
            probes.absences(),
            [
                "WAL and connections are not sampled: the server is PostgreSQL 13, and the views are those of 14",
                "the counters of its tables are not sampled: `track_counts` is off; set it to `on`"
            ]
        );
    }
}
