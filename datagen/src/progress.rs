//! What a caller can watch while a data set is loaded.

use serde::{Deserialize, Serialize};

/// A phase of a load that is over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Phase {
    /// Its name: `copy <table>`, `totals`, `indexes`, `vacuum`.
    pub name: String,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// Rows that were sent, where it sends rows.
    pub rows: Option<u64>,
    /// Bytes that were sent, where it sends rows.
    pub bytes: Option<u64>,
}

/// What a phase counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Rows of a table.
    Rows,
    /// Indexes, each of which counts as one.
    Indexes,
    /// Tables, each of which counts as one.
    Tables,
}

/// Hears how a load goes. Called from several threads; it must not block for long, and nothing it does can change what
/// is loaded.
pub trait Progress: Send + Sync {
    /// A phase begins. `total` is how many units there will be, as far as one can know (rows of `customer_label` and
    /// `call_campaign_customer` are estimated from a sample).
    fn phase_started(&self, _name: &str, _total: u64, _unit: Unit) {}
    /// So many more units are done, with so many bytes sent.
    fn advanced(&self, _units: u64, _bytes: u64) {}
    /// The phase is over.
    fn phase_finished(&self, _phase: &Phase) {}
}

/// Nobody watches.
impl Progress for () {}
