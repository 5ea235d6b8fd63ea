//! What happened in one window: whole histograms, failures by kind, and a line of seconds.
//!
//! Times are taken from the *computed* instant at which a request was due, not from the tick that woke the client up:
//! a client that wakes late has made the user wait. `response = lag + service` for every sample. Failed requests stand
//! in the histograms like all others, since leaving them out would flatter a server that times out.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use reports::run::{Second, Timings};

/// The instants of one request.
#[derive(Debug, Clone, Copy)]
pub struct Instants {
    /// When the worker that sent it became free; with `due` it tells a busy pool from a late client.
    pub free: Instant,
    /// When the schedule wanted it sent. In the closed loop, the instant of sending.
    pub due: Instant,
    /// When it was sent.
    pub sent: Instant,
    /// When the last byte of the body had come.
    pub done: Instant,
}

/// The same, as the durations that are recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// From the opening of the window until the request was due.
    pub due_after: Duration,
    /// `sent - due`.
    pub lag: Duration,
    /// `done - sent`.
    pub service: Duration,
    /// The part of the lag in which a worker was free: the client's own fault. The rest is queueing: all workers
    /// were waiting for answers, which is the server's doing and a true result.
    pub lateness: Duration,
}

impl Sample {
    /// Splits the lag. The pool is fair, so the worker that takes an arrival is the one that has been free longest:
    /// if it became free only after `due`, then nobody could have sent the request before.
    #[must_use]
    pub fn of(instants: Instants, opened: Instant) -> Self {
        let Instants { free, due, sent, done } = instants;
        Self {
            due_after: due.saturating_duration_since(opened),
            lag: sent.saturating_duration_since(due),
            service: done.saturating_duration_since(sent),
            lateness: sent.saturating_duration_since(due.max(free)),
        }
    }

    /// `done - due`.
    #[must_use]
    pub fn response(&self) -> Duration {
        self.lag + self.service
    }
}

/// Everything recorded in a window.
#[derive(Debug, Default)]
pub struct Recording {
    /// The four histograms. In the closed loop nothing is ever due, so `lag` and `lateness` stay empty.
    pub timings: Timings,
    /// Requests recorded.
    pub requests: u64,
    /// Failures by kind.
    pub errors: BTreeMap<String, u64>,
    /// From the opening of the window to the last answer.
    pub drained: Duration,
    seconds: Vec<SecondSamples>,
}

#[derive(Debug, Default)]
struct SecondSamples {
    errors: u64,
    response_us: Vec<u32>,
}

impl Recording {
    /// Adds one request. `scheduled` says whether it had a due time of its own (open loop).
    pub fn record(&mut self, sample: Sample, scheduled: bool, error: Option<&str>) {
        let response = sample.response();
        if scheduled {
            self.timings.lag.record(sample.lag);
            self.timings.lateness.record(sample.lateness);
        }
        self.timings.service.record(sample.service);
        self.timings.response.record(response);
        self.requests += 1;
        self.drained = self.drained.max(sample.due_after + response);

        let second = usize::try_from(sample.due_after.as_secs()).unwrap_or(usize::MAX);
        if self.seconds.len() <= second {
            self.seconds.resize_with(second + 1, SecondSamples::default);
        }
        let samples = &mut self.seconds[second];
        samples.response_us.push(u32::try_from(response.as_micros()).unwrap_or(u32::MAX));
        if let Some(kind) = error {
            samples.errors += 1;
            *self.errors.entry(kind.to_owned()).or_default() += 1;
        }
    }

    /// Adds what was recorded of another part of the same window.
    pub fn add(&mut self, other: &Self) {
        self.timings.add(&other.timings);
        self.requests += other.requests;
        for (kind, count) in &other.errors {
            *self.errors.entry(kind.clone()).or_default() += count;
        }
        self.drained = self.drained.max(other.drained);
        if self.seconds.len() < other.seconds.len() {
            self.seconds.resize_with(other.seconds.len(), SecondSamples::default);
        }
        for (second, other) in self.seconds.iter_mut().zip(&other.seconds) {
            second.errors += other.errors;
            second.response_us.extend(&other.response_us);
        }
    }

    /// The window second by second.
    #[must_use]
    pub fn series(&self) -> Vec<Second> {
        self.seconds.iter().map(SecondSamples::summary).collect()
    }
}

