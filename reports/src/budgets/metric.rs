//! The metrics that rules can name.

use std::fmt;

use crate::latency::MAX_US;
use crate::run::{Unit, Work};

/// What a rule measures.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Metric {
    /// A percentile of the response time, as a quantile between 0 and 1: `p95`, `p99.9`.
    Quantile(f64),
    /// The greatest response time of the run: `max`.
    Max,
    /// The share of failed requests: `errors`.
    Errors,
    /// SQL statements per request: `statements/req`.
    Statements,
    /// Rows returned by statements per request: `rows/req`.
    Rows,
    /// Shared buffers touched per request: `buffers/req`.
    Buffers,
    /// Shared buffers read from outside the cache per request: `buffers_read/req`.
    BuffersRead,
    /// Bytes of write-ahead log per request: `wal_bytes/req`.
    WalBytes,
    /// Time spent executing statements per request: `database_time/req`.
    DatabaseTime,
    /// What became of the transactions of a lock trial: `deadlocks`.
    Tally(Tally),
}

/// What is counted of the transactions of a lock trial.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tally {
    /// Transactions that came to an end: `transactions`.
    Transactions,
    /// Attempts that lost in a deadlock: `deadlocks`.
    Deadlocks,
    /// Committed changes that are not in the rows: `lost_updates`.
    LostUpdates,
    /// Transactions that lost every time and were given up: `given_up`.
    GivenUp,
    /// Whatever else went wrong: `failures`.
    Failures,
}

/// What the numbers of a metric are, and so which units its limit may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantity {
    /// Microseconds; written with `us`, `ms` or `s`.
    Time,
    /// 0 to 1; written with `%`.
    Share,
    /// A plain number.
    Count,
    /// Bytes; written with `B`, `KB`, `KiB`, `MB` or `MiB`.
    Bytes,
}

/// The list of a budget in which a metric may stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum List {
    Latency,
    Work,
    Counts,
    Versus,
}

const WORK: [(&str, Metric); 6] = [
    ("statements/req", Metric::Statements),
    ("rows/req", Metric::Rows),
    ("buffers/req", Metric::Buffers),
    ("buffers_read/req", Metric::BuffersRead),
    ("wal_bytes/req", Metric::WalBytes),
    ("database_time/req", Metric::DatabaseTime),
];

const COUNTS: [(&str, Metric); 5] = [
    ("transactions", Metric::Tally(Tally::Transactions)),
    ("deadlocks", Metric::Tally(Tally::Deadlocks)),
    ("lost_updates", Metric::Tally(Tally::LostUpdates)),
    ("given_up", Metric::Tally(Tally::GivenUp)),
    ("failures", Metric::Tally(Tally::Failures)),
];

/// The latency metrics to offer when a word is unknown; any `pN` between p0 and p100 is one.
const LATENCY: [&str; 7] = ["p50", "p90", "p95", "p99", "p99.9", "max", "errors"];

