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
        let start = |shard: &Shard| {
            shard.start_at.map_or_else(|| "none".to_owned(), |moment| format!("{}", moment.to_rfc3339()))
        };
        let server = |run: &Run| {
            run.subjects.iter().map(|subject| subject.description.as_str()).collect::<Vec<_>>().join(", ")
        };
        same("versions of callbench", &one.environment.callbench, &other.environment.callbench)?;
        same("numbers of shards", &first.of, &shard.of)?;
        same("seeds", &one.plan.seed, &other.plan.seed)?;
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
            match merged.iter().position(|known| key(known) == key(&window)) {
                Some(place) => {
                    add(&mut merged[place], &window);
                    *counts.entry(place).or_default() += 1;
                }
                None => {
                    counts.insert(merged.len(), 1);
                    merged.push(window);
                }
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
            _ => 0,
        };
        second.requests += other.requests;
        second.errors += other.errors;
        second.max_us = second.max_us.max(other.max_us);
    }
}
