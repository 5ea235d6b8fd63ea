//! The search for the highest rate at which objectives hold, as it went and what it found.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::objective::Judgement;
use crate::latency::Latency;
use crate::quantity;
use crate::run::{CpuCost, Environment, Probes, Process, Subject};

/// A search and its answer.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Capacity {
    /// [`SCHEMA`](super::SCHEMA) at the time of writing.
    pub schema: u32,
    /// The name of the search, which is also the name of its folder.
    pub name: String,
    /// When it began, UTC.
    pub started_at: DateTime<Utc>,
    /// When its last step ended, UTC.
    pub finished_at: DateTime<Utc>,
    /// The command line that searches again.
    pub command: String,
    /// Where it ran.
    pub environment: Environment,
    /// What was asked.
    pub subject: Subject,
    /// The scenario.
    pub scenario: String,
    /// The workspace under test, as it was given.
    pub workspace: String,
    /// Rows per page.
    pub page_size: u32,
    /// What had to hold, as written.
    pub objectives: Vec<String>,
    /// How it was searched.
    pub settings: Settings,
    /// Every step, in the order in which they ran.
    pub steps: Vec<Step>,
    /// The highest rate per second that held and below which nothing broke; `None` if none did.
    pub lower: Option<f64>,
    /// Whether it held again in the longer step that confirms it.
    pub confirmed: bool,
    /// The lowest rate per second that broke; `None` if none did.
    pub upper: Option<f64>,
    /// Why the search ended.
    pub end: End,
    /// The answer in one sentence.
    pub answer: String,
    /// What database and machine did meanwhile, once a second; empty where nothing was sampled.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub probes: Vec<Probes>,
    /// What a reader must know.
    pub warnings: Vec<String>,
}

/// How a capacity is searched.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// The first rate per second.
    pub from_per_second: f64,
    /// The highest rate per second to try.
    pub max_per_second: f64,
    /// The bounds are narrowed until `upper / lower <= 1 + precision`.
    pub precision: f64,
    /// Length of a step, unless it takes longer until it has enough requests.
    pub step_s: f64,
    /// Length of the step that confirms.
    pub confirm_s: f64,
    /// Length of the warm-up before each step, at its rate.
    pub warm_up_s: f64,
    /// Most requests in flight.
    pub max_in_flight: usize,
    /// How arrivals are spread.
    pub process: Process,
    /// Seed of the arrivals.
    pub seed: u64,
}

/// Why a search ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// A rate held twice, the second time longer.
    Confirmed,
    /// No rate held, down to the lowest that a step can judge.
    NothingHeld,
    /// A step could not be judged, twice in a row, because the client was late: it is the bottleneck.
    ClientLate,
    /// A step could not be judged, twice in a row, because it held too few requests.
    TooFewRequests,
    /// So many steps were taken without an answer that the target must be unsteady.
    Unsteady,
    /// It was interrupted.
    Interrupted,
}

/// Which part of the search a step belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Doubling until something breaks, or halving until something holds.
    Ladder,
    /// Between a rate that held and one that broke.
    Narrowing,
    /// Once more and longer, at the lower bound.
    Confirming,
}

/// What a step says about its rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Every objective holds, and the rate was reached.
    Holds,
    /// One does not, or the rate was not reached.
    Breaks,
    /// It can't be told, because the client was late.
    ClientLate,
    /// It can't be told from so few requests.
    TooFewRequests,
}

/// One rate, offered for a while.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Step {
    /// Which part of the search it belongs to.
    pub stage: Stage,
    /// The rate that was asked for, per second.
    pub asked_per_second: f64,
    /// Requests answered per second, until the last one was.
    pub reached_per_second: f64,
    /// Seconds for which requests were offered.
    pub offered_s: f64,
    /// Seconds until the last of them was answered.
    pub drained_s: f64,
    /// Requests sent.
    pub requests: u64,
    /// Arrivals that were never sent, because the step was given up with its queue growing.
    pub unsent: u64,
    /// Median response in microseconds; `None` without requests.
    pub p50_us: Option<u64>,
    /// 99th percentile of the response in microseconds; `None` without requests.
    pub p99_us: Option<u64>,
    /// 99th percentile of what the client itself was late by, in microseconds.
    pub lateness_p99_us: Option<u64>,
    /// Failed requests.
    pub failed: u64,
    /// The same by kind.
    pub errors: BTreeMap<String, u64>,
    /// CPU used during the step, in seconds of one core.
    pub cpu: CpuCost,
    /// What it says about the rate.
    pub verdict: Verdict,
    /// Each objective, held against it.
    pub judgements: Vec<Judgement>,
    /// Why it does not hold; empty if it does.
    pub reasons: Vec<String>,
    /// All responses.
    pub response: Latency,
}

impl Step {
    /// Cores that a party kept busy, on average; `None` where it can't be seen.
    #[must_use]
    pub fn cores(&self, party: impl Fn(&CpuCost) -> Option<f64>) -> Option<f64> {
        party(&self.cpu).map(|seconds| seconds / self.drained_s.max(self.offered_s))
    }
}

impl Capacity {
    /// 0 when a rate was confirmed, 1 when the objectives held at none, 2 when that could not be found out.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self.end {
            End::Confirmed => 0,
            End::NothingHeld => 1,
            End::ClientLate | End::TooFewRequests | End::Unsteady | End::Interrupted => 2,
        }
    }

    /// The same with its answer, in one sentence.
    #[must_use]
    pub fn answered(self) -> Self {
        Self { answer: self.sentence(), ..self }
    }

    fn sentence(&self) -> String {
        let (subject, scenario) = (&self.subject.name, &self.scenario);
        let objectives = self.objectives.join(" and ");
        let rate = |rate: Option<f64>| rate.map_or_else(|| "–".to_owned(), quantity::per_second);
        let known = match (self.lower, self.upper) {
            (Some(_), Some(_)) => {
                format!("it held {} and broke at {}", rate(self.lower), rate(self.upper))
            }
            (Some(_), None) => format!("it held {}, and nothing broke", rate(self.lower)),
            (None, Some(_)) => format!("it broke at {}, and nothing held", rate(self.upper)),
            (None, None) => "nothing is known yet".to_owned(),
        };
        match self.end {
            End::Confirmed => {
                let bounds = match self.upper {
                    Some(_) => format!("; it broke at {}", rate(self.upper)),
                    None => ", the highest rate that was to be tried".to_owned(),
                };
                format!("`{subject}` holds {scenario} at {} with {objectives}{bounds}.", rate(self.lower))
            }
            End::NothingHeld => format!(
                "`{subject}` holds {objectives} for {scenario} at no rate that could be judged: it broke at {}, the lowest.",
                rate(self.upper)
            ),
            End::ClientLate => format!(
                "The client was the bottleneck at {}, so the capacity of `{subject}` for {scenario} with {objectives} is \
                 not known: {known}.",
                rate(self.steps.last().map(|step| step.asked_per_second))
            ),
            End::TooFewRequests => format!(
                "A step at {} holds too few requests to judge {objectives}: {known}; give it a longer --step-duration.",
                rate(self.steps.last().map(|step| step.asked_per_second))
            ),
            End::Unsteady => format!(
                "`{subject}` gave no steady answer in {} steps of {scenario} with {objectives}: {known}.",
                self.steps.len()
            ),
            End::Interrupted => format!("The search was interrupted: {known}."),
        }
    }
}
