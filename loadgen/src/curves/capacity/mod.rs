//! The highest rate at which objectives hold: a search ([`Search`]) over steps, each an open loop at one rate.

mod search;
mod step;

use std::sync::Arc;
use std::time::Duration;

use reports::curves::{End, Objective, Settings, Step, Verdict};
use reports::run::{OnOverload, Probes};
use tokio_util::sync::CancellationToken;

use crate::arrivals::{HIGHEST_PER_SECOND, Pattern, Process, Rate};
use crate::engine::{Engine, Traffic};
use crate::error::Error;
use crate::load::{Load, Open};
use crate::measure::{Halt, Session, Side};
use crate::observer::{Event, Observer};
use crate::plan::{Plan, Target};
use crate::scenarios::Scenario;

pub use search::{Search, Seeking, Trial};
use step::Offered;

/// A step is extended until it has enough requests to be judged, to at most so many times its length.
const LONGEST: u32 = 6;

/// The first rate, as a share of what one worker gets through one after another: low enough to hold.
const FIRST_SHARE: f64 = 0.1;

/// What is sought, and how.
#[derive(Debug, Clone)]
pub struct Sought {
    /// What is requested.
    pub scenario: Scenario,
    /// What has to hold; at least one.
    pub objectives: Vec<Objective>,
    /// The first rate per second; `None` for a tenth of what one worker gets through.
    pub from: Option<f64>,
    /// The highest rate per second to try; `None` for no limit.
    pub max: Option<f64>,
    /// The bounds are narrowed until `upper / lower <= 1 + precision`.
    pub precision: f64,
    /// Length of a step; one with too few requests to be judged lasts up to six times as long.
    pub step: Duration,
    /// Length of the step that confirms the answer.
    pub confirm: Duration,
    /// Length of the warm-up before each step, at its rate.
    pub warm_up: Duration,
    /// Most requests in flight.
    pub max_in_flight: usize,
    /// How arrivals are spread.
    pub process: Process,
    /// Rows per page.
    pub page_size: u32,
    /// The workspace under test, for the record.
    pub workspace: String,
    /// Seed of all arrivals and draws.
    pub seed: u64,
}

/// What a search has found.
#[derive(Debug, Clone)]
pub struct Found {
    /// How it was searched, with the rates that were chosen.
    pub settings: Settings,
    /// Every step.
    pub steps: Vec<Step>,
    /// The highest rate that held and below which nothing broke.
    pub lower: Option<f64>,
    /// The lowest rate that broke.
    pub upper: Option<f64>,
    /// Why it ended.
    pub end: End,
    /// What was sampled meanwhile.
    pub probes: Vec<Probes>,
    /// What a reader must know.
    pub warnings: Vec<String>,
}

/// Somebody who watches a search.
pub trait Progress: Observer {
    /// A step begins, of so long.
    fn trying(&self, trial: &Trial, length: Duration);
    /// A step is over.
    fn tried(&self, step: &Step);
}

/// Searches. Returns soon after `stop` is cancelled, with the bounds that were known by then.
pub async fn capacity(
    sought: &Sought,
    target: &Target,
    progress: &dyn Progress,
    stop: CancellationToken,
) -> Result<Found, Error> {
    let plan = sought.plan()?;
    let targets = [target.clone()];
    let mut session = Session::new(&plan, &targets, progress, stop.child_token())?;
    let mut climb = Climb { sought, progress, settings: sought.settings(), search: None, steps: Vec::new() };
    let end = match climb.carry_out(&mut session).await {
        Ok(end) => end,
        Err(Halt::Stopped) => End::Interrupted,
        Err(Halt::Failed(error)) => return Err(error),
    };
    let bounds = climb.search.as_ref();
    Ok(Found {
        settings: climb.settings,
        lower: bounds.and_then(Search::lower),
        upper: bounds.and_then(Search::upper),
        steps: climb.steps,
        end,
        probes: session.measured.probes,
        warnings: session.measured.warnings,
    })
}

impl Sought {
    /// The plan of the session around the search, which has no rate of its own yet.
    fn plan(&self) -> Result<Plan, Error> {
        let wrong = |what: &str| Err(Error::Plan { what: what.to_owned() });
        let check = |pattern: Pattern| pattern.check().map_err(|what| Error::Plan { what });
        if self.objectives.is_empty() {
            return wrong("it has no objective, and any rate holds without one");
        }
        if !(0.001..=10.0).contains(&self.precision) {
            return wrong("its precision lies outside of 0.1 % to 1000 %");
        }
        if self.confirm.is_zero() {
            return wrong("its confirmation lasts 0 s");
        }
        let pattern = |rate| Pattern::Drawn { rate: Rate::constant(rate), process: self.process };
        for rate in [self.from, self.max].into_iter().flatten() {
            check(pattern(rate))?;
        }
        let open = Open {
            pattern: pattern(1.0),
            on_overload: OnOverload::Offer,
            ..Open::constant(1.0, self.max_in_flight)
        };
        let plan = Plan {
            scenarios: vec![self.scenario.clone()],
            rounds: 1,
            window: self.step,
            warm_up: self.warm_up,
            load: Load::Open(open),
            page_size: self.page_size,
            workspace: self.workspace.clone(),
            seed: self.seed,
            ..Plan::default()
        };
        plan.validate()?;
        Ok(plan)
    }

