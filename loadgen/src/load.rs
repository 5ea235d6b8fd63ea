//! How hard a server is asked.

use std::time::Duration;

use reports::run::{LoadModel, OnOverload, OpenLoop, WhenBusy};

use crate::arrivals::{Pattern, Process, Rate};

/// How requests are offered.
#[derive(Debug, Clone, PartialEq)]
pub enum Load {
    /// Requests are due on a schedule, however fast they are answered.
    Open(Open),
    /// Each user sends its next request when the last one is answered.
    Closed {
        /// Number of users.
        users: usize,
    },
}

/// The open loop.
#[derive(Debug, Clone, PartialEq)]
pub struct Open {
    /// When requests are due.
    pub pattern: Pattern,
    /// Most requests in flight: the size of the pool of workers.
    pub max_in_flight: usize,
    /// What becomes of an arrival for which no worker is free.
    pub when_busy: WhenBusy,
    /// What becomes of a rate that a target can't hold. A replay is never reduced.
    pub on_overload: OnOverload,
}

impl Open {
    /// Constant arrivals that wait while `max_in_flight` requests are in flight, reduced for a target that can't hold
    /// them.
    #[must_use]
    pub fn constant(per_second: f64, max_in_flight: usize) -> Self {
        Self {
            pattern: Pattern::Drawn { rate: Rate::constant(per_second), process: Process::Constant },
            max_in_flight,
            when_busy: WhenBusy::Queue,
            on_overload: OnOverload::Reduce,
        }
    }
}

impl Load {
    /// How many requests may be in flight at once: the size of the pool of workers.
    #[must_use]
    pub fn workers(&self) -> usize {
        match self {
            Self::Open(open) => open.max_in_flight,
            Self::Closed { users } => *users,
        }
    }

    /// How long the load lasts by itself; `None` if that is up to the window.
    #[must_use]
    pub fn length(&self) -> Option<Duration> {
        match self {
            Self::Open(open) => open.pattern.length(),
            Self::Closed { .. } => None,
        }
    }

    /// What is wrong with the load, if anything is: a sentence without an end.
    pub fn check(&self) -> Result<(), String> {
        match self {
            Self::Open(Open { max_in_flight: 0, .. }) => {
                Err("it allows 0 requests in flight, and needs at least 1".to_owned())
            }
            Self::Open(open) => open.pattern.check(),
            Self::Closed { users: 0 } => Err("it has 0 users, and needs at least 1".to_owned()),
            Self::Closed { .. } => Ok(()),
        }
    }
}

/// The load as it is kept in the result.
impl From<&Load> for LoadModel {
    fn from(load: &Load) -> Self {
        match load {
            Load::Open(open) => Self::Open(open.into()),
            Load::Closed { users } => Self::Closed { users: *users },
        }
    }
}

impl From<&Open> for OpenLoop {
    fn from(open: &Open) -> Self {
        let kept = |rate_per_second| Self {
            when_busy: open.when_busy,
            on_overload: open.on_overload,
            ..Self::constant(rate_per_second, open.max_in_flight)
        };
        match &open.pattern {
            Pattern::Drawn { rate, process } => Self {
                ramp_to_per_second: rate.at_end(),
                process: match process {
                    Process::Constant => reports::run::Process::Constant,
                    Process::Poisson => reports::run::Process::Poisson,
                },
                ..kept(rate.at_opening())
            },
            Pattern::Replayed { replay, speed } => Self {
                process: reports::run::Process::Replay,
                replay: Some(reports::run::Replay {
                    file: replay.name().to_owned(),
                    sha256: replay.sha256().to_owned(),
                    arrivals: replay.arrivals() as u64,
                    speed: *speed,
                }),
                on_overload: OnOverload::Offer,
                ..kept(open.pattern.mean_per_second(replay.length().div_f64(*speed)))
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::arrivals::Replay;

    #[test]
    fn the_result_says_what_was_asked_for() {
        let ramp = Open {
            pattern: Pattern::Drawn { rate: Rate::ramp(100.0, 2000.0), process: Process::Poisson },
            when_busy: WhenBusy::Skip,
            on_overload: OnOverload::Offer,
            ..Open::constant(1.0, 8)
        };
        let expected = OpenLoop {
            ramp_to_per_second: Some(2000.0),
            process: reports::run::Process::Poisson,
            when_busy: WhenBusy::Skip,
            on_overload: OnOverload::Offer,
            ..OpenLoop::constant(100.0, 8)
        };
        assert_eq!(LoadModel::from(&Load::Open(ramp)), LoadModel::Open(expected));
        let constant = Load::Open(Open::constant(50.0, 64));
        assert_eq!(LoadModel::from(&constant), LoadModel::Open(OpenLoop::constant(50.0, 64)));
    }

    #[test]
    fn the_result_says_what_was_replayed_and_how_fast() {
        let replay = Arc::new(Replay::read("a.log".to_owned(), &b"0\n1\n2\n"[..]).unwrap());
        let sha256 = replay.sha256().to_owned();
        let open = Open { pattern: Pattern::Replayed { replay, speed: 2.0 }, ..Open::constant(1.0, 8) };
        let kept = OpenLoop::from(&open);
        assert_eq!(
            kept.replay,
            Some(reports::run::Replay { file: "a.log".into(), sha256, arrivals: 3, speed: 2.0 })
        );
        // One a second, twice as fast.
        assert!((kept.rate_per_second - 2.0).abs() < 1e-9, "{}", kept.rate_per_second);
    }
}
