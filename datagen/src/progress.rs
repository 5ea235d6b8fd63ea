//! What a caller can watch while a data set is loaded.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A phase of a load that is over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Phase {
    /// Its name: `copy <table>`, `index <name>`, `vacuum <table>`.
    pub name: String,
    /// When it began, in seconds after the load did. Phases overlap where there are several connections.
    #[serde(default)]
    pub began_seconds: f64,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// Rows that were sent, where it sends rows.
    pub rows: Option<u64>,
    /// Bytes that were sent, where it sends rows.
    pub bytes: Option<u64>,
}

impl Phase {
    /// `copy`, `index` or `vacuum`.
    #[must_use]
    pub fn kind(&self) -> &str {
        self.name.split(' ').next().unwrap_or_default()
    }

    /// When it was over, in seconds after the load began.
    #[must_use]
    pub fn end_seconds(&self) -> f64 {
        self.began_seconds + self.seconds
    }
}

/// The phases of a load for people: those that took a fiftieth of the time and a tenth of a second or more, and for each
/// kind the rest in one line; in the order of their beginning, rows first.
#[must_use]
pub fn condensed(phases: &[Phase]) -> Vec<Phase> {
    let all_seconds = phases.iter().map(Phase::end_seconds).fold(0.0, f64::max);
    let mut condensed = Vec::new();
    for kind in ["copy", "index", "vacuum"] {
        let of_kind = || phases.iter().filter(|phase| phase.kind() == kind);
        let (mut long, short): (Vec<&Phase>, Vec<&Phase>) =
            of_kind().partition(|phase| phase.seconds >= (all_seconds / 50.0).max(0.1));
        long.sort_by(|a, b| a.began_seconds.total_cmp(&b.began_seconds));
        condensed.extend(long.into_iter().cloned());
        match short[..] {
            [] => {}
            [one] => condensed.push(one.clone()),
            _ => {
                let began_seconds = short.iter().map(|phase| phase.began_seconds).fold(f64::MAX, f64::min);
                let sum = |of: fn(&Phase) -> Option<u64>| short.iter().map(|phase| of(phase)).sum();
                condensed.push(Phase {
                    name: format!("{kind}, {} smaller", short.len()),
                    began_seconds,
                    seconds: short.iter().map(|phase| phase.seconds).sum(),
                    rows: sum(|phase| phase.rows),
                    bytes: sum(|phase| phase.bytes),
                });
            }
        }
    }
    condensed
}

/// A time in seconds, to the microsecond: so many digits survive the database's numbers.
pub(crate) fn seconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e6
}

/// What a phase counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Rows of a table.
    Rows,
    /// Steps, as many as the phase has: checks, or the thousandths of an index.
    Steps,
}

/// Hears how a load goes; several phases may be under way at once. Called from several threads; it must not block for long, and nothing it does can change what
/// is loaded.
pub trait Progress: Send + Sync {
    /// A phase begins. `total` is how many units there will be, as far as one can know (rows of `customer_label` and
    /// `call_campaign_customer` are estimated from a sample).
    fn phase_started(&self, _name: &str, _total: u64, _unit: Unit) {}
    /// So many more units of the phase `name` are done, with so many bytes sent.
    fn advanced(&self, _name: &str, _units: u64, _bytes: u64) {}
    /// The phase is over.
    fn phase_finished(&self, _phase: &Phase) {}
}

/// Nobody watches.
impl Progress for () {}

#[cfg(test)]
mod tests {
    use super::*;

    fn phase(name: &str, began_seconds: f64, seconds: f64, rows: Option<u64>) -> Phase {
        Phase { name: name.to_owned(), began_seconds, seconds, rows, bytes: rows }
    }

    #[test]
    fn short_phases_share_a_line_and_nothing_is_lost() {
        let phases = [
            phase("copy label", 0.2, 0.1, Some(5)),
            phase("copy workspace", 0.3, 0.1, Some(2)),
            phase("copy call", 0.0, 50.0, Some(1_000)),
            phase("index call_pkey", 50.0, 40.0, None),
            phase("index label_pkey", 0.5, 0.1, None),
            phase("vacuum call", 90.0, 10.0, None),
        ];
        assert_eq!(
            condensed(&phases),
            [
                phase("copy call", 0.0, 50.0, Some(1_000)),
                phase("copy, 2 smaller", 0.2, 0.2, Some(7)),
                phase("index call_pkey", 50.0, 40.0, None),
                phase("index label_pkey", 0.5, 0.1, None),
                phase("vacuum call", 90.0, 10.0, None),
            ]
        );
    }
}
