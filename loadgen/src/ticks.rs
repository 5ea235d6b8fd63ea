//! A window while it is open: what has come of it so far, and since the last look, once a second.
//!
//! The look is taken beside the engine, by the coordinator. Workers only leave a line for each request where they record
//! it anyway, and the coordinator takes all of these lines away at once; sorting and adding up is its own affair. So
//! nobody waits for it, however slow those are who are told.
//!
//! Requests count here in the second in which their answer has come. ([`reports::run::Second`], which the result keeps,
//! goes by when they were due, and is only known afterwards.)

use std::collections::BTreeMap;
use std::iter::Peekable;
use std::time::Duration;

use reports::latency::Latency;

use crate::arrivals::Arrivals;
use crate::probes::Seen;
use crate::recorder::News;

/// One look at a window that is open.
#[derive(Debug, Clone, PartialEq)]
pub struct Tick {
    /// Number of the look, from 1. There is one each second, and a last one when all is answered.
    pub number: u64,
    /// Seconds since the window opened.
    pub at_s: f64,
    /// Seconds since the look before, or since the opening: about 1, less for the last look.
    pub seconds: f64,
    /// For how many seconds requests are offered; later looks see the rest being answered.
    pub offered_s: f64,
    /// What has happened since the look before.
    pub lately: Flow,
    /// What has happened since the window opened.
    pub so_far: Flow,
    /// Requests that were sent and have no answer yet.
    pub in_flight: u64,
    /// Requests that are due and were not sent yet, because no worker is free or the client is late; `None` in the closed
    /// loop.
    pub queued: Option<u64>,
    /// What has happened lately, operation by operation: those of the mix, or the only one.
    pub parts: Vec<PartTick>,
    /// What the probes saw last.
    pub seen: Seen,
}

/// What happened during some time. What nothing can be said about is `None`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Flow {
    /// Requests that the schedule held, skipped ones included; `None` in the closed loop.
    pub due: Option<u64>,
    /// Arrivals that were dropped because no worker was free.
    pub skipped: u64,
    /// Requests that were answered, or failed.
    pub requests: u64,
    /// Failures among them, by kind.
    pub errors: BTreeMap<String, u64>,
    /// Median response in microseconds.
    pub p50_us: Option<u64>,
    /// 99th percentile of the response.
    pub p99_us: Option<u64>,
    /// Greatest response.
    pub max_us: Option<u64>,
    /// Greatest lag: from being due to being sent; `None` in the closed loop.
    pub max_lag_us: Option<u64>,
    /// 99th percentile of the client's own lateness; `None` in the closed loop.
    pub lateness_p99_us: Option<u64>,
}

/// What has come lately of one operation.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PartTick {
    /// Its name, as in the result.
    pub operation: String,
    /// The response of each request in microseconds, in ascending order.
    pub response_us: Vec<u32>,
    /// Failures by kind.
    pub errors: BTreeMap<String, u64>,
}

/// Of a shorter time no rate is told: one request more or less would make all the difference.
const SHORTEST_S: f64 = 0.1;

impl Tick {
    /// Arrivals per second that the schedule held lately; `None` in the closed loop, and at a last look that follows the one
    /// before within a tenth of a second.
    #[must_use]
    pub fn asked_per_second(&self) -> Option<f64> {
        self.lately.due.and_then(|due| self.rate(due))
    }

    /// Requests per second that were answered lately, or failed; `None` as in [`Self::asked_per_second`], but for the loop.
    #[must_use]
    pub fn reached_per_second(&self) -> Option<f64> {
        self.rate(self.lately.requests)
    }

    fn rate(&self, count: u64) -> Option<f64> {
        (self.seconds >= SHORTEST_S).then(|| count as f64 / self.seconds)
    }
}

impl Flow {
    /// Requests that failed.
    #[must_use]
    pub fn failed(&self) -> u64 {
        self.errors.values().sum()
    }
}

/// What is read of the engine for a look, in this order, so that nothing is answered before it was sent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Standing {
    /// Requests sent.
    pub(crate) sent: u64,
    /// Arrivals skipped.
    pub(crate) skipped: u64,
    /// What the probes saw last.
    pub(crate) seen: Seen,
    /// Since the opening.
    pub(crate) at: Duration,
}

/// Adds up.
pub(crate) struct Ticker {
    operations: Vec<String>,
    offered: Duration,
    /// The schedule once more; `None` in the closed loop.
    arrivals: Option<Peekable<Arrivals>>,
    number: u64,
    at: Duration,
    due: u64,
    skipped: u64,
    requests: u64,
    errors: BTreeMap<String, u64>,
    response: Latency,
    lateness: Latency,
    max_lag_us: u64,
}

