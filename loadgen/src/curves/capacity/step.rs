//! One step: a rate is offered, and what became of it is judged.

use std::sync::Arc;
use std::time::{Duration, Instant};

use reports::curves::{Held, Objective, Step, Verdict};
use reports::run::{CpuCost, WhenBusy, Window};

use super::Trial;
use crate::arrivals::{Pattern, Process, Rate};
use crate::engine::{Ended, Engine, Loop, Schedule, Stage, Traffic};
use crate::measure::{Halt, LEAD, Session, Side};
use crate::observer::{Event, Position};
use crate::plan::{Plan, Target};
use crate::recorder::Recording;
use crate::rounds;

/// A step whose queue has grown for so many times its length is given up: what is still due by then is never sent. Twice the
/// rate that a target can answer takes twice the length of the step to drain, and the ladder goes no further than that.
const PATIENCE: f64 = 2.5;

/// And at least so much longer.
const GRACE: Duration = Duration::from_secs(1);

/// More is provided than the schedule will use up: the counts of Poisson arrivals waver.
const SPARE: f64 = 1.3;

/// What one step offers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Offered {
    pub(super) trial: Trial,
    pub(super) process: Process,
    pub(super) warm_up: Duration,
    pub(super) length: Duration,
    /// Number of the step, from 1, which decides the seed of its arrivals.
    pub(super) number: u32,
}

/// What came of a stage.
struct Ran {
    opened: Instant,
    recording: Recording,
    cpu: CpuCost,
    unsent: u64,
}

/// Warms up at the rate of the step, waits until all of that is answered, and offers the rate on a schedule of its own: no
/// backlog gets from one step into another, nor from a warm-up into what is measured.
pub(super) async fn run(
    session: &mut Session<'_>,
    engine: &mut Engine,
    traffic: &Arc<Traffic>,
    side: &Side,
    offered: &Offered,
    objectives: &[Objective],
) -> Result<Step, Halt> {
    if !offered.warm_up.is_zero() {
        stage(session, engine, traffic, side, offered, offered.warm_up, false).await?;
    }
    let position = position(session, offered.number);
    session.observer.on(&Event::WindowStarted { window: position });
    let ran = stage(session, engine, traffic, side, offered, offered.length, true).await?;
    session.recorded += ran.recording.requests;
    let window = window(session, offered, ran.opened, ran.recording, ran.cpu);
    session.observer.on(&Event::WindowFinished {
        window: position,
        requests: window.requests,
        errors: window.errors.values().sum(),
        p50_us: window.timings.response.quantile_us(0.5),
        p99_us: window.timings.response.quantile_us(0.99),
    });
    Ok(judged(window, ran.unsent, offered.trial, objectives))
}

/// Which window of the search a step is.
fn position<'a>(session: &Session<'a>, number: u32) -> Position<'a> {
    let (plan, targets): (&'a Plan, &'a [Target]) = (session.plan, session.targets);
    Position {
        round: number,
        rounds: None,
        number: number as usize,
        windows: None,
        subject: &targets[0].subject.name,
        operation: &plan.scenarios[0].name,
        pass: 1,
    }
}

