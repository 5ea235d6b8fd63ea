//! One measured window.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use reports::run::{CpuCost, Window};

use super::{Halt, Lane, Session};
use crate::arrivals::Arrivals;
use crate::engine::{Ended, Engine, Loop, Schedule, Stage, Users};
use crate::error::Error;
use crate::load::Load;
use crate::observer::{Event, Position};
use crate::pacer::Pacer;
use crate::plan::{Plan, Target};
use crate::probes::CpuMeter;
use crate::recorder::Recording;
use crate::rounds::{self, Slot};
use crate::shard::{self, Shard};

/// A stage opens this long after it was announced, so that all workers are there when the first request is due.
pub(crate) const LEAD: Duration = Duration::from_millis(20);

/// How much more is provided than the schedule will use up: the counts of Poisson arrivals waver.
const SPARE: f64 = 1.3;

impl<'a> Session<'a> {
    /// Opens a window, waits until it has drained, and keeps what was recorded.
    pub(super) async fn window(
        &mut self,
        engine: &mut Engine,
        round: u32,
        number: usize,
        slot: Slot,
        lane: &Lane,
        meter: &CpuMeter,
    ) -> Result<(), Halt> {
        let position = self.position(round, number, slot);
        self.observer.on(&Event::WindowStarted { window: position });

        let share = self.plan.shard.map_or(1.0, |shard| 1.0 / shard.of as f64);
        let offered_per_second = lane.offer.rate_per_second().map(|rate| rate * share);
        let expected = match offered_per_second {
            Some(rate) => rate * lane.offer.window.as_secs_f64(),
            None => {
                self.plan.workers() as f64 * lane.offer.window.as_secs_f64()
                    / lane.mean_service.as_secs_f64().max(1e-6)
            }
        };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a count of requests, with room"
        )]
        self.provide(&lane.traffic, (expected * SPARE).ceil() as u64 + 10).await?;
        let opening = match self.plan.start_at {
            Some(start_at) if number == 1 => Some(self.wait_for(start_at).await?),
            _ => None,
        };
        let before = meter.read();
        let opened = opening.unwrap_or_else(Instant::now).max(Instant::now() + LEAD);
        if let (Some(start_at), Some(_)) = (self.plan.start_at, opening) {
            let ahead = opened.saturating_duration_since(Instant::now());
            let late_us = (Utc::now() - start_at).num_microseconds().unwrap_or(i64::MAX);
            self.measured.late_ms = Some(late_us as f64 / 1e3 + ahead.as_secs_f64() * 1e3);
        }
        let (stage, arrivals) = self.stage(engine.pacer(), round, slot, lane, opened);
        let stage = Arc::new(stage);
        let mut following = self.follow(&stage, position, slot.target, lane.offer.window, arrivals);
        let ended = following.run(engine, &stage).await?;
        let cpu = meter.since(&before);

        let parts = stage.recordings();
        following.last();
        let mut whole = Recording::default();
        for part in &parts {
            whole.add(part);
        }
        if ended == Ended::Stopped && whole.requests == 0 {
            return Err(Halt::Stopped);
        }
        self.recorded += whole.requests;
        let window = |operation: &str, recording: Recording, share: f64, skipped: u64, cpu: CpuCost| {
            let mut invalid = Vec::new();
            if ended == Ended::Stopped {
                invalid.push("the run was stopped in the middle of this window".to_owned());
            } else if recording.requests == 0 {
                invalid.push(match skipped {
                    0 => "no request was due in it".to_owned(),
                    skipped => format!("all {skipped} arrivals were skipped"),
                });
            }
            Window {
                subject: position.subject.to_owned(),
                operation: operation.to_owned(),
                round,
                pass: slot.pass,
                opened_s: opened.saturating_duration_since(self.started).as_secs_f64(),
                offered_s: lane.offer.window.as_secs_f64(),
                drained_s: recording.drained.as_secs_f64(),
                offered_per_second: offered_per_second.map(|rate| rate * share),
                requests: recording.requests,
                skipped,
                series: recording.series(),
                errors: recording.errors,
                timings: recording.timings,
                cpu,
                invalid,
            }
        };
        // What the parts of a mix cost by themselves can't be told.
        let of_parts: Vec<Window> = match parts.len() {
            1 => Vec::new(),
            _ => lane
                .traffic
                .shares()
                .zip(parts)
                // Of a rare one none may have been due.
                .filter(|(_, recording)| recording.requests > 0)
                .map(|((part, share), recording)| {
                    window(&part.operation, recording, share, 0, CpuCost::default())
                })
                .collect(),
        };
        let window = window(position.operation, whole, 1.0, stage.skipped(), cpu);
        self.observer.on(&Event::WindowFinished {
            window: position,
            requests: window.requests,
            errors: window.errors.values().sum(),
            p50_us: window.timings.response.quantile_us(0.5),
            p99_us: window.timings.response.quantile_us(0.99),
        });
        self.measured.windows.push(window);
        self.measured.windows.extend(of_parts);
        match ended {
            Ended::Drained => Ok(()),
            Ended::Stopped => Err(Halt::Stopped),
        }
    }

    /// Sleeps until shortly before a moment, and returns its instant. Asked again after the sleep, since a clock may be set
    /// meanwhile.
    async fn wait_for(&mut self, start_at: DateTime<Utc>) -> Result<Instant, Halt> {
        let too_late = |late| Error::TooLate { start_at, late };
        let opening = shard::instant_of(start_at).map_err(too_late)?;
        let before = opening.checked_sub(2 * LEAD).unwrap_or(opening);
        self.unless_stopped(tokio::time::sleep_until(before.into())).await?;
        Ok(shard::instant_of(start_at).map_err(too_late)?)
    }

    fn position(&self, round: u32, number: usize, slot: Slot) -> Position<'a> {
        let plan: &'a Plan = self.plan;
        let targets: &'a [Target] = self.targets;
        let looks: usize = targets.iter().map(|target| if target.control { 2 } else { 1 }).sum();
        Position {
            round,
            rounds: Some(plan.rounds),
            number,
            windows: Some(looks * plan.scenarios.len() * plan.rounds as usize),
            subject: &targets[slot.target].subject.name,
            operation: &plan.scenarios[slot.operation].name,
            pass: slot.pass,
        }
    }

    /// The stage of a window, and its schedule once more; `None` in the closed loop.
    fn stage(
        &self,
        pacer: Arc<Pacer>,
        round: u32,
        slot: Slot,
        lane: &Lane,
        opened: Instant,
    ) -> (Stage, Option<Arrivals>) {
        let length = lane.offer.window;
        let seed = rounds::arrival_seed(self.plan.seed, round, slot.operation, slot.pass);
        let (turns, arrivals) = match (&self.plan.load, &lane.offer.pattern) {
            (Load::Open(open), offered) => {
                let arrivals = offered.as_ref().unwrap_or(&open.pattern).arrivals(length, seed);
                let arrivals = match self.plan.shard {
                    Some(Shard { index, of }) => arrivals.shard(index, of),
                    None => arrivals,
                };
                let recorded = open.pattern.scenarios();
                let scenario = &self.plan.scenarios[slot.operation];
                let named = recorded.iter().map(|name| scenario.place_of(name)).collect();
                let once_more = arrivals.clone();
                let schedule = Schedule::new(opened, arrivals, open.when_busy, pacer);
                (Loop::Open(schedule, named), Some(once_more))
            }
            (Load::Closed { users }, _) => (Loop::Closed(Users::new(*users, opened, length, 0)), None),
        };
        (Stage::measured(Arc::clone(&lane.traffic), seed, turns, opened), arrivals)
    }
}