impl SecondSamples {
    fn summary(&self) -> Second {
        let mut sorted = self.response_us.clone();
        sorted.sort_unstable();
        Second {
            requests: sorted.len() as u64,
            errors: self.errors,
            // The lower median, which is a response that somebody had.
            p50_us: sorted.get(sorted.len().saturating_sub(1) / 2).copied().map(u64::from),
            max_us: sorted.last().copied().unwrap_or(0).into(),
        }
    }
}

/// What many workers record of a scenario. Recording takes about a microsecond, after the answer, so one lock is enough
/// for tens of thousands of requests a second.
#[derive(Debug)]
pub struct Recorder {
    opened: Instant,
    scheduled: bool,
    kept: Mutex<Kept>,
}

#[derive(Debug)]
struct Kept {
    /// One for each part.
    parts: Vec<Recording>,
    /// What was recorded since somebody last asked; `None` while nobody follows.
    news: Option<Vec<News>>,
}

/// One request, as it is told to somebody who follows a window while it is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct News {
    /// The part of the scenario.
    pub part: usize,
    /// [`Sample::response`] in microseconds; what is longer than an hour or so is `u32::MAX`.
    pub response_us: u32,
    /// [`Sample::lag`] in microseconds; 0 in the closed loop.
    pub lag_us: u32,
    /// [`Sample::lateness`] in microseconds; 0 in the closed loop.
    pub lateness_us: u32,
    /// The kind of failure, if it was one.
    pub error: Option<Box<str>>,
}

impl Recorder {
    /// An empty record, for so many parts of a scenario, of a window that opens at `opened`; `scheduled` in the open loop.
    #[must_use]
    pub fn new(parts: usize, opened: Instant, scheduled: bool) -> Self {
        let parts = (0..parts).map(|_| Recording::default()).collect();
        Self { opened, scheduled, kept: Mutex::new(Kept { parts, news: None }) }
    }

    /// The same, which also keeps each request until it is asked for with [`Self::news`].
    #[must_use]
    pub fn followed(mut self) -> Self {
        self.kept.get_mut().unwrap_or_else(PoisonError::into_inner).news = Some(Vec::new());
        self
    }

    /// Adds one request of a part.
    pub fn record(&self, part: usize, instants: Instants, error: Option<&str>) {
        let sample = Sample::of(instants, self.opened);
        let mut kept = self.kept();
        let Kept { parts, news } = &mut *kept;
        // Without one it was taken: a stop lets nobody finish, but a worker may be at it.
        let Some(recording) = parts.get_mut(part) else { return };
        recording.record(sample, self.scheduled, error);
        if let Some(news) = news {
            news.push(News::of(part, sample, self.scheduled, error));
        }
    }

    /// Exchanges what was recorded since the last time for an empty buffer, which is how the lock is held for no longer
    /// than that takes. `buffer` is emptied before; nothing comes of a record that nobody said is [followed](Self::followed).
    pub fn news(&self, buffer: &mut Vec<News>) {
        buffer.clear();
        if let Some(news) = &mut self.kept().news {
            std::mem::swap(news, buffer);
        }
    }

