//! A monitor of lock waits: one connection that looks again and again who waits for whom.
//!
//! A look is one small statement as long as nobody waits; only then is it asked who is in whose way (see [`blocking`]). What
//! it sees is a sample: a wait between two looks is missed. The connection gives up on its own statements before it could be
//! in anybody's way.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use reports::labs::locks::{Waiting, Watch};
use reports::run::BlockedMoment;
use sqlx::PgConnection;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::gauge::Gauge;
use super::{activity, blocking, database, natural};

/// Sessions that are asked about in one look.
const MOST: i64 = 64;

/// A server that gives no answer for this long has lost us.
const PATIENCE: Duration = Duration::from_secs(5);

/// Looks that are kept of a long watch.
const MOST_KEPT: usize = 600;

/// What a watch keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// The summary alone, for as long as it lasts.
    Summary,
    /// Every look with a wait as well.
    Strip,
}

/// A monitor of one database.
#[derive(Debug)]
pub struct LockWatch {
    url: String,
    period: Duration,
    kept: Kept,
    connection: Option<PgConnection>,
    /// Whether the user may see what others do.
    sees_all: bool,
    began: Instant,
    deadlocks_before: Option<u64>,
    /// Those that were waiting in the look before, each with the moment since when.
    known: BTreeSet<(i32, DateTime<Utc>)>,
    waiting: Gauge,
    blocking: Gauge,
    watch: Watch,
}

impl LockWatch {
    /// Connects, and finds out what can be seen.
    pub async fn open(url: &str, period: Duration, kept: Kept) -> Result<Self, sqlx::Error> {
        let mut connection = database::connect(url).await?;
        let sight = database::look(&mut connection).await?;
        let mut hidden = Vec::new();
        if !sight.sees_all {
            hidden.push(
                "The user may not see what the sessions of others do, so their statements and states are hidden; who waits \
                 for whom is not. Grant it pg_monitor or pg_read_all_stats to see them."
                    .to_owned(),
            );
        }
        if let Some(reason) = sight.too_old() {
            hidden.push(format!("Lock waits are not sampled: {reason}."));
        }
        let blocking = Gauge::new("pg_locks").without(sight.too_old());
        let mut watch = Self {
            url: url.to_owned(),
            period,
            kept,
            connection: Some(connection),
            sees_all: sight.no_states().is_none(),
            began: Instant::now(),
            deadlocks_before: None,
            known: BTreeSet::new(),
            waiting: Gauge::new(if sight.no_states().is_none() {
                "pg_stat_activity"
            } else {
                "waiting locks"
            }),
            blocking,
            watch: Watch { period_ms: period.as_secs_f64() * 1e3, hidden, ..Watch::default() },
        };
        watch.deadlocks_before = watch.deadlocks().await?;
        if watch.deadlocks_before.is_none() {
            let told = "The server keeps no statistics (`track_counts`), so deadlocks are not counted.";
            watch.watch.hidden.push(told.to_owned());
        }
        Ok(watch)
    }

    /// What the user may not see: whole sentences.
    #[must_use]
    pub fn hidden(&self) -> &[String] {
        &self.watch.hidden
    }

    /// Looks until it is told to end, and tells each look with somebody who waits, and the first without.
    pub async fn run(
        mut self,
        until: CancellationToken,
        mut see: impl FnMut(&BlockedMoment) + Send,
    ) -> Watch {
        self.began = Instant::now();
        let mut ticks = tokio::time::interval(self.period);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut somebody_waited = false;
        while until.run_until_cancelled(ticks.tick()).await.is_some() {
            let Some(moment) = self.look().await else { continue };
            if moment.waiting > 0 || somebody_waited {
                see(&moment);
                if self.kept == Kept::Strip {
                    let (at_s, waiting) = (moment.at_s, moment.waiting);
                    let longest_ms = blocking::longest_ms(&moment.waits);
                    self.watch.strip.push(Waiting { at_s, waiting, longest_ms });
                }
            }
            somebody_waited = moment.waiting > 0;
            if somebody_waited {
                blocking::keep_worse(&mut self.watch.worst, moment);
            }
        }
        self.finish().await
    }

    async fn finish(mut self) -> Watch {
        let seconds = self.began.elapsed().as_secs_f64();
        let counted = self.last_deadlocks().await;
        let due = (seconds / self.period.as_secs_f64()).floor();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of looks")]
        let due = due as u64;
        let strip = thinned(std::mem::take(&mut self.watch.strip), seconds);
        Watch {
            strip,
            seconds,
            missed: due.saturating_sub(self.watch.looks),
            deadlocks: self.deadlocks_before.zip(counted).and_then(|(before, now)| now.checked_sub(before)),
            costs: [&self.waiting, &self.blocking].into_iter().filter_map(Gauge::cost).collect(),
            ..self.watch
        }
    }

