//! What the database and the machine did while one subject was under load: samples, cut to its windows and added up.
//!
//! WAL, processes and the cache of a cluster are shared by all subjects, and only one is under load at a time. So rates
//! and shares are taken over the stretches between two samples of which at least half lies in windows of the subject.
//! Counters of its own database are late by a second or more, so what is counted in single events (deadlocks, lock waits)
//! is taken over the whole run.

pub(crate) mod words;

use crate::run::{
    DatabaseSample, Probes, ProcessCounters, ProcessSample, Run, TableCounters, WalCounters, Window,
};

/// The samples of one subject beside its windows.
#[derive(Debug, Clone)]
pub struct Meanwhile<'a> {
    /// What was sampled.
    pub probes: &'a Probes,
    /// The windows of the subject, both passes, as `(from, to)` in seconds since the start of the run.
    windows: Vec<(f64, f64)>,
    /// Failed requests of all its windows.
    pub failed: u64,
}

/// A figure between two samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Seconds since the start of the run at which the stretch began.
    pub from_s: f64,
    /// The same for its end.
    pub to_s: f64,
    /// The figure.
    pub value: f64,
}

/// Samples that saw a session wait for a lock.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LockWaits {
    /// How many did.
    pub seen_in: u64,
    /// Of how many.
    pub samples: u64,
    /// The longest wait that was seen, in milliseconds; it may have gone on after that.
    pub longest_ms: Option<f64>,
}

/// One of the three parties.
pub type Party = fn(&ProcessSample) -> Option<ProcessCounters>;

impl<'a> Meanwhile<'a> {
    /// All subjects of a run that were sampled.
    #[must_use]
    pub fn all(run: &'a Run) -> Vec<Self> {
        run.probes
            .iter()
            .filter(|probes| !probes.database.is_empty() || !probes.processes.is_empty())
            .map(|probes| {
                let own = || run.windows.iter().filter(|window| window.subject == probes.subject);
                Self {
                    probes,
                    windows: own().map(span).collect(),
                    failed: own().flat_map(|window| window.errors.values()).sum(),
                }
            })
            .collect()
    }

    /// What happened per second in each stretch under load: the difference of `count` by the time in between. A stretch
    /// in which the counter was reset is left out.
    pub fn rates(&self, count: impl Fn(&DatabaseSample) -> Option<u64>) -> Vec<Point> {
        self.stretches(
            &self.probes.database,
            |sample| sample.at_s,
            |before, after, seconds| Some(count(after)?.checked_sub(count(before)?)? as f64 / seconds),
        )
    }

    /// The share of `part` in `whole` in each stretch under load; stretches in which nothing happened are left out.
    pub fn shares(
        &self,
        part: impl Fn(&DatabaseSample) -> Option<u64>,
        whole: impl Fn(&DatabaseSample) -> Option<u64>,
    ) -> Vec<Point> {
        self.stretches(
            &self.probes.database,
            |sample| sample.at_s,
            |before, after, _| {
                let part = part(after)?.checked_sub(part(before)?)?;
                let whole = whole(after)?.checked_sub(whole(before)?)?;
                (whole > 0).then(|| part as f64 / whole as f64)
            },
        )
    }

    /// A figure of the moment at the end of each stretch under load.
    pub fn levels(&self, level: impl Fn(&DatabaseSample) -> Option<u64>) -> Vec<Point> {
        self.stretches(&self.probes.database, |sample| sample.at_s, |_, after, _| Some(level(after)? as f64))
    }

    /// Cores that a party used in each stretch under load.
    #[must_use]
    pub fn cores(&self, party: Party) -> Vec<Point> {
        self.stretches(
            &self.probes.processes,
            |sample| sample.at_s,
            |before, after, seconds| {
                // A family loses time when a process is handed over to init; less than nothing was not used.
                Some((party(after)?.cpu_s - party(before)?.cpu_s).max(0.0) / seconds)
            },
        )
    }

    /// Context switches per second of a party, of both kinds, in each stretch under load.
    #[must_use]
    pub fn switches(&self, party: Party) -> Vec<Point> {
        let all = |counters: ProcessCounters| counters.voluntary_switches + counters.involuntary_switches;
        self.stretches(
            &self.probes.processes,
            |sample| sample.at_s,
            |before, after, seconds| {
                Some(all(party(after)?).checked_sub(all(party(before)?))? as f64 / seconds)
            },
        )
    }

    /// The most resident memory of a party in bytes, over the whole run.
    #[must_use]
    pub fn resident_bytes(&self, party: Party) -> Option<u64> {
        self.probes.processes.iter().filter_map(party).map(|counters| counters.resident_bytes).max()
    }

    /// The most connections at once, over the whole run.
    #[must_use]
    pub fn connections(&self) -> Option<u64> {
        self.probes.database.iter().filter_map(|sample| Some(sample.sessions?.connections)).max()
    }

