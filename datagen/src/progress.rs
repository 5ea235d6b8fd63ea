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

/// A time in seconds, to the microsecond: so many digits survive the database's numbers.
pub(crate) fn seconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e6
}

/// What a phase counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Rows of a table.
    Rows,
    /// One thing that is done or not: an index, a vacuum.
    Whole,
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
