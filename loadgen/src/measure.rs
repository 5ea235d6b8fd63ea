//! The walk of a measurement: look at every target, prepare every scenario on each, compare what they return, then warm up and
//! count one after the other, and then the rounds.
//!
//! The coordinator does everything in turn, so that nothing else runs while a window is open. What was measured up to
//! a stop is returned, marked as incomplete.

use std::sync::Arc;
use std::time::{Duration, Instant};

use reports::run::{Check, Probes, Window, Work};
use reqwest::Client;
use tokio_util::sync::CancellationToken;

use crate::engine::{Component, Engine, REQUEST_TIMEOUT, Traffic};
use crate::error::Error;
use crate::load::Load;
use crate::observer::{Event, Observer};
use crate::operations;
use crate::plan::{Plan, Target};
use crate::probes::{self, CpuMeter, Latest, Sampler, StatementProbe, Watched};
use crate::rounds::{self, Offer};
use crate::scenarios::Scenario;

mod compare;
mod count;
mod follow;
mod warm_up;
mod window;

pub(crate) use window::LEAD;

/// What a measurement leaves behind.
#[derive(Debug, Default)]
pub struct Measured {
    /// Every window, in the order in which they ran.
    pub windows: Vec<Window>,
    /// Counted work per target and operation; absent where the database could not be asked.
    pub work: Vec<Work>,
    /// What was sampled meanwhile, per target; empty without [`Plan::probes`].
    pub probes: Vec<Probes>,
    /// Whether the targets return the same rows, one check per operation; none for a single target.
    pub checks: Vec<Check>,
    /// What a reader must know.
    pub warnings: Vec<String>,
    /// How many milliseconds after [`Plan::start_at`] the first window opened, by the clock; `None` without one.
    pub late_ms: Option<f64>,
    /// False when the measurement was stopped.
    pub complete: bool,
}

/// Carries out a plan. Returns soon after `stop` is cancelled, with what was measured until then; whatever is in
/// flight then is dropped, and no task or thread is left behind.
pub async fn measure(
    plan: &Plan,
    targets: &[Target],
    observer: &dyn Observer,
    stop: CancellationToken,
) -> Result<Measured, Error> {
    plan.validate()?;
    check_targets(targets)?;
    // A token of its own, which also ends when goose's kill switch is pulled or this future is dropped.
    let stop = stop.child_token();
    let mut session = Session::new(plan, targets, observer, stop)?;
    let complete = match session.carry_out().await {
        Ok(()) => true,
        Err(Halt::Stopped) => false,
        Err(Halt::Failed(error)) => return Err(error),
    };
    for sentence in rounds::shortfalls(&session.measured.windows) {
        session.warn(sentence);
    }
    let mut measured = session.measured;
    rounds::mark_untrustworthy(&mut measured.windows);
    measured.complete = complete;
    Ok(measured)
}

fn check_targets(targets: &[Target]) -> Result<(), Error> {
    let wrong = |what: String| Err(Error::Plan { what });
    if targets.is_empty() {
        return wrong("it has no target".to_owned());
    }
    for (index, target) in targets.iter().enumerate() {
        target.list_url()?;
        if targets[..index].iter().any(|other| other.subject.name == target.subject.name) {
            return wrong(format!("two targets are called `{}`", target.subject.name));
        }
    }
    Ok(())
}

/// Why a measurement ends before its end.
pub(crate) enum Halt {
    Stopped,
    Failed(Error),
}

impl From<Error> for Halt {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// A measurement under way.
pub(crate) struct Session<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) targets: &'a [Target],
    pub(crate) observer: &'a dyn Observer,
    pub(crate) stop: CancellationToken,
    /// The coordinator's own connections, so that its requests leave those of the workers as they are.
    client: Client,
    pub(crate) started: Instant,
    /// What the probes see meanwhile; `None` while nothing is sampled.
    latest: Option<Latest>,
    /// Requests in all windows.
    pub(crate) recorded: u64,
    pub(crate) measured: Measured,
}

/// What is known of a target's side.
pub(crate) struct Side {
    pub(crate) meter: CpuMeter,
    pub(crate) statements: Option<StatementProbe>,
}

/// One scenario on one target, ready to be measured.
struct Lane {
    traffic: Arc<Traffic>,
    offer: Offer,
    mean_service: Duration,
}

