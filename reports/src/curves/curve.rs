//! A time, and the work behind it, against a size.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::fit::Fit;
use crate::latency::Latency;
use crate::quantity;
use crate::run::{Check, Environment, Subject};

/// Times and buffers against the number of a page, or of customers.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Curve {
    /// [`SCHEMA`](super::SCHEMA) at the time of writing.
    pub schema: u32,
    /// The name of the measurement, which is also the name of its folder.
    pub name: String,
    /// When it began, UTC.
    pub started_at: DateTime<Utc>,
    /// When it ended, UTC.
    pub finished_at: DateTime<Utc>,
    /// The command line that measures again.
    pub command: String,
    /// False when it was interrupted.
    pub complete: bool,
    /// Where it ran.
    pub environment: Environment,
    /// What grows.
    pub axis: Axis,
    /// The workspace under test, as it was given.
    pub workspace: String,
    /// Rows per page.
    pub page_size: u32,
    /// What was measured.
    pub subjects: Vec<Subject>,
    /// One for each subject and operation.
    pub series: Vec<Series>,
    /// Whether all subjects gave the same rows.
    pub checks: Vec<Check>,
    /// What a reader must know.
    pub warnings: Vec<String>,
}

/// What grows from point to point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Axis {
    /// The number of the page that is asked for.
    Page,
    /// Customers in the workspace.
    Customers,
}

/// The points of one subject under one operation, by size.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Series {
    /// [`Subject::name`].
    pub subject: String,
    /// Name of the operation.
    pub operation: String,
    /// In the order of their size.
    pub points: Vec<Point>,
    /// The power with which the median response grows; `None` with fewer than two points.
    pub latency: Option<Fit>,
    /// The power with which the buffers of a request grow; `None` where they were not counted.
    pub buffers: Option<Fit>,
}

/// What was measured at one size.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// The number of the page, or of customers.
    pub size: u64,
    /// Timed requests.
    pub requests: u64,
    /// Of these, failed ones.
    pub failed: u64,
    /// Median response in microseconds.
    pub p50_us: u64,
    /// 95th percentile of the response in microseconds.
    pub p95_us: u64,
    /// Shared buffers that a request touches; `None` where they were not counted.
    pub buffers: Option<f64>,
    /// Statements that a request sends to the database; `None` where they were not counted.
    pub statements: Option<f64>,
    /// All responses.
    pub response: Latency,
}

impl Series {
    /// Fits the powers to points.
    #[must_use]
    pub fn new(subject: &str, operation: &str, mut points: Vec<Point>) -> Self {
        points.sort_by_key(|point| point.size);
        // An answer that failed has no time that belongs to its size.
        let sound = || points.iter().filter(|point| point.failed == 0);
        let latency = Fit::of(sound().map(|point| (point.size as f64, point.p50_us as f64)));
        let buffers = Fit::of(sound().filter_map(|point| Some((point.size as f64, point.buffers?))));
        Self { subject: subject.to_owned(), operation: operation.to_owned(), points, latency, buffers }
    }
}

impl Axis {
    /// What is counted, as a noun: `page`, `customers`.
    #[must_use]
    pub fn noun(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::Customers => "customers",
        }
    }

    /// The name of the command and of its files.
    #[must_use]
    pub fn command(self) -> &'static str {
        match self {
            Self::Page => "depth",
            Self::Customers => "growth",
        }
    }
}

impl Curve {
    /// 0 when every series has its points and all checks held, 1 when a check did not, 2 when something could not be measured.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        if self.checks.iter().any(|check| !check.passed) {
            1
        } else if !self.complete
            || self.series.iter().any(|series| series.latency.is_none())
            || self.series.is_empty()
        {
            2
        } else {
            0
        }
    }

    /// What it shows, a sentence for each operation: `page: naive grows with page^0.93, live is flat.`
    #[must_use]
    pub fn findings(&self) -> Vec<String> {
        let operations = self.operations();
        operations
            .iter()
            .flat_map(|operation| {
                let of = || self.series.iter().filter(|series| series.operation == *operation);
                let latency = of().filter_map(|series| Some((series.subject.as_str(), series.latency?)));
                let buffers = of().filter_map(|series| Some((series.subject.as_str(), series.buffers?)));
                let name = quantity::heading(operation);
                [("median response", latency.collect::<Vec<_>>()), ("buffers per request", buffers.collect())]
                    .into_iter()
                    .filter(|(_, fits)| !fits.is_empty())
                    .map(move |(what, fits)| format!("{name}, {what}: {}.", self.grows(&fits)))
            })
            .collect()
    }

    /// `naive grows with page^0.93, live is flat`.
    fn grows(&self, fits: &[(&str, Fit)]) -> String {
        let words = fits.iter().map(|(subject, fit)| match fit {
            fit if fit.is_flat() => format!("{subject} is flat"),
            fit if fit.is_noise() => {
                let error = fit.standard_error.unwrap_or_default();
                format!(
                    "{subject} shows no growth beyond its scatter ({}^{fit} ± {error:.2})",
                    self.axis.noun()
                )
            }
            fit if fit.exponent < 0.0 => format!("{subject} falls with {}^{fit}", self.axis.noun()),
            fit => format!("{subject} grows with {}^{fit}", self.axis.noun()),
        });
        words.collect::<Vec<_>>().join(", ")
    }

    /// The operations, in the order of the series.
    #[must_use]
    pub fn operations(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for series in &self.series {
            if !names.contains(&series.operation.as_str()) {
                names.push(&series.operation);
            }
        }
        names
    }
}
