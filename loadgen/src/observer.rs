//! What a person may want to see while a measurement runs.
//!
//! The coordinator calls the observer, between windows and once a second inside of them, and never a worker does: a slow
//! terminal can make a run longer, but not a response.

use crate::ticks::Tick;

/// Something that happened.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Event<'a> {
    /// The first look at a target: its pages are read and checked, links are followed.
    Preparing {
        /// [`reports::run::Subject::name`].
        subject: &'a str,
        /// Name of the operation.
        operation: &'a str,
    },
    /// Requests that are not measured.
    Warming {
        /// [`reports::run::Subject::name`].
        subject: &'a str,
        /// Name of the operation.
        operation: &'a str,
    },
    /// Requests around which the database's own counters are read.
    Counting {
        /// [`reports::run::Subject::name`].
        subject: &'a str,
        /// Name of the operation.
        operation: &'a str,
    },
    /// The rows of all targets are held against each other.
    Comparing {
        /// Name of the operation.
        operation: &'a str,
    },
    /// A measured window opens.
    WindowStarted {
        /// Which one.
        window: Position<'a>,
    },
    /// Another second of a measured window, or its end: one more look at what has come of it.
    Second {
        /// Which one.
        window: Position<'a>,
        /// What was seen.
        tick: &'a Tick,
    },
    /// A measured window has been answered to its last request.
    WindowFinished {
        /// Which one.
        window: Position<'a>,
        /// Requests sent in it.
        requests: u64,
        /// How many of them failed.
        errors: u64,
        /// Median response in microseconds; `None` without requests.
        p50_us: Option<u64>,
        /// 99th percentile of the response in microseconds; `None` without requests.
        p99_us: Option<u64>,
    },
    /// Something that a reader of the result must know.
    Warning {
        /// One sentence.
        sentence: &'a str,
    },
}

/// A window's place in the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position<'a> {
    /// Round, from 1; in a search, the step.
    pub round: u32,
    /// Rounds in all; `None` in a search, which ends when it knows enough.
    pub rounds: Option<u32>,
    /// Window, counted from 1 over the whole run.
    pub number: usize,
    /// Windows in the whole run; `None` in a search.
    pub windows: Option<usize>,
    /// [`reports::run::Subject::name`].
    pub subject: &'a str,
    /// Name of the operation.
    pub operation: &'a str,
    /// 1, or 2 for the second look at the control target.
    pub pass: u32,
}

/// Somebody who is told.
pub trait Observer: Send + Sync {
    /// Called with each event, in order, from one task.
    fn on(&self, event: &Event<'_>);
}

/// Nobody.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Observer for Silent {
    fn on(&self, _: &Event<'_>) {}
}
