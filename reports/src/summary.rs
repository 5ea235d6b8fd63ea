//! One subject under one operation, over all its windows.
//!
//! The first pass of each round counts; the second pass of the control subject exists for the noise floor alone, so
//! that every subject is looked at equally often.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::comparison::CONFIDENCE;
use crate::latency::Latency;
use crate::quantity;
use crate::run::{CpuCost, Run, Timings, Window, Work};
use crate::stats::NoiseFloor;
use crate::stats::quantile::minimum_samples;

/// A case of a run: one subject under one operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Case<'a> {
    /// [`crate::run::Subject::name`].
    pub subject: &'a str,
    /// Name of the operation.
    pub operation: &'a str,
}

/// What the windows of a case add up to.
#[derive(Debug, Clone)]
pub struct Summary<'a> {
    /// Which subject and operation.
    pub case: Case<'a>,
    /// The windows of the first pass, in the order of the rounds.
    pub windows: Vec<&'a Window>,
    /// The counted work, where there was a database to ask.
    pub work: Option<&'a Work>,
    /// All samples of those windows.
    pub timings: Timings,
    /// Requests sent.
    pub requests: u64,
    /// Arrivals that were dropped because no worker was free.
    pub skipped: u64,
    /// Failed requests by kind.
    pub errors: BTreeMap<&'a str, u64>,
    /// Seconds for which requests were offered.
    pub offered_s: f64,
    /// Seconds until all were answered.
    pub drained_s: f64,
}

impl<'a> Summary<'a> {
    /// The summary of a case; `None` when it has no window.
    #[must_use]
    pub fn of(run: &'a Run, case: Case<'a>) -> Option<Self> {
        let windows = windows(run, case, 1);
        if windows.is_empty() {
            return None;
        }
        let mut summary = Self {
            case,
            work: work(run, case),
            timings: Timings::default(),
            requests: 0,
            skipped: 0,
            errors: BTreeMap::new(),
            offered_s: 0.0,
            drained_s: 0.0,
            windows,
        };
        for window in &summary.windows {
            summary.timings.add(&window.timings);
            summary.requests += window.requests;
            summary.skipped += window.skipped;
            summary.offered_s += window.offered_s;
            summary.drained_s += window.drained_s;
            for (kind, count) in &window.errors {
                *summary.errors.entry(kind).or_default() += count;
            }
        }
        Some(summary)
    }

    /// Failed requests of all kinds.
    #[must_use]
    pub fn failed(&self) -> u64 {
        self.errors.values().sum()
    }

    /// The share of requests that failed, 0 to 1; 0 without requests.
    #[must_use]
    pub fn error_share(&self) -> f64 {
        if self.requests == 0 { 0.0 } else { self.failed() as f64 / self.requests as f64 }
    }

    /// The mean rate of the schedule in requests per second; `None` in the closed loop.
    #[must_use]
    pub fn offered_per_second(&self) -> Option<f64> {
        let offered: Option<f64> =
            self.windows.iter().map(|window| Some(window.offered_per_second? * window.offered_s)).sum();
        offered.map(|requests| requests / self.offered_s).filter(|rate| rate.is_finite())
    }

    /// Requests answered per second, failed ones too, until the last was answered.
    #[must_use]
    pub fn answered_per_second(&self) -> f64 {
        if self.drained_s > 0.0 { self.requests as f64 / self.drained_s } else { 0.0 }
    }

    /// Cores used on average by one process, for example `|cpu| cpu.client_s`; `None` where it was not seen in
    /// every window.
    #[must_use]
    pub fn cores(&self, process: impl Fn(&CpuCost) -> Option<f64>) -> Option<f64> {
        let seconds: Option<f64> = self.windows.iter().map(|window| process(&window.cpu)).sum();
        seconds.map(|seconds| seconds / self.drained_s).filter(|cores| cores.is_finite())
    }

    /// The greatest resident memory of the server at the end of a window, in bytes.
    #[must_use]
    pub fn server_rss_bytes(&self) -> Option<u64> {
        self.windows.iter().filter_map(|window| window.cpu.server_rss_bytes).max()
    }

    /// Why windows cannot be trusted: each reason once, with the rounds that it was given for.
    #[must_use]
    pub fn invalid(&self) -> Vec<Distrust<'a>> {
        let mut reasons: Vec<Distrust<'a>> = Vec::new();
        for window in &self.windows {
            for reason in &window.invalid {
                match reasons.iter_mut().find(|known| known.reason == reason) {
                    Some(known) => drop(known.rounds.insert(window.round)),
                    None => reasons.push(Distrust {
                        case: self.case,
                        rounds: BTreeSet::from([window.round]),
                        reason,
                    }),
                }
            }
        }
        reasons
    }
}

/// A reason for which some windows of a case cannot be trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Distrust<'a> {
    /// What was measured in them.
    pub case: Case<'a>,
    /// The rounds they belong to; not empty.
    pub rounds: BTreeSet<u32>,
    /// The reason, as the load generator gave it.
    pub reason: &'a str,
}