async fn stage(
    session: &Session<'_>,
    engine: &mut Engine,
    traffic: &Arc<Traffic>,
    side: &Side,
    offered: &Offered,
    length: Duration,
    is_measured: bool,
) -> Result<Ran, Halt> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a count of requests, with room"
    )]
    let expected = (offered.trial.rate * length.as_secs_f64() * SPARE).ceil() as u64 + 10;
    session.provide(traffic, expected).await?;
    let seed = rounds::arrival_seed(session.plan.seed, offered.number, 0, u32::from(is_measured));
    let pattern = Pattern::Drawn { rate: Rate::constant(offered.trial.rate), process: offered.process };
    let before = side.meter.read();
    let opened = Instant::now() + LEAD;
    let arrivals = pattern.arrivals(length, seed);
    let schedule = Schedule::new(opened, arrivals.clone(), WhenBusy::Queue, engine.pacer());
    let turns = Loop::Open(schedule, Vec::new());
    let new = if is_measured { Stage::measured } else { Stage::warm_up };
    let stage = Arc::new(new(Arc::clone(traffic), seed, turns, opened));
    let give_up = async {
        tokio::time::sleep_until((opened + length.mul_f64(PATIENCE) + GRACE).into()).await;
        stage.close();
        std::future::pending::<()>().await;
    };
    let mut following = is_measured
        .then(|| session.follow(&stage, position(session, offered.number), 0, length, Some(arrivals)));
    let told = async {
        match &mut following {
            Some(following) => following.each_second().await,
            None => std::future::pending().await,
        }
    };
    let ended = tokio::select! {
        biased;
        ended = engine.run(&stage) => ended?,
        () = give_up => Ended::Stopped,
        never = told => match never {},
    };
    let mut recording = Recording::default();
    stage.recordings().iter().for_each(|part| recording.add(part));
    if let Some(following) = following {
        following.last();
    }
    if ended == Ended::Stopped {
        return Err(Halt::Stopped);
    }
    Ok(Ran { opened, recording, cpu: side.meter.since(&before), unsent: stage.unsent() })
}

fn window(
    session: &Session<'_>,
    offered: &Offered,
    opened: Instant,
    recording: Recording,
    cpu: CpuCost,
) -> Window {
    Window {
        subject: session.targets[0].subject.name.clone(),
        operation: session.plan.scenarios[0].name.clone(),
        round: offered.number,
        pass: 1,
        opened_s: opened.saturating_duration_since(session.started).as_secs_f64(),
        offered_s: offered.length.as_secs_f64(),
        drained_s: recording.drained.as_secs_f64(),
        offered_per_second: Some(offered.trial.rate),
        requests: recording.requests,
        skipped: 0,
        series: recording.series(),
        errors: recording.errors,
        timings: recording.timings,
        cpu,
        invalid: Vec::new(),
    }
}