impl<'a> Session<'a> {
    pub(crate) fn new(
        plan: &'a Plan,
        targets: &'a [Target],
        observer: &'a dyn Observer,
        stop: CancellationToken,
    ) -> Result<Self, Error> {
        Ok(Self {
            plan,
            targets,
            observer,
            stop,
            client: operations::client(REQUEST_TIMEOUT)?,
            started: Instant::now(),
            latest: None,
            recorded: 0,
            measured: Measured::default(),
        })
    }

    async fn carry_out(&mut self) -> Result<(), Halt> {
        // All looks come before the first load, so that a wrong URL or token is known at once.
        let mut sides = Vec::new();
        for target in self.targets {
            sides.push(self.side(target).await?);
        }
        let mut all: Vec<Vec<Arc<Traffic>>> = Vec::new();
        for target in self.targets {
            let mut of_target = Vec::new();
            for scenario in &self.plan.scenarios {
                of_target.push(self.prepare(target, scenario).await?);
            }
            all.push(of_target);
        }
        for (index, scenario) in self.plan.scenarios.iter().enumerate() {
            for (place, part) in scenario.parts.iter().enumerate() {
                let seen: Vec<_> =
                    all.iter().map(|traffic| traffic[index].parts[place].prepared.seen()).collect();
                self.compare(&scenario.name_of(part), &seen).await?;
            }
        }

        let workers = self.plan.workers();
        let mut engine =
            Engine::start(&self.targets[0].base_url, workers, self.plan.timeout, self.stop.clone()).await?;
        match self.put_under_load(&mut engine, &mut sides, all).await {
            Ok(()) => self.close_the_books(engine).await,
            Err(halt) => {
                engine.abandon().await;
                Err(halt)
            }
        }
    }

    pub(crate) async fn prepare(
        &mut self,
        target: &Target,
        scenario: &Scenario,
    ) -> Result<Arc<Traffic>, Halt> {
        let subject = &target.subject.name;
        let mut parts = Vec::new();
        for part in &scenario.parts {
            let operation = scenario.name_of(part);
            self.observer.on(&Event::Preparing { subject, operation: &operation });
            let prepared = self.unless_stopped(part.operation.prepare(&self.client, target)).await??;
            let name = format!("{subject}.{operation}");
            parts.push((Component { operation, name, prepared }, part.weight));
        }
        Ok(Arc::new(Traffic::new(parts)))
    }