    /// As far as they are known before the target is.
    fn settings(&self) -> Settings {
        Settings {
            from_per_second: self.from.unwrap_or(0.0),
            max_per_second: self.max.unwrap_or(HIGHEST_PER_SECOND),
            precision: self.precision,
            step_s: self.step.as_secs_f64(),
            confirm_s: self.confirm.as_secs_f64(),
            warm_up_s: self.warm_up.as_secs_f64(),
            max_in_flight: self.max_in_flight,
            process: match self.process {
                Process::Constant => reports::run::Process::Constant,
                Process::Poisson => reports::run::Process::Poisson,
            },
            seed: self.seed,
        }
    }

    /// Requests that a step is to hold: enough for every objective, and for the wavering of Poisson arrivals (four standard
    /// deviations of their count).
    fn enough(&self) -> f64 {
        let needed = self.objectives.iter().map(Objective::needed_requests).max().unwrap_or(1) as f64;
        needed + 4.0 * needed.sqrt()
    }

    /// How long a step of at least `usual` lasts at a rate.
    fn length(&self, rate: f64, usual: Duration) -> Duration {
        usual.max(Duration::from_secs_f64(
            (self.enough() / rate).min(usual.as_secs_f64() * f64::from(LONGEST)),
        ))
    }

    /// The lowest rate at which the longest step holds enough requests.
    fn lowest(&self) -> f64 {
        self.enough() / (self.step.as_secs_f64() * f64::from(LONGEST))
    }
}

/// A search under way.
struct Climb<'a> {
    sought: &'a Sought,
    progress: &'a dyn Progress,
    settings: Settings,
    search: Option<Search>,
    steps: Vec<Step>,
}

impl Climb<'_> {
    async fn carry_out(&mut self, session: &mut Session<'_>) -> Result<End, Halt> {
        let targets = session.targets;
        let target = &targets[0];
        let mut side = session.side(target).await?;
        // Nothing is counted here, and a connection less is one that the target may have.
        side.statements = None;
        let traffic = session.prepare(target, &self.sought.scenario).await?;
        let sampler = session.look_on(std::slice::from_ref(&side)).await?;
        let mut engine = Engine::start(
            &target.base_url,
            self.sought.max_in_flight,
            session.plan.timeout,
            session.stop.clone(),
        )
        .await?;
        let climbed = self.climb(session, &mut engine, &traffic, &side).await;
        session.look_away(sampler).await;
        match climbed {
            Ok(end) => {
                session.close_the_books(engine).await?;
                Ok(end)
            }
            Err(halt) => {
                engine.abandon().await;
                Err(halt)
            }
        }
    }

    async fn climb(
        &mut self,
        session: &mut Session<'_>,
        engine: &mut Engine,
        traffic: &Arc<Traffic>,
        side: &Side,
    ) -> Result<End, Halt> {
        let targets = session.targets;
        let (subject, scenario) = (&targets[0].subject.name, &self.sought.scenario.name);
        self.progress.on(&Event::Warming { subject, operation: scenario });
        let mean_service = session.warm_up(engine, subject, scenario, traffic).await?;
        let mut search = Search::new(self.seeking(session, mean_service)?);
        let end = loop {
            self.search = Some(search.clone());
            let trial = match search.next() {
                Ok(trial) => trial,
                Err(end) => break end,
            };
            let step = self.step(session, engine, traffic, side, trial).await?;
            self.progress.tried(&step);
            search.tell(trial, step.verdict);
            self.steps.push(step);
        };
        Ok(end)
    }

    /// The limits of the search, given how long a request takes that is alone.
    fn seeking(&mut self, session: &mut Session<'_>, mean_service: Duration) -> Result<Seeking, Error> {
        let (lowest, max) = (self.sought.lowest(), self.settings.max_per_second);
        if max < lowest {
            return Err(Error::Plan {
                what: format!(
                    "its highest rate is {max}/s, and its steps hold enough requests to be judged from {lowest:.2}/s on: \
                     make the steps longer"
                ),
            });
        }
        let alone = 1.0 / mean_service.as_secs_f64().max(1e-6);
        if let Some(from) = self.sought.from.filter(|from| *from < lowest) {
            session.warn(format!(
                "the search begins at {lowest:.2}/s instead of {from}/s, at which a step holds too few requests to be judged"
            ));
        }
        let from = self.sought.from.unwrap_or(alone * FIRST_SHARE).max(lowest).min(max);
        self.settings.from_per_second = from;
        Ok(Seeking { from, lowest, max, precision: self.sought.precision })
    }

    async fn step(
        &self,
        session: &mut Session<'_>,
        engine: &mut Engine,
        traffic: &Arc<Traffic>,
        side: &Side,
        trial: Trial,
    ) -> Result<Step, Halt> {
        let usual = match trial.stage {
            reports::curves::Stage::Confirming => self.sought.confirm.max(self.sought.step),
            _ => self.sought.step,
        };
        let length = self.sought.length(trial.rate, usual);
        // A step that held too few requests is tried again with twice as many.
        let again = self.steps.last().is_some_and(|step| step.verdict == Verdict::TooFewRequests);
        let length = if again { length * 2 } else { length };
        self.progress.trying(&trial, length);
        let offered = Offered {
            trial,
            process: self.sought.process,
            warm_up: self.sought.warm_up,
            length,
            number: u32::try_from(self.steps.len()).unwrap_or(u32::MAX).saturating_add(1),
        };
        step::run(session, engine, traffic, side, &offered, &self.sought.objectives).await
    }
}