impl Ticker {
    /// For a window that offers requests of these operations for so long, on a schedule or in the closed loop.
    pub(crate) fn new(operations: Vec<String>, offered: Duration, arrivals: Option<Arrivals>) -> Self {
        Self {
            operations,
            offered,
            arrivals: arrivals.map(Iterator::peekable),
            number: 0,
            at: Duration::ZERO,
            due: 0,
            skipped: 0,
            requests: 0,
            errors: BTreeMap::new(),
            response: Latency::new(),
            lateness: Latency::new(),
            max_lag_us: 0,
        }
    }

    /// The next look, with what is new since the last one.
    pub(crate) fn tick(&mut self, news: &mut Vec<News>, now: Standing) -> Tick {
        let mut parts: Vec<PartTick> = self
            .operations
            .iter()
            .map(|operation| PartTick { operation: operation.clone(), ..PartTick::default() })
            .collect();
        let mut errors = BTreeMap::new();
        let (mut response_us, mut lateness_us) =
            (Vec::with_capacity(news.len()), Vec::with_capacity(news.len()));
        let mut max_lag_us = 0;
        let add = |errors: &mut BTreeMap<String, u64>, kind: &str| match errors.get_mut(kind) {
            Some(count) => *count += 1,
            None => drop(errors.insert(kind.to_owned(), 1)),
        };
        for News { part, response_us: response, lag_us, lateness_us: lateness, error } in news.drain(..) {
            response_us.push(response);
            lateness_us.push(lateness);
            max_lag_us = max_lag_us.max(lag_us);
            self.response.record(Duration::from_micros(response.into()));
            self.lateness.record(Duration::from_micros(lateness.into()));
            parts[part].response_us.push(response);
            if let Some(kind) = error {
                add(&mut parts[part].errors, &kind);
                add(&mut errors, &kind);
                add(&mut self.errors, &kind);
            }
        }
        for part in &mut parts {
            part.response_us.sort_unstable();
        }
        response_us.sort_unstable();
        lateness_us.sort_unstable();

        let due = self.due_until(now.at);
        let skipped = now.skipped.saturating_sub(self.skipped);
        let requests = response_us.len() as u64;
        self.due += due;
        self.skipped += skipped;
        self.requests += requests;
        self.max_lag_us = self.max_lag_us.max(max_lag_us.into());
        self.number += 1;
        let seconds = now.at.saturating_sub(self.at).as_secs_f64();
        self.at = self.at.max(now.at);

        let is_open = self.arrivals.is_some();
        let of_schedule = |value: Option<u64>| value.filter(|_| is_open);
        let any = |requests: u64, value: u64| of_schedule((requests > 0).then_some(value));
        Tick {
            number: self.number,
            at_s: self.at.as_secs_f64(),
            seconds,
            offered_s: self.offered.as_secs_f64(),
            lately: Flow {
                due: of_schedule(Some(due)),
                skipped,
                requests,
                errors,
                p50_us: quantile(&response_us, 50),
                p99_us: quantile(&response_us, 99),
                max_us: quantile(&response_us, 100),
                max_lag_us: any(requests, max_lag_us.into()),
                lateness_p99_us: of_schedule(quantile(&lateness_us, 99)),
            },
            so_far: Flow {
                due: of_schedule(Some(self.due)),
                skipped: self.skipped,
                requests: self.requests,
                errors: self.errors.clone(),
                p50_us: self.response.quantile_us(0.5),
                p99_us: self.response.quantile_us(0.99),
                max_us: self.response.max_us(),
                max_lag_us: any(self.requests, self.max_lag_us),
                lateness_p99_us: of_schedule(self.lateness.quantile_us(0.99)),
            },
            in_flight: now.sent.saturating_sub(self.requests),
            queued: of_schedule(Some(self.due.saturating_sub(self.skipped + now.sent))),
            parts,
            seen: now.seen,
        }
    }

    /// How many arrivals have become due since the last look.
    fn due_until(&mut self, at: Duration) -> u64 {
        let Some(arrivals) = &mut self.arrivals else { return 0 };
        let mut due = 0;
        while arrivals.next_if(|arrival| arrival.due <= at).is_some() {
            due += 1;
        }
        due
    }
}

