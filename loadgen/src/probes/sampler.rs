//! Looks at databases and processes once a second while windows run.
//!
//! It has a thread and a runtime of its own, so that none of its work stands in the way of a request. Each database has a
//! task and a connection of its own, and a slow one delays no other. A sample that takes longer than the period makes the
//! next one fall out; samples never pile up. Whatever goes wrong here becomes a sentence for the reader, never the end of
//! a run.

use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use reports::run::{DatabaseSample, Probes, ProcessSample};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::database::DatabaseProbes;
use super::gauge::Gauge;
use super::latest::Latest;
use super::machine::{Machine, Parties};
use super::process::CpuMeter;

/// The time between two samples.
pub const PERIOD: Duration = Duration::from_secs(1);

/// What is sampled for one subject.
#[derive(Debug, Clone)]
pub struct Watched {
    /// [`reports::run::Subject::name`].
    pub subject: String,
    /// Its database; `None` leaves the database out.
    pub database_url: Option<String>,
    /// The meter that knows its processes.
    pub meter: CpuMeter,
}

/// Sampling under way. It ends with this value; [`Sampler::finish`] has what was seen.
#[derive(Debug)]
pub struct Sampler {
    done: CancellationToken,
    abandoned: CancellationToken,
    findings: Option<oneshot::Receiver<Findings>>,
    thread: Option<JoinHandle<()>>,
    failure: Option<String>,
    latest: Latest,
}

/// What was seen, and what a reader must know of it.
#[derive(Debug, Default)]
pub struct Findings {
    /// One entry per subject, in the order in which they were given.
    pub probes: Vec<Probes>,
    /// Sentences on what is absent or incomplete.
    pub warnings: Vec<String>,
}

/// When samples are due: whole periods since the start of the run.
#[derive(Debug, Clone, Copy)]
struct Clock {
    started: Instant,
    period: Duration,
}

impl Sampler {
    /// Starts to sample every `period` of the clock that began at `started`, and returns after the first samples, from
    /// which counters are counted.
    pub async fn start(watched: Vec<Watched>, started: Instant, period: Duration) -> Self {
        let (done, abandoned) = (CancellationToken::new(), CancellationToken::new());
        let (report, findings) = oneshot::channel();
        let (ready, mut all_ready) = mpsc::channel::<()>(1);
        let clock = Clock { started, period };
        let latest = Latest::new(watched.len());
        let mut sampler = Self {
            done: done.clone(),
            abandoned: abandoned.clone(),
            findings: Some(findings),
            thread: None,
            failure: None,
            latest: latest.clone(),
        };
        let spawned = runtime().and_then(|runtime| {
            thread::Builder::new().name("probes".to_owned()).spawn(move || {
                let seen = abandoned.run_until_cancelled(watch(watched, clock, done, ready, latest));
                if let Some(findings) = runtime.block_on(seen) {
                    // Nobody listens any more when the run was given up meanwhile.
                    let _ = report.send(findings);
                }
                runtime.shutdown_background();
            })
        });
        match spawned {
            Ok(thread) => {
                sampler.thread = Some(thread);
                // Each task lets its end of the channel go when it has its first sample.
                let _ = all_ready.recv().await;
            }
            Err(error) => sampler.failure = Some(error.to_string()),
        }
        sampler
    }

    /// The samples as they come.
    pub(crate) fn latest(&self) -> Latest {
        self.latest.clone()
    }

    /// Takes the last samples and returns all.
    pub async fn finish(mut self) -> Findings {
        self.done.cancel();
        if let Some(reason) = self.failure.take() {
            return Findings {
                probes: Vec::new(),
                warnings: vec![format!("nothing was sampled meanwhile: {reason}")],
            };
        }
        let Some(findings) = self.findings.take() else { return Findings::default() };
        findings.await.unwrap_or_else(|_| Findings {
            probes: Vec::new(),
            warnings: vec![
                "the samples of database and machine are lost: their thread ended early".to_owned(),
            ],
        })
    }
}

impl Drop for Sampler {
    fn drop(&mut self) {
        self.abandoned.cancel();
        if let Some(thread) = self.thread.take() {
            // It waits for nothing but the token; a panic in it has already cost the findings and been told.
            let _ = thread.join();
        }
    }
}

fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

impl Clock {
    fn now_s(self) -> f64 {
        // To the millisecond, which is more than the figures know.
        (self.started.elapsed().as_secs_f64() * 1e3).round() / 1e3
    }

    /// Ticks at whole periods; those that pass while a sample is taken fall out.
    fn ticks(self) -> tokio::time::Interval {
        let passed = self.periods();
        let first = self.started + self.period * u32::try_from(passed + 1).unwrap_or(u32::MAX);
        let mut ticks = tokio::time::interval_at(first.into(), self.period);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        ticks
    }

    /// Whole periods since the start.
    fn periods(self) -> u64 {
        let periods = self.started.elapsed().as_nanos() / self.period.as_nanos().max(1);
        u64::try_from(periods).unwrap_or(u64::MAX)
    }
}

