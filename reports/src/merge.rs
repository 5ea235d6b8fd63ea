//! The shards of one load put together, as if one process had sent it all.
//!
//! Histograms are added, which is exact; percentiles are never averaged. Rates of equal shards of one schedule add up,
//! because all of them were offered in the same window. What can't be told from the parts is left out.

use std::collections::BTreeMap;
use std::fmt;

use crate::run::{Run, Second, Shard, Window};

/// Why runs are not the shards of one load.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is nothing to merge.
    #[error("there is no run to merge; name the folders of all shards")]
    Nothing,
    /// A run of a whole schedule.
    #[error("the run {run} is no shard but a whole load; merge runs of `callbench load --shard`")]
    Whole {
        /// [`Run::name`].
        run: String,
    },
    /// A run that was stopped.
    #[error(
        "the run {run} was interrupted, and what it did not send is missing in the whole; run all shards again"
    )]
    Interrupted {
        /// [`Run::name`].
        run: String,
    },
    /// Two runs that do not belong together.
    #[error("{one} and {other} differ in their {what}: {value} and {other_value}; merge shards of one load")]
    Differ {
        /// The first run.
        one: String,
        /// The run that differs from it.
        other: String,
        /// What they differ in.
        what: &'static str,
        /// What the first one has.
        value: String,
        /// What the other one has.
        other_value: String,
    },
    /// A shard that is there twice.
    #[error("{one} and {other} are both shard {index} of {of}; leave one of them out")]
    Twice {
        /// A run.
        one: String,
        /// A later one.
        other: String,
        /// [`Shard::index`].
        index: u64,
        /// [`Shard::of`].
        of: u64,
    },
    /// Some shards are not there.
    #[error("of {of} shards {given} are given; {missing} missing: name them too")]
    Missing {
        /// [`Shard::of`].
        of: u64,
        /// How many there are.
        given: usize,
        /// Which are not there, in words.
        missing: String,
    },
}

/// Merges all shards of a load, in any order. The result has the name and the command of the first shard, and no verdicts.
pub fn merge(runs: Vec<Run>) -> Result<Run, Error> {
    let mut shards = Vec::new();
    for run in runs {
        let Some(shard) = run.plan.shard.clone() else { return Err(Error::Whole { run: run.name }) };
        if !run.complete {
            return Err(Error::Interrupted { run: run.name });
        }
        shards.push((shard, run));
    }
    shards.sort_by_key(|(shard, _)| shard.index);
    check(&shards)?;
    let windows = windows(&shards);
    let mut warnings = Vec::new();
    for (shard, run) in &shards {
        warnings.extend(run.warnings.iter().map(|sentence| format!("shard {}: {sentence}", shard.index)));
    }
    let started_at = shards.iter().map(|(_, run)| run.started_at).min();
    let finished_at = shards.iter().map(|(_, run)| run.finished_at).max();
    // All shards saw the same database; the first one's samples are on the clock of the merged windows.
    let (_, mut whole) = shards.into_iter().next().ok_or(Error::Nothing)?;
    whole.started_at = started_at.unwrap_or(whole.started_at);
    whole.finished_at = finished_at.unwrap_or(whole.finished_at);
    whole.plan.shard = None;
    whole.windows = windows;
    whole.warnings = warnings;
    whole.verdicts = Vec::new();
    Ok(whole)
}

fn check(shards: &[(Shard, Run)]) -> Result<(), Error> {
    let Some(((first, one), others)) = shards.split_first() else { return Err(Error::Nothing) };
    for (shard, other) in others {
        let same = |what, value: &dyn fmt::Display, other_value: &dyn fmt::Display| {
            let (value, other_value) = (value.to_string(), other_value.to_string());
            if value == other_value {
                return Ok(());
            }
            Err(Error::Differ { one: one.name.clone(), other: other.name.clone(), what, value, other_value })
        };
        let start =
            |shard: &Shard| shard.start_at.map_or_else(|| "none".to_owned(), |moment| moment.to_rfc3339());
        let server = |run: &Run| {
            run.subjects.iter().map(|subject| subject.description.as_str()).collect::<Vec<_>>().join(", ")
        };
        same("versions of callbench", &one.environment.callbench, &other.environment.callbench)?;
        same("numbers of shards", &first.of, &shard.of)?;
        same("seeds", &one.plan.seed, &other.plan.seed)?;
        same("timeouts (ms)", &one.plan.timeout_ms, &other.plan.timeout_ms)?;
        same("starts", &start(first), &start(shard))?;
        same("servers", &server(one), &server(other))?;
        same("plans (SHA-256)", &first.plan_sha256, &shard.plan_sha256)?;
    }
    for pair in shards.windows(2) {
        if let [(Shard { index, of, .. }, one), (Shard { index: next, .. }, other)] = pair
            && index == next
        {
            let (one, other) = (one.name.clone(), other.name.clone());
            return Err(Error::Twice { one, other, index: *index, of: *of });
        }
    }
    let missing: Vec<String> = (0..first.of)
        .filter(|index| shards.binary_search_by_key(index, |(shard, _)| shard.index).is_err())
        // Enough to look for, however many there should have been.
        .take(10)
        .map(|index| index.to_string())
        .collect();
    match missing.as_slice() {
        [] => Ok(()),
        some => Err(Error::Missing {
            of: first.of,
            given: shards.len(),
            missing: format!("{} {}", some.join(", "), if some.len() == 1 { "is" } else { "are" }),
        }),
    }
}

