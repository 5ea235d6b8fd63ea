//! What criterion has estimated of the benches of a project: times of single functions, beside those of a run.
//!
//! Criterion keeps its estimates as JSON, a folder for each bench, and prints each beside its own past. Here a bench stands
//! beside the baseline of its group instead: the least that could be done in its place, such as a copy of the ready bytes.
//! A function whose name begins with `baseline` is one; with several parameters there is one for each. [`criterion`] reads
//! the folders into [`Benches`], which is plain data like a run, is kept as JSON with a page beside it ([`store`]), and is
//! printed as a table ([`terminal`]).

mod baseline;
pub mod criterion;
mod html;
#[cfg(test)]
mod sample;
pub mod store;
pub mod terminal;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

/// The version of the layout of `benches.json`. It grows when a field changes its meaning or goes away.
pub const SCHEMA: u32 = 1;

/// Benches that are so much older than the newest are told of: nothing may have measured them since they were renamed.
const STALE: TimeDelta = TimeDelta::hours(24);

/// All benches of a folder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Benches {
    /// [`SCHEMA`] at the time of writing.
    pub schema: u32,
    /// The name under which it is kept.
    pub name: String,
    /// When the folder was read, UTC.
    pub read_at: DateTime<Utc>,
    /// The command line that read it.
    pub command: String,
    /// Version of callbench.
    pub callbench: String,
    /// The folder of criterion.
    pub folder: String,
    /// By name; never empty.
    pub groups: Vec<Group>,
    /// What to know before the figures are trusted.
    pub warnings: Vec<String>,
}

/// Benches that are compared with each other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// As the bench has it: `cursor decode`.
    pub name: String,
    /// Baselines first, then by function, then by parameter.
    pub benches: Vec<Bench>,
}

/// One function, with one parameter if it has any. All times are of one iteration, in nanoseconds of criterion's clock;
/// a bench may take something else for time, such as that of a processor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Bench {
    /// What is measured: `worst filter`. The name of the group for a bench without one.
    pub function: String,
    /// What it is measured with: `optimized`.
    pub parameter: Option<String>,
    /// Whether others are compared with this one.
    pub is_baseline: bool,
    /// What criterion prints as time: the slope where there is one, else the mean.
    pub time_ns: Estimate,
    /// The mean of the samples.
    pub mean_ns: Estimate,
    /// The median of the samples.
    pub median_ns: Estimate,
    /// The slope of time over iterations; only of benches whose samples have different numbers of iterations.
    pub slope_ns: Option<Estimate>,
    /// What an iteration gets done, if the bench says so.
    pub throughput: Option<Throughput>,
    /// The time as a multiple of the baseline's; of a baseline itself, and in a group without one, none.
    pub beside_baseline: Option<Ratio>,
    /// When criterion wrote the estimates, UTC.
    pub measured_at: DateTime<Utc>,
}

/// A value and the interval that holds the true one.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The estimate itself.
    pub value: f64,
    /// Lower end of the interval.
    pub lower: f64,
    /// Upper end of the interval.
    pub upper: f64,
    /// How sure the interval is, between 0 and 1: 0.95.
    pub confidence: f64,
}

/// How much a bench gets done in a second, at [`Bench::time_ns`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Throughput {
    /// Elements of one iteration, such as rows.
    pub elements: Option<u64>,
    /// Bytes of one iteration.
    pub bytes: Option<u64>,
    /// Elements of a second.
    pub elements_per_second: Option<f64>,
    /// Bytes of a second.
    pub bytes_per_second: Option<f64>,
}

/// A time as a multiple of the baseline's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ratio {
    /// The function and, if it has one, the parameter of the baseline.
    pub baseline: String,
    /// Time over time.
    pub ratio: f64,
    /// The lower end over the baseline's upper end. With the other end it bounds the ratio at least as surely as the two
    /// intervals bound the times together, and so more widely than an interval of the ratio itself would.
    pub lower: f64,
    /// The upper end over the baseline's lower end.
    pub upper: f64,
}

impl Bench {
    /// The function and, if there is one, the parameter: `worst filter/optimized`.
    #[must_use]
    pub fn name(&self) -> String {
        match &self.parameter {
            Some(parameter) => format!("{}/{parameter}", self.function),
            None => self.function.clone(),
        }
    }
}

impl Throughput {
    /// Of so much in `time_ns` nanoseconds.
    #[must_use]
    pub fn of(elements: Option<u64>, bytes: Option<u64>, time_ns: f64) -> Self {
        let per_second = |much: u64| (time_ns > 0.0).then(|| much as f64 * 1e9 / time_ns);
        Self {
            elements,
            bytes,
            elements_per_second: elements.and_then(per_second),
            bytes_per_second: bytes.and_then(per_second),
        }
    }
}

impl Benches {
    /// Benches of these groups, with the warnings that follow from them.
    #[must_use]
    pub fn new(
        name: String,
        read_at: DateTime<Utc>,
        command: String,
        folder: String,
        groups: Vec<Group>,
    ) -> Self {
        let warnings = stale(&groups).into_iter().collect();
        let callbench = env!("CARGO_PKG_VERSION").to_owned();
        Self { schema: SCHEMA, name, read_at, command, callbench, folder, groups, warnings }
    }

    /// How many benches there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.groups.iter().map(|group| group.benches.len()).sum()
    }

    /// When the newest of them was measured.
    #[must_use]
    pub fn newest(&self) -> Option<DateTime<Utc>> {
        newest(&self.groups)
    }
}

fn newest(groups: &[Group]) -> Option<DateTime<Utc>> {
    groups.iter().flat_map(|group| &group.benches).map(|bench| bench.measured_at).max()
}

/// Criterion never removes what it wrote, so a bench that is gone looks like one that is there.
fn stale(groups: &[Group]) -> Option<String> {
    let newest = newest(groups)?;
    let old: Vec<String> = groups
        .iter()
        .flat_map(|group| group.benches.iter().map(move |bench| (group, bench)))
        .filter(|(_, bench)| newest - bench.measured_at > STALE)
        .map(|(group, bench)| format!("{}/{}", group.name, bench.name()))
        .collect();
    (!old.is_empty()).then(|| {
        format!(
            "measured more than a day before the newest, and perhaps renamed or removed since: {}; delete criterion's folder \
             and run `cargo bench` again to have only what is measured today",
            old.join(", ")
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_measured_with_the_others_is_told_of() {
        let mut benches = sample::benches();
        assert_eq!(stale(&benches.groups), None);
        benches.groups[0].benches[1].measured_at -= TimeDelta::hours(25);
        let warning = stale(&benches.groups).unwrap();
        assert!(warning.contains(": cursor decode/cursor; delete"), "{warning}");
    }

    #[test]
    fn throughput_is_of_a_second() {
        let throughput = Throughput::of(Some(50), Some(1_000), 2_000.0);
        assert_eq!(
            (throughput.elements_per_second, throughput.bytes_per_second),
            (Some(25_000_000.0), Some(500_000_000.0))
        );
        assert_eq!(Throughput::of(Some(1), None, 0.0).elements_per_second, None);
    }
}