    /// Takes what was recorded of each part. What comes later is not recorded any more, and is no news.
    #[must_use]
    pub fn take(&self) -> Vec<Recording> {
        std::mem::take(&mut self.kept().parts)
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl News {
    fn of(part: usize, sample: Sample, scheduled: bool, error: Option<&str>) -> Self {
        let us = |time: Duration| u32::try_from(time.as_micros()).unwrap_or(u32::MAX);
        let waited = |time: Duration| if scheduled { us(time) } else { 0 };
        Self {
            part,
            response_us: us(sample.response()),
            lag_us: waited(sample.lag),
            lateness_us: waited(sample.lateness),
            error: error.map(Box::from),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// A request with these instants, in milliseconds after the opening.
    fn sample(free: u64, due: u64, sent: u64, done: u64) -> Sample {
        let opened = Instant::now();
        let at = |after| opened + ms(after);
        Sample::of(Instants { free: at(free), due: at(due), sent: at(sent), done: at(done) }, opened)
    }

    #[test]
    fn a_free_worker_that_wakes_late_is_lateness() {
        let sample = sample(0, 10, 13, 20);
        assert_eq!((sample.lag, sample.lateness, sample.service), (ms(3), ms(3), ms(7)));
    }

    #[test]
    fn waiting_for_a_busy_pool_is_lag_but_not_lateness() {
        let sample = sample(50, 10, 51, 60);
        assert_eq!((sample.lag, sample.lateness), (ms(41), ms(1)));
    }

    #[test]
    fn failures_are_counted_by_kind_and_stay_in_the_histograms() {
        let mut recording = Recording::default();
        recording.record(sample(0, 0, 0, 5), true, None);
        recording.record(sample(0, 0, 0, 900), true, Some("timeout"));
        assert_eq!(recording.errors, BTreeMap::from([("timeout".to_owned(), 1)]));
        assert_eq!(recording.timings.response.count(), 2);
        assert!(recording.timings.response.max_us().unwrap() >= 900_000);
    }

    #[test]
    fn a_second_counts_the_requests_that_were_due_in_it() {
        let mut recording = Recording::default();
        recording.record(sample(0, 900, 900, 2500), true, Some("connect"));
        recording.record(sample(0, 2000, 2000, 2010), true, None);
        let series = recording.series();
        assert_eq!(series.iter().map(|second| second.requests).collect::<Vec<_>>(), [1, 0, 1]);
        assert_eq!((series[0].errors, series[0].p50_us, series[0].max_us), (1, Some(1_600_000), 1_600_000));
        assert_eq!(series[1], Second::default());
        assert_eq!(recording.drained, ms(2500));
    }

    #[test]
    fn the_closed_loop_has_no_lag_to_record() {
        let mut recording = Recording::default();
        recording.record(sample(0, 1, 1, 5), false, None);
        assert_eq!(recording.timings.lag.count(), 0);
        assert_eq!(recording.timings.response, recording.timings.service);
    }

    #[test]
    fn the_parts_of_a_window_add_up_to_the_whole() {
        let samples = [
            (sample(0, 900, 900, 2500), Some("connect")),
            (sample(0, 10, 10, 20), None),
            (sample(5, 30, 31, 40), None),
        ];
        let mut whole = Recording::default();
        let mut parts = [Recording::default(), Recording::default()];
        for (number, (sample, error)) in samples.into_iter().enumerate() {
            whole.record(sample, true, error);
            parts[number % 2].record(sample, true, error);
        }
        let mut sum = Recording::default();
        for part in &parts {
            sum.add(part);
        }
        assert_eq!((sum.series(), &sum.errors), (whole.series(), &whole.errors));
        assert_eq!(sum.timings.response, whole.timings.response);
        assert_eq!(sum.timings.lateness, whole.timings.lateness);
        assert_eq!((sum.requests, sum.drained), (3, whole.drained));
    }

    /// A request that was due, sent and answered so many milliseconds after the opening.
    fn instants(opened: Instant, due: u64, sent: u64, done: u64) -> Instants {
        let at = |after| opened + ms(after);
        Instants { free: opened, due: at(due), sent: at(sent), done: at(done) }
    }

    #[test]
    fn news_is_told_once_and_ends_when_the_record_is_taken() {
        let opened = Instant::now();
        let recorder = Recorder::new(2, opened, true).followed();
        recorder.record(1, instants(opened, 10, 12, 30), Some("timeout"));
        let mut news = Vec::new();
        recorder.news(&mut news);
        let expected = News {
            part: 1,
            response_us: 20_000,
            lag_us: 2_000,
            lateness_us: 2_000,
            error: Some("timeout".into()),
        };
        assert_eq!(news, [expected]);
        recorder.news(&mut news);
        assert_eq!(news, []);
        recorder.record(0, instants(opened, 20, 20, 25), None);
        assert_eq!(recorder.take().iter().map(|part| part.requests).collect::<Vec<_>>(), [1, 1]);
        recorder.record(0, instants(opened, 20, 20, 25), None);
        recorder.news(&mut news);
        assert_eq!(news.len(), 1, "what was recorded before is news, what came after is not");
    }

    #[test]
    fn a_record_that_nobody_follows_keeps_no_news() {
        let opened = Instant::now();
        let recorder = Recorder::new(1, opened, false);
        recorder.record(0, instants(opened, 0, 0, 5), None);
        let mut news = Vec::new();
        recorder.news(&mut news);
        assert_eq!((news.len(), recorder.take()[0].requests), (0, 1));
    }

    proptest! {
        #[test]
        fn response_is_lag_plus_service_and_lateness_is_part_of_lag(
            free in 0..5000_u64, due in 0..5000_u64, wait in 0..5000_u64, service in 0..5000_u64,
        ) {
            let sent = due.max(free) + wait;
            let sample = sample(free, due, sent, sent + service);
            prop_assert_eq!(sample.response(), ms(sent + service - due));
            prop_assert!(sample.lateness <= sample.lag);
            prop_assert_eq!(sample.lateness, ms(wait));
        }
    }
}