    /// Bytes of WAL per second under load, from the position at which it is inserted.
    #[must_use]
    pub fn wal_bytes_per_second(&self) -> Option<f64> {
        mean(&self.rates(|sample| wal(sample).map(|wal| wal.position_bytes)))
    }

    /// The share of buffers that were found in the database's cache, over the whole run; `None` if none was touched.
    #[must_use]
    pub fn hit_share(&self) -> Option<f64> {
        let hit = self.grown(|sample| Some(sample.activity?.buffers_hit))?;
        let read = self.grown(|sample| Some(sample.activity?.buffers_read))?;
        (hit + read > 0).then(|| hit as f64 / (hit + read) as f64)
    }

    /// The share of updates that touched no index, over the whole run; `None` without an update.
    #[must_use]
    pub fn hot_share(&self) -> Option<f64> {
        let updated = self.grown(|sample| tables(sample).map(|tables| tables.updated))?;
        let hot = self.grown(|sample| tables(sample).map(|tables| tables.hot_updated))?;
        (updated > 0).then(|| hot as f64 / updated as f64)
    }

    /// Deadlocks that the database counted over the whole run.
    #[must_use]
    pub fn deadlocks(&self) -> Option<u64> {
        self.grown(|sample| Some(sample.activity?.deadlocks))
    }

    /// Bytes of temporary files over the whole run.
    #[must_use]
    pub fn temporary_bytes(&self) -> Option<u64> {
        self.grown(|sample| Some(sample.activity?.temporary_bytes))
    }

    /// Which samples saw somebody wait for a lock, over the whole run; `None` where that can't be seen.
    #[must_use]
    pub fn lock_waits(&self) -> Option<LockWaits> {
        let states = || self.probes.database.iter().filter_map(|sample| sample.sessions?.states);
        let samples = states().count() as u64;
        (samples > 0).then(|| LockWaits {
            seen_in: states().filter(|states| states.waiting_for_lock > 0).count() as u64,
            samples,
            longest_ms: states().filter_map(|states| states.longest_lock_wait_ms).max_by(f64::total_cmp),
        })
    }

    /// Milliseconds that all probes took over the whole run.
    #[must_use]
    pub fn own_ms(&self) -> f64 {
        self.probes.costs.iter().map(|cost| cost.own_ms).sum()
    }

    /// Seconds from the first sample to the last.
    #[must_use]
    pub fn sampled_s(&self) -> f64 {
        let ends = |first: Option<f64>, last: Option<f64>| Some(last? - first?);
        let database = &self.probes.database;
        let processes = &self.probes.processes;
        ends(database.first().map(|sample| sample.at_s), database.last().map(|sample| sample.at_s))
            .into_iter()
            .chain(ends(
                processes.first().map(|sample| sample.at_s),
                processes.last().map(|sample| sample.at_s),
            ))
            .fold(0.0, f64::max)
    }

    /// By how much a counter grew from the first sample to the last, across resets; `None` if it was never read twice.
    fn grown(&self, count: impl Fn(&DatabaseSample) -> Option<u64>) -> Option<u64> {
        let counts: Vec<u64> = self.probes.database.iter().filter_map(count).collect();
        (counts.len() > 1)
            .then(|| counts.windows(2).map(|pair| pair[1].checked_sub(pair[0]).unwrap_or(pair[1])).sum())
    }

    fn stretches<S>(
        &self,
        samples: &[S],
        at_s: impl Fn(&S) -> f64,
        value: impl Fn(&S, &S, f64) -> Option<f64>,
    ) -> Vec<Point> {
        samples
            .windows(2)
            .filter_map(|pair| {
                let (from_s, to_s) = (at_s(&pair[0]), at_s(&pair[1]));
                if to_s - from_s < SHORTEST_S || !self.is_under_load(from_s, to_s) {
                    return None;
                }
                Some(Point { from_s, to_s, value: value(&pair[0], &pair[1], to_s - from_s)? })
            })
            .collect()
    }

    fn is_under_load(&self, from_s: f64, to_s: f64) -> bool {
        let within = |&(opened, ended): &(f64, f64)| (to_s.min(ended) - from_s.max(opened)).max(0.0);
        self.windows.iter().map(within).sum::<f64>() >= (to_s - from_s) / 2.0
    }
}

/// A stretch that is shorter than this tells of chance: the kernel counts CPU in ticks of 10 ms.
const SHORTEST_S: f64 = 0.2;

/// The mean of a figure over its stretches, by their length; `None` without one.
#[must_use]
pub fn mean(points: &[Point]) -> Option<f64> {
    let seconds: f64 = points.iter().map(|point| point.to_s - point.from_s).sum();
    let sum: f64 = points.iter().map(|point| point.value * (point.to_s - point.from_s)).sum();
    (seconds > 0.0).then(|| sum / seconds)
}