/// Windows of the same subject, operation, round and pass as one, in the order of the first shard that has them.
fn windows(shards: &[(Shard, Run)]) -> Vec<Window> {
    let mut merged: Vec<Window> = Vec::new();
    let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
    for (shard, run) in shards {
        for window in &run.windows {
            let mut window = window.clone();
            // That none was due in a shard is no fault of the whole.
            if window.requests + window.skipped == 0 {
                window.invalid.clear();
            }
            for reason in &mut window.invalid {
                *reason = format!("shard {}: {reason}", shard.index);
            }
            let key = |window: &Window| {
                (window.subject.clone(), window.operation.clone(), window.round, window.pass)
            };
            let known = merged.iter().position(|known| key(known) == key(&window));
            *counts.entry(known.unwrap_or(merged.len())).or_default() += 1;
            if let Some(place) = known {
                add(&mut merged[place], &window);
            } else {
                merged.push(window);
            }
        }
    }
    for (place, window) in merged.iter_mut().enumerate() {
        // A rare part of a mix has no window in a shard in which it was not drawn, and was offered there all the same.
        let present = counts.get(&place).copied().unwrap_or(1);
        if present < shards.len() {
            let times = shards.len() as f64 / present as f64;
            window.offered_per_second = window.offered_per_second.map(|rate| rate * times);
        }
        if window.requests == 0 && window.invalid.is_empty() {
            window.invalid.push("no request was sent in it by any shard".to_owned());
        }
    }
    merged
}