/// What a window says about its rate.
///
/// A rate holds if every objective does and no queue was left to grow. It makes no difference then that the client was late:
/// what it was late by is part of the response, so the target was at least as good. A rate that does not hold is blamed on the
/// target if the client was on time, or if an objective breaks for the service times alone, in which no lateness is.
fn judged(window: Window, unsent: u64, trial: Trial, objectives: &[Objective]) -> Step {
    let failed: u64 = window.errors.values().sum();
    let response = window.timings.response.clone();
    let judgements: Vec<_> = objectives.iter().map(|objective| objective.judge(&response, failed)).collect();
    let reached = window.requests as f64 / window.drained_s.max(window.offered_s);
    let mut reasons: Vec<String> = judgements
        .iter()
        .filter(|judgement| judgement.held == Held::No)
        .map(|judgement| match judgement.observed {
            Some(observed) => {
                format!(
                    "{}: it was {}",
                    judgement.objective,
                    reports::quantity::value(observed, judgement.unit)
                )
            }
            None => format!("{}: so many requests failed that there is none", judgement.objective),
        })
        .collect();
    if unsent > 0 {
        reasons.push(format!("given up with {unsent} arrivals waiting to be sent"));
    } else if !rounds::shortfalls(std::slice::from_ref(&window)).is_empty() {
        reasons.push(format!(
            "the rate was not reached: {} were answered, behind a growing queue",
            reports::quantity::per_second(reached)
        ));
    }
    let breaks_alone =
        |objective: &Objective| objective.judge(&window.timings.service, failed).held == Held::No;
    let is_targets_fault = objectives.iter().any(breaks_alone);
    let mut windows = [window];
    rounds::mark_untrustworthy(&mut windows);
    let [window] = windows;
    let verdict = if reasons.is_empty() {
        let too_few = judgements.iter().any(|judgement| judgement.held == Held::TooFew);
        if too_few { Verdict::TooFewRequests } else { Verdict::Holds }
    } else if is_targets_fault || window.invalid.is_empty() {
        Verdict::Breaks
    } else {
        Verdict::ClientLate
    };
    if verdict == Verdict::ClientLate {
        reasons.extend(window.invalid);
    }
    Step {
        stage: trial.stage,
        asked_per_second: trial.rate,
        reached_per_second: reached,
        offered_s: window.offered_s,
        drained_s: window.drained_s,
        requests: window.requests,
        unsent,
        p50_us: response.quantile_us(0.5),
        p99_us: response.quantile_us(0.99),
        lateness_p99_us: window.timings.lateness.quantile_us(0.99),
        failed,
        errors: window.errors,
        cpu: window.cpu,
        verdict,
        judgements,
        reasons,
        response,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use reports::curves::Stage as Part;
    use reports::run::{Second, Timings};

    use super::*;

    const TRIAL: Trial = Trial { rate: 100.0, stage: Part::Ladder };

    /// Ten seconds at 100/s, each request answered after `response_ms`, of which the client itself was late by `late_ms`;
    /// those of the last second after `last_ms`.
    fn window(response_ms: u64, late_ms: u64, last_ms: u64) -> Window {
        let mut timings = Timings::default();
        for _ in 0..1000 {
            timings.response.record(Duration::from_millis(response_ms));
            timings.service.record(Duration::from_millis(response_ms - late_ms));
            timings.lateness.record(Duration::from_millis(late_ms));
        }
        Window {
            subject: "live".into(),
            operation: "first_page".into(),
            round: 1,
            pass: 1,
            opened_s: 0.0,
            offered_s: 10.0,
            drained_s: 10.0,
            offered_per_second: Some(100.0),
            requests: 1000,
            skipped: 0,
            errors: BTreeMap::new(),
            timings,
            series: vec![Second {
                requests: 100,
                errors: 0,
                p50_us: Some(last_ms * 1000),
                max_us: last_ms * 1000,
            }],
            cpu: CpuCost::default(),
            invalid: vec![],
        }
    }

    fn step(window: Window, unsent: u64) -> Step {
        let objectives: Vec<Objective> =
            ["p99 < 100ms", "errors < 1%"].map(|text| text.parse().unwrap()).into();
        judged(window, unsent, TRIAL, &objectives)
    }

    #[test]
    fn a_rate_holds_if_every_objective_does_and_no_queue_grows() {
        let holds = step(window(20, 1, 20), 0);
        assert_eq!(
            (holds.verdict, holds.reasons.len(), holds.reached_per_second),
            (Verdict::Holds, 0, 100.0)
        );
        let slow = step(window(120, 1, 120), 0);
        assert_eq!((slow.verdict, slow.reasons[0].as_str()), (Verdict::Breaks, "p99 < 100ms: it was 120 ms"));
        let failing = step(Window { errors: [("timeout".into(), 10)].into(), ..window(20, 1, 20) }, 0);
        assert_eq!(failing.verdict, Verdict::Breaks);
        assert_eq!(failing.reasons, ["errors < 1%: it was 1 %"]);
    }

    #[test]
    fn a_rate_that_was_not_reached_breaks_even_if_its_times_are_within_the_objective() {
        let behind = step(window(20, 1, 900), 0);
        assert_eq!(behind.verdict, Verdict::Breaks);
        assert!(behind.reasons[0].starts_with("the rate was not reached"), "{:?}", behind.reasons);
        assert_eq!(step(window(20, 1, 20), 7).verdict, Verdict::Breaks);
    }

    #[test]
    fn a_late_client_excuses_a_rate_that_breaks_and_spoils_none_that_holds() {
        assert_eq!(step(window(120, 40, 120), 0).verdict, Verdict::ClientLate);
        // Of 160 ms, 120 ms are the target's own.
        assert_eq!(step(window(160, 40, 160), 0).verdict, Verdict::Breaks);
        let failing = Window { errors: [("timeout".into(), 10)].into(), ..window(50, 20, 50) };
        assert_eq!(step(failing, 0).verdict, Verdict::Breaks, "no lateness makes a request fail");
        assert_eq!(step(window(50, 20, 50), 0).verdict, Verdict::Holds);
    }

    #[test]
    fn too_few_requests_hold_nothing() {
        let mut few = window(20, 1, 20);
        few.timings = Timings::default();
        (0..50).for_each(|_| few.timings.response.record(Duration::from_millis(20)));
        assert_eq!(step(few, 0).verdict, Verdict::TooFewRequests);
    }
}