/// The client, the server and the database, with their names.
pub const PARTIES: [(&str, Party); 3] = [
    ("client", |sample| sample.client),
    ("server", |sample| sample.server),
    ("database", |sample| sample.database),
];

fn span(window: &Window) -> (f64, f64) {
    (window.opened_s, window.opened_s + window.drained_s.max(window.offered_s))
}

fn wal(sample: &DatabaseSample) -> Option<WalCounters> {
    sample.wal
}

fn tables(sample: &DatabaseSample) -> Option<TableCounters> {
    sample.tables
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::{DatabaseCounters, SessionStates, Sessions};
    use crate::sample;

    fn samples(counts: &[(f64, u64)]) -> Probes {
        let of = |&(at_s, count): &(f64, u64)| DatabaseSample {
            at_s,
            activity: Some(DatabaseCounters {
                commits: count,
                buffers_hit: count,
                buffers_read: count / 3,
                ..DatabaseCounters::default()
            }),
            ..DatabaseSample::default()
        };
        Probes { subject: "live".into(), database: counts.iter().map(of).collect(), ..Probes::default() }
    }

    fn between(probes: &Probes, windows: Vec<(f64, f64)>) -> Meanwhile<'_> {
        Meanwhile { probes, windows, failed: 0 }
    }

    #[test]
    fn rates_are_taken_where_the_subject_was_under_load() {
        let probes = samples(&[(0.0, 0), (1.0, 10), (2.0, 110), (3.0, 310), (4.0, 315)]);
        let meanwhile = between(&probes, vec![(0.8, 2.6)]);
        let rates = meanwhile.rates(|sample| Some(sample.activity?.commits));
        let values: Vec<_> = rates.iter().map(|point| (point.from_s, point.value)).collect();
        assert_eq!(values, [(1.0, 100.0), (2.0, 200.0)]);
        assert_eq!(mean(&rates), Some(150.0));
        assert_eq!(mean(&[]), None);
    }

    #[test]
    fn a_missed_sample_makes_a_stretch_longer_and_loses_nothing() {
        let probes = samples(&[(1.0, 10), (4.0, 310)]);
        let rates = between(&probes, vec![(0.0, 5.0)]).rates(|sample| Some(sample.activity?.commits));
        assert_eq!(rates, [Point { from_s: 1.0, to_s: 4.0, value: 100.0 }]);
    }

    #[test]
    fn a_reset_counter_counts_from_zero_and_makes_no_rate() {
        let probes = samples(&[(0.0, 900), (1.0, 930), (2.0, 60)]);
        let meanwhile = between(&probes, vec![(0.0, 2.0)]);
        assert_eq!(meanwhile.rates(|sample| Some(sample.activity?.commits)).len(), 1);
        assert_eq!(meanwhile.grown(|sample| Some(sample.activity?.commits)), Some(90));
    }

    #[test]
    fn what_was_not_asked_is_absent_and_not_zero() {
        let mut probes = samples(&[(0.0, 0), (1.0, 30)]);
        let meanwhile = between(&probes, vec![(0.0, 1.0)]);
        assert_eq!(meanwhile.hit_share(), Some(0.75));
        assert_eq!((meanwhile.hot_share(), meanwhile.wal_bytes_per_second()), (None, None));
        assert_eq!((meanwhile.lock_waits(), meanwhile.connections()), (None, None));
        assert_eq!(meanwhile.resident_bytes(PARTIES[1].1), None);
        let states = SessionStates {
            waiting_for_lock: 2,
            longest_lock_wait_ms: Some(7.0),
            ..SessionStates::default()
        };
        probes.database[1].sessions = Some(Sessions { connections: 4, states: Some(states) });
        let waits = between(&probes, vec![]).lock_waits();
        assert_eq!(waits, Some(LockWaits { seen_in: 1, samples: 1, longest_ms: Some(7.0) }));
    }

    #[test]
    fn a_share_of_nothing_is_absent() {
        let mut probes = samples(&[(0.0, 7), (1.0, 7)]);
        for (sample, updated) in probes.database.iter_mut().zip([40, 40]) {
            sample.tables =
                Some(TableCounters { updated, hot_updated: updated / 2, ..TableCounters::default() });
        }
        let meanwhile = between(&probes, vec![(0.0, 1.0)]);
        assert_eq!((meanwhile.hot_share(), meanwhile.hit_share()), (None, None));
        probes.database[1].tables =
            Some(TableCounters { updated: 44, hot_updated: 23, ..TableCounters::default() });
        assert_eq!(between(&probes, vec![]).hot_share(), Some(0.75));
    }

    #[test]
    fn a_subject_that_was_not_sampled_is_left_out() {
        let mut run = sample::unjudged();
        let sampled = Meanwhile::all(&run).len();
        run.probes[0] = Probes { subject: run.probes[0].subject.clone(), ..Probes::default() };
        assert_eq!(Meanwhile::all(&run).len(), sampled - 1);
    }
}