fn add(sum: &mut Window, other: &Window) {
    let both = |one: Option<f64>, other: Option<f64>| Some(one? + other?);
    let greater = |one: Option<f64>, other: Option<f64>| match (one, other) {
        (Some(one), Some(other)) => Some(one.max(other)),
        (one, other) => one.or(other),
    };
    sum.timings.add(&other.timings);
    sum.requests += other.requests;
    sum.skipped += other.skipped;
    sum.offered_s = sum.offered_s.max(other.offered_s);
    sum.drained_s = sum.drained_s.max(other.drained_s);
    sum.offered_per_second = both(sum.offered_per_second, other.offered_per_second);
    for (kind, count) in &other.errors {
        *sum.errors.entry(kind.clone()).or_default() += count;
    }
    // Each shard is a client of its own; the server and its database are the same for all of them.
    sum.cpu.client_s = both(sum.cpu.client_s, other.cpu.client_s);
    sum.cpu.server_s = greater(sum.cpu.server_s, other.cpu.server_s);
    sum.cpu.database_s = greater(sum.cpu.database_s, other.cpu.database_s);
    sum.cpu.server_rss_bytes = sum.cpu.server_rss_bytes.max(other.cpu.server_rss_bytes);
    sum.invalid.extend(other.invalid.iter().cloned());
    if sum.series.len() < other.series.len() {
        sum.series.resize(other.series.len(), Second::default());
    }
    for (second, other) in sum.series.iter_mut().zip(&other.series) {
        second.p50_us = match (second.requests, other.requests) {
            (0, _) => other.p50_us,
            (_, 0) => second.p50_us,
            _ => None,
        };
        second.requests += other.requests;
        second.errors += other.errors;
        second.max_us = second.max_us.max(other.max_us);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::sample;

    /// Made once, since the sample is large.
    static ONE_WINDOW: LazyLock<Run> = LazyLock::new(|| {
        let mut run = sample::run();
        run.windows.truncate(1);
        run
    });

    /// A load of one window with these requests (due in which second, response in us, failed), as a shard or the whole.
    fn run(requests: &[(usize, u64, bool)], shard: Option<(u64, u64)>) -> Run {
        let mut run = ONE_WINDOW.clone();
        let mut window = run.windows.remove(0);
        window.timings = crate::run::Timings::default();
        (window.requests, window.skipped, window.drained_s) = (0, 0, 0.0);
        (window.series, window.errors, window.invalid) = (Vec::new(), BTreeMap::new(), Vec::new());
        window.offered_per_second = Some(30.0 / shard.map_or(1.0, |(_, of)| of as f64));
        window.cpu.client_s = Some(0.5);
        for &(second, us, failed) in requests {
            window.timings.response.record(Duration::from_micros(us));
            window.timings.lag.record(Duration::from_micros(us / 2));
            window.requests += 1;
            window.drained_s = window.drained_s.max(second as f64 + us as f64 / 1e6);
            if window.series.len() <= second {
                window.series.resize(second + 1, Second::default());
            }
            let of = &mut window.series[second];
            of.requests += 1;
            of.errors += u64::from(failed);
            of.max_us = of.max_us.max(us);
            if failed {
                *window.errors.entry("timeout".into()).or_default() += 1;
            }
        }
        run.windows = vec![window];
        run.complete = true;
        run.plan.shard = shard.map(|(index, of)| Shard {
            index,
            of,
            start_at: None,
            late_ms: None,
            plan_sha256: "one plan".into(),
        });
        run
    }

    fn shards(of: u64) -> Vec<Run> {
        (0..of).map(|index| run(&[(0, 100, false)], Some((index, of)))).collect()
    }

    fn refused(runs: Vec<Run>) -> String {
        merge(runs).expect_err("it is refused").to_string()
    }

    proptest! {
        // Histograms are large.
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn merged_shards_are_the_whole(
            requests in proptest::collection::vec((0..6_usize, 1..5_000_000_u64, any::<bool>()), 1..200),
            of in 1..9_u64,
        ) {
            let mut parts = vec![Vec::new(); usize::try_from(of).unwrap()];
            for (number, request) in requests.iter().enumerate() {
                let place = number % parts.len();
                parts[place].push(*request);
            }
            let shards = parts.iter().zip(0..).map(|(part, index)| run(part, Some((index, of)))).collect();
            let (merged, whole) = (merge(shards).unwrap(), run(&requests, None));
            let ([merged], [whole]) = (&merged.windows[..], &whole.windows[..]) else { panic!("one window each") };
            prop_assert_eq!(&merged.timings.response, &whole.timings.response);
            prop_assert_eq!(&merged.timings.lag, &whole.timings.lag);
            prop_assert_eq!(
                (merged.requests, &merged.errors, &merged.series, &merged.invalid),
                (whole.requests, &whole.errors, &whole.series, &whole.invalid)
            );
            prop_assert!((merged.drained_s - whole.drained_s).abs() < 1e-9);
            prop_assert!((merged.offered_per_second.unwrap() - 30.0).abs() < 1e-9);
            prop_assert!((merged.cpu.client_s.unwrap() - 0.5 * of as f64).abs() < 1e-9);
        }
    }

    #[test]
    fn what_does_not_belong_together_is_refused_with_both_values() {
        let mut seeds = shards(2);
        seeds[1].plan.seed = 8;
        assert!(refused(seeds).contains("differ in their seeds: 7 and 8"));
        let mut patience = shards(2);
        patience[1].plan.timeout_ms = 500;
        assert!(refused(patience).contains("timeouts (ms): 60000 and 500"));
        let mut versions = shards(2);
        versions[1].environment.callbench = "9.9.9".into();
        assert!(refused(versions).contains(" and 9.9.9"));
        let mut plans = shards(2);
        plans[1].plan.shard.as_mut().unwrap().plan_sha256 = "another".into();
        assert!(refused(plans).contains("one plan and another"));
        assert!(refused([shards(2), shards(3)].concat()).contains("numbers of shards: 2 and 3"));
    }

    #[test]
    fn a_missing_a_doubled_an_interrupted_and_a_whole_one_are_refused() {
        let mut few = shards(4);
        few.truncate(2);
        assert!(refused(few).contains("of 4 shards 2 are given; 2, 3 are missing"));
        assert!(refused([shards(2), shards(2)].concat()).contains("both shard 0 of 2"));
        let mut stopped = shards(2);
        stopped[1].complete = false;
        assert!(refused(stopped).contains("was interrupted"));
        assert!(refused(vec![run(&[], None)]).contains("is no shard"));
        assert_eq!(refused(Vec::new()), Error::Nothing.to_string());
    }
}
