//! How hard a server is asked, for all commands that put load on one.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use loadgen::arrivals::{Process, Rate};
use reports::run;

use super::quantity::{duration, rate, speed};

/// How hard, and in which loop.
#[derive(Debug, Clone, Args)]
pub(crate) struct Pressure {
    /// Open loop: requests are due at this rate however fast they are answered; 500/s, 30/min, or 100/s..2000/s for a
    /// rate that climbs (or falls) evenly over each window.
    #[arg(long, default_value = "50/s", value_parser = rate, value_name = "RATE")]
    pub(crate) rate: Rate,
    /// How arrivals are spread at that rate.
    #[arg(long, value_enum, default_value_t = Arrivals::Constant)]
    pub(crate) arrivals: Arrivals,
    /// Open loop with recorded arrivals, one a line: seconds since the first (0.153) or a timestamp
    /// (2026-07-01T12:00:00.153Z), then, if wanted, a scenario.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["rate", "arrivals"])]
    pub(crate) replay: Option<PathBuf>,
    /// Replay so many times as fast: 2x, 0.5x.
    // The conflicts are named although the replay has them: where an argument conflicts with what it needs, clap would
    // let it pass.
    #[arg(
        long,
        default_value = "1x",
        value_parser = speed,
        requires = "replay",
        conflicts_with_all = ["rate", "arrivals"],
        value_name = "TIMES"
    )]
    pub(crate) speed: f64,
    /// Open loop: most requests in flight.
    #[arg(long, default_value_t = 64, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=4096))]
    pub(crate) max_in_flight: u16,
    /// How long an answer is waited for; a request without one is given up then, and is an error of the kind `timeout`.
    #[arg(long, default_value = "60s", value_parser = duration, value_name = "TIME")]
    pub(crate) timeout: Duration,
    /// What becomes of an arrival while so many are in flight.
    #[arg(long, value_enum, default_value_t = WhenBusy::Queue)]
    pub(crate) when_busy: WhenBusy,
    /// Closed loop instead: this many users, each of which waits for its answer before it asks again.
    #[arg(
        long,
        conflicts_with_all = ["rate", "arrivals", "replay", "speed", "max_in_flight", "when_busy"],
        value_name = "N",
        value_parser = clap::value_parser!(u16).range(1..=4096)
    )]
    pub(crate) users: Option<u16>,
}

/// How arrivals are spread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Arrivals {
    /// Evenly; repeats best.
    Constant,
    /// At random, as those of independent users, with bursts.
    Poisson,
}

impl From<Arrivals> for Process {
    fn from(arrivals: Arrivals) -> Self {
        match arrivals {
            Arrivals::Constant => Self::Constant,
            Arrivals::Poisson => Self::Poisson,
        }
    }
}

/// What becomes of an arrival for which no worker is free.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum WhenBusy {
    /// It waits, and the wait is part of its response.
    Queue,
    /// It is dropped and counted.
    Skip,
}

impl From<WhenBusy> for run::WhenBusy {
    fn from(when_busy: WhenBusy) -> Self {
        match when_busy {
            WhenBusy::Queue => Self::Queue,
            WhenBusy::Skip => Self::Skip,
        }
    }
}