    /// Makes ready what so many requests use up.
    pub(crate) async fn provide(&self, traffic: &Traffic, requests: u64) -> Result<(), Halt> {
        for (part, share) in traffic.shares() {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a count of requests, with room"
            )]
            let requests = (requests as f64 * share).ceil() as u64;
            self.unless_stopped(part.prepared.provide(&self.client, requests)).await??;
        }
        Ok(())
    }

    async fn put_under_load(
        &mut self,
        engine: &mut Engine,
        sides: &mut [Side],
        all: Vec<Vec<Arc<Traffic>>>,
    ) -> Result<(), Halt> {
        let mut lanes = Vec::new();
        for ((target, side), traffic) in self.targets.iter().zip(&mut *sides).zip(all) {
            let mut of_target = Vec::new();
            for (scenario, traffic) in self.plan.scenarios.iter().zip(traffic) {
                of_target.push(self.lane(engine, &target.subject.name, scenario, traffic, side).await?);
            }
            lanes.push(of_target);
        }
        let sampler = self.look_on(sides).await?;
        let outcome = self.measure_rounds(engine, sides, &lanes).await;
        self.look_away(sampler).await;
        outcome
    }

    /// Samples the targets from now on, and tells what is seen with each second, until [`Self::look_away`].
    pub(crate) async fn look_on(&mut self, sides: &[Side]) -> Result<Option<Sampler>, Halt> {
        let sampler = self.sampler(sides).await?;
        self.latest = sampler.as_ref().map(Sampler::latest);
        Ok(sampler)
    }

    /// Ends that, and keeps what was seen.
    pub(crate) async fn look_away(&mut self, sampler: Option<Sampler>) {
        let Some(sampler) = sampler else { return };
        let findings = sampler.finish().await;
        self.measured.probes = findings.probes;
        findings.warnings.into_iter().for_each(|sentence| self.warn(sentence));
    }

    /// Starts to sample beside the windows, on the clock of [`Window::opened_s`].
    async fn sampler(&self, sides: &[Side]) -> Result<Option<Sampler>, Halt> {
        if !self.plan.probes {
            return Ok(None);
        }
        let watched = self.targets.iter().zip(sides).map(|(target, side)| Watched {
            subject: target.subject.name.clone(),
            database_url: target.database_url.clone(),
            meter: side.meter,
        });
        let starting = Sampler::start(watched.collect(), self.started, probes::PERIOD);
        self.unless_stopped(starting).await.map(Some)
    }

    /// Warms a scenario up on a target, derives the offer from that, and counts its work.
    async fn lane(
        &mut self,
        engine: &mut Engine,
        subject: &str,
        scenario: &Scenario,
        traffic: Arc<Traffic>,
        side: &mut Side,
    ) -> Result<Lane, Halt> {
        self.observer.on(&Event::Warming { subject, operation: &scenario.name });
        let mean_service = self.warm_up(engine, subject, &scenario.name, &traffic).await?;
        let offer = rounds::offer(
            &self.plan.load,
            scenario,
            self.plan.window,
            self.plan.longest_window,
            mean_service,
        );
        let lane = Lane { traffic, offer, mean_service };
        self.warn_of_reduced_rate(subject, &scenario.name, &lane);
        // Counters around requests would count those of the other shards too.
        if let (Some(probe), None) = (&mut side.statements, self.plan.shard) {
            for component in &lane.traffic.parts {
                self.observer.on(&Event::Counting { subject, operation: &component.operation });
                self.count(probe, subject, component, mean_service).await?;
            }
        }
        Ok(lane)
    }

    /// Each target and operation once a round, the control target twice.
    async fn measure_rounds(
        &mut self,
        engine: &mut Engine,
        sides: &[Side],
        lanes: &[Vec<Lane>],
    ) -> Result<(), Halt> {
        let controls: Vec<bool> = self.targets.iter().map(|target| target.control).collect();
        let mut number = 0;
        for round in 1..=self.plan.rounds {
            for slot in rounds::order(self.plan.seed, round, self.plan.scenarios.len(), &controls) {
                number += 1;
                let lane = &lanes[slot.target][slot.operation];
                self.window(engine, round, number, slot, lane, &sides[slot.target].meter).await?;
            }
        }
        Ok(())
    }

    /// Goose counts as well; a difference would mean that a sample was lost on the way.
    pub(crate) async fn close_the_books(&mut self, engine: Engine) -> Result<(), Halt> {
        let recorded = self.recorded;
        let counted = self.unless_stopped(engine.finish()).await??;
        if counted != recorded {
            self.warn(format!(
                "goose counted {counted} requests and the histograms hold {recorded}; samples were lost"
            ));
        }
        Ok(())
    }

    /// Connects the probes of a target. A database that can't be reached is an error, since its URL was given; one
    /// that doesn't count is a warning.
    pub(crate) async fn side(&mut self, target: &Target) -> Result<Side, Halt> {
        let Some(url) = &target.database_url else {
            return Ok(Side { meter: CpuMeter::new(target.server_pid, None), statements: None });
        };
        let subject = &target.subject.name;
        let database = |source| Error::Database { subject: subject.clone(), source };
        let mut connection = self.unless_stopped(crate::probes::connect(url)).await?.map_err(database)?;
        let postmaster = self.unless_stopped(crate::probes::postmaster_pid(&mut connection)).await?;
        let meter = CpuMeter::new(target.server_pid, postmaster.map_err(database)?);
        let statements = match self.unless_stopped(StatementProbe::new(connection)).await? {
            Ok(probe) => Some(probe),
            Err(reason) => {
                self.warn(format!("the work of `{subject}` in the database is not counted: {reason}"));
                None
            }
        };
        Ok(Side { meter, statements })
    }

    fn warn_of_reduced_rate(&mut self, subject: &str, operation: &str, lane: &Lane) {
        let Load::Open(open) = &self.plan.load else { return };
        if let (true, Some(rate)) = (lane.offer.reduced, lane.offer.rate_per_second()) {
            let asked = open.pattern.mean_per_second(self.plan.window);
            let service_ms = lane.mean_service.as_secs_f64() * 1e3;
            self.warn(format!(
                "`{subject}` takes {service_ms:.0} ms for {operation} and was offered {rate:.2} requests/s instead of \
                 {asked}, half of what it can answer one after another: its figures are those of a lighter traffic, \
                 which flatters it"
            ));
        }
    }

    pub(crate) fn warn(&mut self, sentence: String) {
        self.observer.on(&Event::Warning { sentence: &sentence });
        self.measured.warnings.push(sentence);
    }

    async fn unless_stopped<F: Future>(&self, future: F) -> Result<F::Output, Halt> {
        self.stop.run_until_cancelled(future).await.ok_or(Halt::Stopped)
    }
}
