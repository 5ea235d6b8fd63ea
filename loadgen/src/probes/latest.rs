//! What was sampled last, for those who look on while a run is under way.
//!
//! The sampler keeps whole series for the result; here is only what a moment needs, so that looking costs neither side
//! more than a short lock.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use reports::run::{DatabaseSample, ProcessCounters, ProcessSample};

/// A figure that is older says nothing about the moment.
const STALE: Duration = Duration::from_secs(4);

/// Clocks of processes tick in hundredths of a second, so a shorter stretch says little about the cores in use.
const SHORTEST_S: f64 = 0.5;

/// What database and machine of a subject did a moment ago. What was not sampled, or not lately, is `None`.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Seen {
    /// Cores that the load generator used during the last stretch between two samples, about a second.
    pub client_cores: Option<f64>,
    /// The same of the server under test, with its children.
    pub server_cores: Option<f64>,
    /// The same of all processes of the database server.
    pub database_cores: Option<f64>,
    /// Sessions that waited for a lock.
    pub waiting_for_lock: Option<u64>,
    /// Deadlocks that the database counted since the first sample of the run. It counts them late, by a second or more.
    pub deadlocks: Option<u64>,
}

/// The last samples of all subjects. A clone looks at the same ones.
#[derive(Debug, Clone)]
pub(crate) struct Latest(Arc<[Mutex<Subject>]>);

/// Those of one.
#[derive(Debug, Default)]
struct Subject {
    processes: Option<(Instant, Cores)>,
    base: Option<ProcessSample>,
    database: Option<(Instant, DatabaseSample)>,
    first_deadlocks: Option<u64>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Cores {
    client: Option<f64>,
    server: Option<f64>,
    database: Option<f64>,
}

impl Latest {
    pub(super) fn new(subjects: usize) -> Self {
        Self((0..subjects).map(|_| Mutex::default()).collect())
    }

    /// What is known of the subject at this place at `now`.
    pub(crate) fn of(&self, place: usize, now: Instant) -> Seen {
        self.with(place, |subject| subject.seen(now)).unwrap_or_default()
    }

    pub(super) fn add_processes(&self, place: usize, now: Instant, sample: &ProcessSample) {
        self.with(place, |subject| subject.add_processes(now, sample));
    }

    pub(super) fn add_database(&self, place: usize, now: Instant, sample: &DatabaseSample) {
        self.with(place, |subject| subject.add_database(now, sample));
    }

    fn with<T>(&self, place: usize, look: impl FnOnce(&mut Subject) -> T) -> Option<T> {
        let mut subject = self.0.get(place)?.lock().unwrap_or_else(PoisonError::into_inner);
        Some(look(&mut subject))
    }
}

impl Subject {
    fn add_processes(&mut self, now: Instant, sample: &ProcessSample) {
        let Some(base) = self.base else {
            self.base = Some(*sample);
            return;
        };
        let seconds = sample.at_s - base.at_s;
        if seconds < SHORTEST_S {
            return;
        }
        let cores = |before: Option<ProcessCounters>, after: Option<ProcessCounters>| {
            // A family loses time when a process is handed over to init; less than nothing was not used.
            Some((after?.cpu_s - before?.cpu_s).max(0.0) / seconds)
        };
        let cores = Cores {
            client: cores(base.client, sample.client),
            server: cores(base.server, sample.server),
            database: cores(base.database, sample.database),
        };
        self.processes = Some((now, cores));
        self.base = Some(*sample);
    }

    fn add_database(&mut self, now: Instant, sample: &DatabaseSample) {
        let deadlocks = sample.activity.map(|activity| activity.deadlocks);
        self.first_deadlocks = self.first_deadlocks.or(deadlocks);
        self.database = Some((now, sample.clone()));
    }

    fn seen(&self, now: Instant) -> Seen {
        let is_fresh = |at: Instant| now.saturating_duration_since(at) <= STALE;
        let cores = match self.processes {
            Some((at, cores)) if is_fresh(at) => cores,
            _ => Cores::default(),
        };
        let database = self.database.as_ref().filter(|(at, _)| is_fresh(*at)).map(|(_, sample)| sample);
        let counted = database.and_then(|sample| Some(sample.activity?.deadlocks));
        Seen {
            client_cores: cores.client,
            server_cores: cores.server,
            database_cores: cores.database,
            waiting_for_lock: database.and_then(|sample| Some(sample.sessions?.states?.waiting_for_lock)),
            deadlocks: counted.zip(self.first_deadlocks).and_then(|(now, first)| now.checked_sub(first)),
        }
    }
}

#[cfg(test)]
mod tests {
    use reports::run::{DatabaseCounters, SessionStates, Sessions};

    use super::*;

    fn processes(at_s: f64, database_s: f64) -> ProcessSample {
        let of = |cpu_s| Some(ProcessCounters { cpu_s, ..ProcessCounters::default() });
        ProcessSample { at_s, client: of(at_s / 10.0), server: None, database: of(database_s) }
    }

    fn database(deadlocks: u64, waiting_for_lock: u64) -> DatabaseSample {
        let states = SessionStates { waiting_for_lock, ..SessionStates::default() };
        DatabaseSample {
            activity: Some(DatabaseCounters { deadlocks, ..DatabaseCounters::default() }),
            sessions: Some(Sessions { connections: 9, states: Some(states) }),
            ..DatabaseSample::default()
        }
    }

    #[test]
    fn cores_are_the_processor_time_between_two_samples_that_lie_far_enough_apart() {
        let (latest, now) = (Latest::new(1), Instant::now());
        latest.add_processes(0, now, &processes(10.0, 4.0));
        assert_eq!(latest.of(0, now), Seen::default(), "one sample is no difference");
        latest.add_processes(0, now, &processes(10.1, 4.1));
        assert_eq!(latest.of(0, now).database_cores, None, "a tenth of a second says little");
        latest.add_processes(0, now, &processes(12.0, 7.0));
        let seen = latest.of(0, now);
        assert_eq!((seen.database_cores, seen.server_cores), (Some(1.5), None));
        assert!((seen.client_cores.unwrap() - 0.1).abs() < 1e-9);
    }

    #[test]
    fn deadlocks_are_those_since_the_first_sample() {
        let (latest, now) = (Latest::new(2), Instant::now());
        latest.add_database(1, now, &database(40, 0));
        latest.add_database(1, now, &database(42, 3));
        let seen = latest.of(1, now);
        assert_eq!((seen.deadlocks, seen.waiting_for_lock), (Some(2), Some(3)));
        assert_eq!(latest.of(0, now), Seen::default(), "nothing of another subject");
        // The counters were reset.
        latest.add_database(1, now, &database(1, 0));
        assert_eq!(latest.of(1, now).deadlocks, None);
    }

    #[test]
    fn what_was_seen_too_long_ago_is_absent() {
        let (latest, now) = (Latest::new(1), Instant::now());
        latest.add_database(0, now, &database(0, 5));
        assert_eq!(latest.of(0, now + STALE).waiting_for_lock, Some(5));
        assert_eq!(latest.of(0, now + STALE + Duration::from_millis(1)), Seen::default());
    }
}