/// Everything, until it is done.
async fn watch(
    watched: Vec<Watched>,
    clock: Clock,
    done: CancellationToken,
    ready: mpsc::Sender<()>,
    latest: Latest,
) -> Findings {
    let mut databases = JoinSet::new();
    for (place, watched) in watched.iter().enumerate() {
        let Some(url) = watched.database_url.clone() else { continue };
        let (done, ready, latest) = (done.clone(), ready.clone(), latest.clone());
        let subject = watched.subject.clone();
        databases.spawn(async move {
            let told = |sample: &DatabaseSample| latest.add_database(place, Instant::now(), sample);
            (place, watch_database(&subject, &url, clock, &done, ready, told).await)
        });
    }
    let (machine, seen_processes) = watch_machine(&watched, clock, &done, ready, &latest).await;
    let mut probes: Vec<Probes> = watched
        .iter()
        .zip(seen_processes)
        .map(|(watched, processes)| Probes {
            subject: watched.subject.clone(),
            processes,
            ..Probes::default()
        })
        .collect();
    let mut warnings = Vec::new();
    while let Some(ended) = databases.join_next().await {
        match ended {
            Ok((place, (seen, sentences))) => {
                let processes = std::mem::take(&mut probes[place].processes);
                probes[place] = Probes { processes, ..seen };
                warnings.extend(sentences);
            }
            Err(error) => warnings.push(format!("the samples of a database are lost: {error}")),
        }
    }
    for (watched, probes) in watched.iter().zip(&mut probes) {
        probes.costs.extend(machine.clone());
        let seen = probes.processes.iter().any(|sample| sample.database.is_some());
        if watched.database_url.is_some() && !seen {
            warnings.push(format!(
                "CPU and memory of the database of `{}` are not sampled: its processes can't be seen from here",
                watched.subject
            ));
        }
    }
    Findings { probes, warnings }
}

/// Samples one database until it is done, with a last sample then.
async fn watch_database(
    subject: &str,
    url: &str,
    clock: Clock,
    done: &CancellationToken,
    ready: mpsc::Sender<()>,
    told: impl Fn(&DatabaseSample),
) -> (Probes, Vec<String>) {
    let mut probes = DatabaseProbes::new(url);
    let mut seen = Probes { subject: subject.to_owned(), ..Probes::default() };
    let mut losses = Losses::default();
    let mut ready = Some(ready);
    let mut last = clock.periods();
    let mut ticks = clock.ticks();
    loop {
        let ends = done.is_cancelled();
        match probes.sample(clock.now_s()).await {
            Ok(sample) => {
                told(&sample);
                seen.database.push(sample);
            }
            Err(error) => {
                losses.add(&error);
                seen.skipped += 1;
            }
        }
        drop(ready.take());
        if ends {
            break;
        }
        tokio::select! {
            () = done.cancelled() => {}
            _ = ticks.tick() => {}
        }
        let now = clock.periods();
        seen.skipped += now.saturating_sub(last + 1);
        last = now;
    }
    let subject = format!("`{subject}`");
    let mut warnings: Vec<String> =
        probes.absences().into_iter().map(|absence| format!("{subject}: {absence}")).collect();
    warnings.extend(losses.sentence(&subject, seen.database.len()));
    seen.costs = probes.costs();
    seen.worst_wait = probes.worst_wait;
    (seen, warnings)
}

/// Samples that a database did not give.
#[derive(Debug, Default)]
struct Losses {
    number: u64,
    first: String,
}

impl Losses {
    fn add(&mut self, error: &sqlx::Error) {
        if self.number == 0 {
            self.first = error.to_string();
        }
        self.number += 1;
    }

    fn sentence(&self, subject: &str, left: usize) -> Option<String> {
        (self.number > 0).then(|| {
            format!(
                "{} of {} samples of the database of {subject} failed and are missing; the first: {}",
                self.number,
                self.number + left as u64,
                self.first
            )
        })
    }
}

/// Samples the processes until it is done, with a last sample then: the cost for each subject, and the samples of each.
async fn watch_machine(
    watched: &[Watched],
    clock: Clock,
    done: &CancellationToken,
    ready: mpsc::Sender<()>,
    latest: &Latest,
) -> (Option<reports::run::ProbeCost>, Vec<Vec<ProcessSample>>) {
    let parties: Vec<Parties> = watched.iter().map(|watched| watched.meter.parties()).collect();
    let mut machine = Machine::new(parties);
    let mut gauge = Gauge::new("/proc");
    let mut seen = vec![Vec::new(); watched.len()];
    let mut ready = Some(ready);
    let mut ticks = clock.ticks();
    loop {
        let ends = done.is_cancelled();
        let began = Instant::now();
        let at_s = clock.now_s();
        // Reading files blocks, and the statements of the databases are timed on this thread.
        let looked = tokio::task::spawn_blocking(move || {
            let samples = machine.look(at_s);
            (machine, samples)
        });
        let Ok((back, samples)) = looked.await else { break };
        machine = back;
        let any = |sample: &ProcessSample| sample.client.or(sample.server).or(sample.database).is_some();
        if samples.iter().any(any) {
            gauge.add(began);
            for (place, (of_subject, sample)) in seen.iter_mut().zip(samples).enumerate() {
                latest.add_processes(place, Instant::now(), &sample);
                of_subject.push(sample);
            }
        }
        drop(ready.take());
        if ends {
            break;
        }
        tokio::select! {
            () = done.cancelled() => {}
            _ = ticks.tick() => {}
        }
    }
    // One look serves all subjects, so each bears its share.
    let share = watched.len().max(1) as f64;
    let cost = gauge.cost().map(|mut cost| {
        cost.own_ms /= share;
        cost
    });
    (cost, seen)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_are_told_in_one_sentence_with_the_first_reason() {
        let mut losses = Losses::default();
        assert_eq!(losses.sentence("`live`", 30), None);
        losses.add(&sqlx::Error::Protocol("gone".to_owned()));
        losses.add(&sqlx::Error::PoolClosed);
        let sentence = losses.sentence("`live`", 28).unwrap();
        assert!(sentence.starts_with("2 of 30 samples of the database of `live` failed"), "{sentence}");
        assert!(sentence.contains("gone"), "{sentence}");
    }
}
