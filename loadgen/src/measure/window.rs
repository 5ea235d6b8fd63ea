//! One measured window.

use std::sync::Arc;
use std::time::{Duration, Instant};

use reports::run::{LoadModel, Window};

use super::{Halt, Lane, Session};
use crate::arrivals::Arrivals;
use crate::engine::{Ended, Engine, Loop, Schedule, Stage, Users};
use crate::observer::{Event, Position};
use crate::plan::{Plan, Target};
use crate::probes::CpuMeter;
use crate::rounds::{self, Slot};

/// A stage opens this long after it was announced, so that all workers are there when the first request is due.
pub(super) const LEAD: Duration = Duration::from_millis(20);

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

        let before = meter.read();
        let opened = Instant::now() + LEAD;
        let stage = Arc::new(self.stage(round, slot, lane, opened));
        let ended = engine.run(&stage).await?;
        let cpu = meter.since(&before);

        let recording = stage.recording();
        if ended == Ended::Stopped && recording.requests == 0 {
            return Err(Halt::Stopped);
        }
        let mut invalid = Vec::new();
        if ended == Ended::Stopped {
            invalid.push("the run was stopped in the middle of this window".to_owned());
        } else if recording.requests == 0 {
            invalid.push("no request was due in it".to_owned());
        }
        let window = Window {
            subject: position.subject.to_owned(),
            operation: position.operation.to_owned(),
            round,
            pass: slot.pass,
            opened_s: opened.saturating_duration_since(self.started).as_secs_f64(),
            offered_s: lane.offer.window.as_secs_f64(),
            drained_s: recording.drained.as_secs_f64(),
            offered_per_second: lane.offer.rate_per_second,
            requests: recording.requests,
            series: recording.series(),
            errors: recording.errors,
            timings: recording.timings,
            cpu,
            invalid,
        };
        self.observer.on(&Event::WindowFinished {
            window: position,
            requests: window.requests,
            errors: window.errors.values().sum(),
            p50_us: window.timings.response.quantile_us(0.5),
            p99_us: window.timings.response.quantile_us(0.99),
        });
        self.measured.windows.push(window);
        match ended {
            Ended::Drained => Ok(()),
            Ended::Stopped => Err(Halt::Stopped),
        }
    }

    fn position(&self, round: u32, number: usize, slot: Slot) -> Position<'a> {
        let plan: &'a Plan = self.plan;
        let targets: &'a [Target] = self.targets;
        let looks: usize = targets.iter().map(|target| if target.control { 2 } else { 1 }).sum();
        Position {
            round,
            rounds: plan.rounds,
            number,
            windows: looks * plan.operations.len() * plan.rounds as usize,
            subject: &targets[slot.target].subject.name,
            operation: &plan.operations[slot.operation],
            pass: slot.pass,
        }
    }

    fn stage(&self, round: u32, slot: Slot, lane: &Lane, opened: Instant) -> Stage {
        let subject = &self.targets[slot.target].subject.name;
        let name = format!("{subject}.{}", self.plan.operations[slot.operation]);
        let length = lane.offer.window;
        let turns = match (self.plan.load, lane.offer.rate_per_second) {
            (LoadModel::Open { rate_per_second, .. }, offered) => {
                let seed = rounds::arrival_seed(self.plan.seed, round, slot.operation, slot.pass);
                let rate = offered.unwrap_or(rate_per_second);
                let arrivals = Arrivals::new(self.plan.arrivals, rate, length, seed);
                Loop::Open(Schedule::new(opened, arrivals, Arc::clone(&self.pacer)))
            }
            (LoadModel::Closed { users }, _) => Loop::Closed(Users::new(users, opened, length, 0)),
        };
        Stage::new(Some(name), Arc::clone(&lane.prepared), turns, opened)
    }
}