impl Metric {
    /// The metric of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "max" => Some(Self::Max),
            "errors" => Some(Self::Errors),
            _ => percentile(name).map(Self::Quantile).or_else(|| {
                let mut counted = WORK.into_iter().chain(COUNTS);
                counted.find(|(known, _)| *known == name).map(|(_, metric)| metric)
            }),
        }
    }

    /// The metric at the start of a rule as written.
    #[must_use]
    pub fn of_rule(rule: &str) -> Option<Self> {
        Self::named(rule.split(|c: char| c.is_whitespace() || "<>=".contains(c)).next()?)
    }

    /// What its numbers are.
    #[must_use]
    pub fn quantity(self) -> Quantity {
        match self {
            Self::Quantile(_) | Self::Max | Self::DatabaseTime => Quantity::Time,
            Self::Errors => Quantity::Share,
            Self::Statements | Self::Rows | Self::Buffers | Self::BuffersRead | Self::Tally(_) => {
                Quantity::Count
            }
            Self::WalBytes => Quantity::Bytes,
        }
    }

    /// Whether it is counted inside the database rather than timed.
    #[must_use]
    pub fn is_work(self) -> bool {
        !matches!(self, Self::Quantile(_) | Self::Max | Self::Errors | Self::Tally(_))
    }

    /// Whether it is timed, or the share of what failed meanwhile: a figure of many samples, which may be wrong by chance or
    /// by a client that was late. All others are counted.
    #[must_use]
    pub fn is_timed(self) -> bool {
        matches!(self, Self::Quantile(_) | Self::Max | Self::Errors)
    }

    /// Its value in counted work, in the unit of [`Self::unit`]; `None` for everything else.
    #[must_use]
    pub fn of_work(self, work: &Work) -> Option<f64> {
        match self {
            Self::Quantile(_) | Self::Max | Self::Errors | Self::Tally(_) => None,
            Self::Statements => Some(work.statements_per_request),
            Self::Rows => Some(work.rows_per_request),
            Self::Buffers => Some(work.buffers_per_request),
            Self::BuffersRead => Some(work.buffers_read_per_request),
            Self::WalBytes => Some(work.wal_bytes_per_request),
            Self::DatabaseTime => Some(work.database_ms_per_request * 1e3),
        }
    }

    /// The unit of its values.
    #[must_use]
    pub fn unit(self) -> Unit {
        match self.quantity() {
            Quantity::Time => Unit::Microseconds,
            Quantity::Share => Unit::Share,
            Quantity::Count if matches!(self, Self::Tally(_)) => Unit::Count,
            Quantity::Count => Unit::PerRequest,
            Quantity::Bytes => Unit::BytesPerRequest,
        }
    }

    /// The greatest value that it can take, where there is one.
    pub(super) fn ceiling(self) -> Option<f64> {
        match self {
            Self::Quantile(_) | Self::Max => Some(MAX_US as f64),
            Self::Errors => Some(1.0),
            _ => None,
        }
    }

    /// The names that may stand in a list.
    pub(super) fn names(list: List) -> Vec<&'static str> {
        let work = WORK.iter().map(|(name, _)| *name);
        match list {
            List::Latency => LATENCY.to_vec(),
            List::Work => work.collect(),
            List::Counts => COUNTS.iter().map(|(name, _)| *name).collect(),
            // A ratio of errors has no meaning when the base has none.
            List::Versus => LATENCY.into_iter().filter(|name| *name != "errors").chain(work).collect(),
        }
    }

    /// Whether it may stand in a list.
    pub(super) fn fits(self, list: List) -> bool {
        match list {
            List::Latency => self.is_timed(),
            List::Work => self.is_work(),
            List::Counts => matches!(self, Self::Tally(_)),
            List::Versus => self != Self::Errors && !matches!(self, Self::Tally(_)),
        }
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // Rounding undoes the division: 0.999 * 100 is 99.9 only nearly.
            Self::Quantile(q) => write!(f, "p{}", (q * 1e8).round() / 1e6),
            Self::Max => f.write_str("max"),
            Self::Errors => f.write_str("errors"),
            _ => {
                let mut counted = WORK.iter().chain(&COUNTS);
                f.write_str(counted.find(|(_, metric)| metric == self).map_or("", |(name, _)| name))
            }
        }
    }
}

/// `p95` as 0.95; `None` for what is not a percentile strictly between 0 and 100.
fn percentile(name: &str) -> Option<f64> {
    let digits = name.strip_prefix('p')?;
    if !digits.chars().all(|c| c.is_ascii_digit() || c == '.')
        || !digits.starts_with(|c: char| c.is_ascii_digit())
    {
        return None;
    }
    let percent: f64 = digits.parse().ok()?;
    // Through a whole number, so that p99.9 is the float nearest to 0.999.
    (percent > 0.0 && percent < 100.0).then(|| (percent * 1e6).round() / 1e8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metric_prints_the_name_it_was_read_from() {
        for name in [
            "p50",
            "p95",
            "p99.9",
            "p99.99",
            "max",
            "errors",
            "statements/req",
            "database_time/req",
            "lost_updates",
        ] {
            assert_eq!(Metric::named(name).unwrap().to_string(), name);
        }
    }

    #[test]
    fn percentiles_lie_strictly_between_0_and_100() {
        for name in ["p0", "p100", "p", "p.5", "p-1", "pfive", "p9e1"] {
            assert_eq!(Metric::named(name), None, "{name}");
        }
    }
}
