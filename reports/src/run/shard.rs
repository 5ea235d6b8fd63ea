//! One of several processes that send one schedule together.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// Which part of a schedule a run has sent, and what it needs to be put together with the others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Shard {
    /// Its number, from 0: it sent the arrivals whose number leaves this when divided by [`Self::of`].
    pub index: u64,
    /// How many shards there are.
    pub of: u64,
    /// When the window was to open in all of them.
    pub start_at: Option<DateTime<Utc>>,
    /// How many milliseconds later it opened, by the clock of this machine; `None` without a start.
    pub late_ms: Option<f64>,
    /// SHA-256 of the plan in hexadecimal digits, the same for all shards of it.
    pub plan_sha256: String,
}