    /// One look; nothing if the database did not answer.
    async fn look(&mut self) -> Option<BlockedMoment> {
        if self.blocking.absent().is_some() {
            return None;
        }
        match tokio::time::timeout(PATIENCE, self.read()).await {
            Ok(Ok(moment)) => {
                self.watch.looks += 1;
                Some(moment)
            }
            failed => {
                tracing::debug!(?failed, "a look at the locks failed");
                self.connection = None;
                None
            }
        }
    }

    async fn read(&mut self) -> Result<BlockedMoment, sqlx::Error> {
        let connection = match &mut self.connection {
            Some(connection) => connection,
            none => none.insert(database::connect(&self.url).await?),
        };
        let at_s = self.began.elapsed().as_secs_f64();
        let waiting = self.waiting.read(waiting(connection, self.sees_all)).await?.unwrap_or_default();
        if waiting == 0 {
            self.known.clear();
            return Ok(BlockedMoment { at_s, ..BlockedMoment::default() });
        }
        let waits = self.blocking.read(blocking::read(connection, MOST)).await?.unwrap_or_default();
        if waits.is_empty() {
            self.known.clear();
            return Ok(BlockedMoment { at_s, ..BlockedMoment::default() });
        }
        let now: BTreeSet<(i32, DateTime<Utc>)> =
            waits.iter().filter_map(|wait| Some((wait.waiting_pid, wait.waiting_since?))).collect();
        self.watch.waits += now.difference(&self.known).count() as u64;
        self.watch.looks_with_waits += 1;
        let longest = blocking::longest_ms(&waits);
        self.watch.longest_ms = [self.watch.longest_ms, longest].into_iter().flatten().max_by(f64::total_cmp);
        let listed = waits.iter().map(|wait| wait.waiting_pid).collect::<BTreeSet<_>>().len() as u64;
        self.known = now;
        // Between the two statements some have gone on and others have come.
        let waiting = if listed < natural(MOST) { listed } else { waiting.max(listed) };
        Ok(BlockedMoment { at_s, waiting, waits })
    }

    /// The same at the end; a look that failed is told with its reason.
    async fn last_deadlocks(&mut self) -> Option<u64> {
        self.deadlocks_before?;
        let why = match tokio::time::timeout(PATIENCE, self.deadlocks()).await {
            Ok(Ok(counted)) => return counted,
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("no answer within {} s", PATIENCE.as_secs()),
        };
        self.watch.hidden.push(format!("The deadlocks could not be counted in the end: {why}."));
        None
    }

    /// All deadlocks of the database so far, as far as they were handed in; `None` where it keeps no statistics.
    async fn deadlocks(&mut self) -> Result<Option<u64>, sqlx::Error> {
        let connection = match &mut self.connection {
            Some(connection) => connection,
            none => none.insert(database::connect(&self.url).await?),
        };
        let counts: bool = sqlx::query_scalar("SELECT current_setting('track_counts')::bool")
            .fetch_one(&mut *connection)
            .await?;
        let counters = activity::read(connection).await?;
        Ok(counts.then_some(counters.deadlocks))
    }
}

/// Of too many looks the worst of each stretch of time.
fn thinned(strip: Vec<Waiting>, seconds: f64) -> Vec<Waiting> {
    if strip.len() <= MOST_KEPT {
        return strip;
    }
    let stretch = |look: &Waiting| (look.at_s / seconds * MOST_KEPT as f64).floor();
    let mut kept: Vec<Waiting> = Vec::new();
    for look in strip {
        match kept.last_mut() {
            Some(last) if stretch(last).total_cmp(&stretch(&look)).is_eq() => {
                if (look.waiting, look.longest_ms) > (last.waiting, last.longest_ms) {
                    *last = look;
                }
            }
            _ => kept.push(look),
        }
    }
    kept
}

/// How many sessions of this database wait for a lock. Without rights over others it takes a look at the locks themselves,
/// which costs the server more.
async fn waiting(connection: &mut PgConnection, sees_all: bool) -> Result<u64, sqlx::Error> {
    let counted: i64 = if sees_all {
        sqlx::query_scalar(
            "SELECT /* callbench probe */ count(*) FROM pg_catalog.pg_stat_activity
             WHERE datname = current_database() AND wait_event_type = 'Lock'",
        )
        .fetch_one(connection)
        .await?
    } else {
        sqlx::query_scalar(
            "SELECT /* callbench probe */ count(*)
             FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
             WHERE NOT l.granted AND a.datname = current_database()",
        )
        .fetch_one(connection)
        .await?
    };
    Ok(natural(counted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_strip_keeps_the_worst_look_of_each_stretch() {
        let look = |place: u32| Waiting {
            at_s: f64::from(place) / 100.0,
            waiting: u64::from(place % 7),
            longest_ms: Some(f64::from(place)),
        };
        let strip: Vec<Waiting> = (0..6_000).map(look).collect();
        let thin = thinned(strip.clone(), 60.0);
        assert_eq!((thin.len(), thin[0], thin[1]), (MOST_KEPT, look(6), look(13)));
        assert_eq!(thinned(strip[..600].to_vec(), 6.0), strip[..600]);
    }
}