impl fmt::Display for Distrust<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rounds: Vec<String> = self.rounds.iter().map(u32::to_string).collect();
        let (word, rounds) = match (rounds.as_slice(), self.rounds.first(), self.rounds.last()) {
            ([one], ..) => ("round", one.clone()),
            (many, Some(first), Some(last))
                if many.len() > 2 && (last - first) as usize + 1 == many.len() =>
            {
                ("rounds", format!("{first} to {last}"))
            }
            (many, ..) => ("rounds", many.join(", ")),
        };
        let Case { subject, operation } = self.case;
        write!(f, "{subject} under {operation}, {word} {rounds}, cannot be trusted: {}", self.reason)
    }
}

/// The summaries of a run: operations in the order of the plan, subjects in the order of the run.
#[must_use]
pub fn all(run: &Run) -> Vec<Summary<'_>> {
    operations(run)
        .into_iter()
        .flat_map(|operation| {
            run.subjects
                .iter()
                .filter_map(move |subject| Summary::of(run, Case { subject: &subject.name, operation }))
        })
        .collect()
}

/// An operation as a table shows it below the mix that it is part of: `/detail` for `mixed/detail`.
#[must_use]
pub fn short(operation: &str) -> &str {
    operation.find('/').map_or(operation, |slash| &operation[slash..])
}

/// The operations that were measured, in the order of the plan; any that the plan does not name come last.
#[must_use]
pub fn operations(run: &Run) -> Vec<&str> {
    let mut operations: Vec<&str> = Vec::new();
    let planned =
        run.plan.operations.iter().filter(|name| run.windows.iter().any(|window| window.operation == **name));
    for name in planned.chain(run.windows.iter().map(|window| &window.operation)) {
        if !operations.contains(&name.as_str()) {
            operations.push(name);
        }
    }
    operations
}

/// The windows of a case, in the order of the rounds; pass 1 is the measurement, pass 2 the second look at the
/// control subject.
#[must_use]
pub fn windows<'a>(run: &'a Run, case: Case<'_>, pass: u32) -> Vec<&'a Window> {
    let mut windows: Vec<&Window> = run
        .windows
        .iter()
        .filter(|window| {
            window.subject == case.subject && window.operation == case.operation && window.pass == pass
        })
        .collect();
    windows.sort_by_key(|window| window.round);
    windows
}

/// The counted work of a case.
#[must_use]
pub fn work<'a>(run: &'a Run, case: Case<'_>) -> Option<&'a Work> {
    run.work.iter().find(|work| work.subject == case.subject && work.operation == case.operation)
}

/// A percentile as it is printed: in parentheses when there are fewer samples than it takes to bound it from above.
#[must_use]
pub fn percentile(latency: &Latency, quantile: f64) -> String {
    let Some(us) = latency.quantile_us(quantile) else { return "–".into() };
    let words = quantity::time_us(us as f64);
    if latency.count() < minimum_samples(quantile, CONFIDENCE) { format!("({words})") } else { words }
}

/// The noise floor of one operation at one quantile: the widest gap between the two passes of any control subject.
#[must_use]
pub fn noise_floor(run: &Run, operation: &str, quantile: f64) -> Option<NoiseFloor> {
    let us = |window: &Window| window.timings.response.quantile_us(quantile).map(|us| us as f64);
    let mut pairs = Vec::new();
    for subject in &run.subjects {
        let case = Case { subject: &subject.name, operation };
        for second in windows(run, case, 2) {
            let first = windows(run, case, 1).into_iter().find(|first| first.round == second.round);
            pairs.extend(first.and_then(us).zip(us(second)));
        }
    }
    NoiseFloor::of(&pairs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn a_summary_adds_the_first_pass_only() {
        let run = sample::run();
        let live = Summary::of(&run, Case { subject: "live", operation: "first_page" }).unwrap();
        assert_eq!(live.windows.len(), run.plan.rounds as usize);
        assert_eq!(live.requests, live.timings.response.count());
        assert!(live.windows.iter().all(|window| window.pass == 1));
    }

    #[test]
    fn the_noise_floor_needs_a_second_pass() {
        let mut run = sample::run();
        assert!(noise_floor(&run, "first_page", 0.95).is_some());
        run.windows.retain(|window| window.pass == 1);
        assert_eq!(noise_floor(&run, "first_page", 0.95), None);
    }

    #[test]
    fn a_case_that_was_not_measured_has_no_summary() {
        let run = sample::run();
        assert!(Summary::of(&run, Case { subject: "live", operation: "no_such" }).is_none());
    }

    #[test]
    fn a_percentile_with_too_few_samples_stands_in_parentheses() {
        let mut latency = Latency::new();
        assert_eq!(percentile(&latency, 0.95), "–");
        for _ in 0..58 {
            latency.record(std::time::Duration::from_millis(5));
        }
        assert_eq!(percentile(&latency, 0.95), "(5.00 ms)");
        latency.record(std::time::Duration::from_millis(5));
        assert_eq!(percentile(&latency, 0.95), "5.00 ms");
    }

    #[test]
    fn operations_keep_the_order_of_the_plan() {
        let mut run = sample::run();
        assert_eq!(operations(&run), ["first_page", "page_100"]);
        run.plan.operations = vec!["page_100".into(), "never_ran".into()];
        assert_eq!(operations(&run), ["page_100", "first_page"]);
    }
}