/// The value of which so many per cent are no greater; `None` without any.
fn quantile(ascending: &[u32], percent: usize) -> Option<u64> {
    let rank = (ascending.len() * percent).div_ceil(100);
    ascending.get(rank.checked_sub(1)?).copied().map(u64::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arrivals::{Pattern, Process, Rate};

    /// Three seconds at 10/s.
    fn open() -> Ticker {
        let pattern = Pattern::Drawn { rate: Rate::constant(10.0), process: Process::Constant };
        let length = Duration::from_secs(3);
        let operations = vec!["mix/a".to_owned(), "mix/b".to_owned()];
        Ticker::new(operations, length, Some(pattern.arrivals(length, 1)))
    }

    fn news(part: usize, response_us: u32, lag_us: u32, lateness_us: u32, error: Option<&str>) -> News {
        News { part, response_us, lag_us, lateness_us, error: error.map(Box::from) }
    }

    fn standing(at_ms: u64, sent: u64, skipped: u64) -> Standing {
        Standing { sent, skipped, seen: Seen::default(), at: Duration::from_millis(at_ms) }
    }

    #[test]
    fn a_second_has_what_came_in_it_and_what_came_so_far() {
        let mut ticker = open();
        let mut first: Vec<_> = (1..=9).map(|n| news(0, n * 1000, n, 1, None)).collect();
        first.push(news(1, 700_000, 20, 7, Some("timeout")));
        let tick = ticker.tick(&mut first, standing(950, 10, 0));
        assert!(first.is_empty());
        assert_eq!((tick.number, tick.at_s, tick.seconds, tick.offered_s), (1, 0.95, 0.95, 3.0));
        // Due at 0, 100, …, 900 ms.
        assert_eq!((tick.lately.due, tick.lately.requests, tick.lately.failed()), (Some(10), 10, 1));
        assert_eq!((tick.in_flight, tick.queued), (0, Some(0)));
        let lately = &tick.lately;
        assert_eq!((lately.p50_us, lately.p99_us, lately.max_us), (Some(5000), Some(700_000), Some(700_000)));
        assert_eq!((lately.max_lag_us, lately.lateness_p99_us), (Some(20), Some(7)));

        let mut second = vec![news(1, 3000, 0, 0, None), news(1, 2000, 0, 0, Some("connect"))];
        let tick = ticker.tick(&mut second, standing(2000, 16, 1));
        assert_eq!((tick.number, tick.seconds), (2, 1.05));
        assert_eq!(
            (tick.asked_per_second(), tick.reached_per_second()),
            (Some(11.0 / 1.05), Some(2.0 / 1.05))
        );
        assert_eq!((tick.lately.due, tick.lately.skipped, tick.lately.requests), (Some(11), 1, 2));
        assert_eq!((tick.lately.p50_us, tick.lately.max_us), (Some(2000), Some(3000)));
        // 16 sent and 12 answered; 21 due, of which 1 was skipped.
        assert_eq!((tick.in_flight, tick.queued), (4, Some(4)));
        assert_eq!((tick.so_far.due, tick.so_far.skipped, tick.so_far.requests), (Some(21), 1, 12));
        assert_eq!(tick.so_far.errors, [("connect".to_owned(), 1), ("timeout".to_owned(), 1)].into());
        assert_eq!(tick.so_far.max_lag_us, Some(20));
        // To three digits.
        assert!((700_000..701_000).contains(&tick.so_far.max_us.unwrap()));
        assert_eq!(tick.parts[0], PartTick { operation: "mix/a".to_owned(), ..PartTick::default() });
        assert_eq!(tick.parts[1].response_us, [2000, 3000]);
        assert_eq!(tick.parts[1].errors, [("connect".to_owned(), 1)].into());
    }

    #[test]
    fn nothing_is_due_after_the_end_of_the_schedule() {
        let mut ticker = open();
        assert_eq!(ticker.tick(&mut Vec::new(), standing(9000, 30, 0)).lately.due, Some(30));
        let tick = ticker.tick(&mut Vec::new(), standing(9050, 30, 0));
        assert_eq!(
            (tick.lately.due, tick.asked_per_second(), tick.reached_per_second()),
            (Some(0), None, None)
        );
    }

    #[test]
    fn what_nothing_can_be_said_about_is_absent_and_not_zero() {
        let silent = open().tick(&mut Vec::new(), standing(1000, 11, 0));
        let lately = &silent.lately;
        let times = [lately.p50_us, lately.p99_us, lately.max_us, lately.max_lag_us, lately.lateness_p99_us];
        assert_eq!(times, [None; 5]);
        assert_eq!((silent.in_flight, silent.queued), (11, Some(0)));

        let mut closed = Ticker::new(vec!["detail".to_owned()], Duration::from_secs(1), None);
        let tick = closed.tick(&mut vec![news(0, 5, 0, 0, None)], standing(1000, 2, 0));
        assert_eq!((tick.lately.due, tick.so_far.due, tick.queued), (None, None, None));
        assert_eq!((tick.lately.max_lag_us, tick.so_far.lateness_p99_us), (None, None));
        assert_eq!((tick.lately.p50_us, tick.in_flight), (Some(5), 1));
    }
}
