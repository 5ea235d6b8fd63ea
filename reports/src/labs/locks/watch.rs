//! What a lock monitor has seen.

use serde::{Deserialize, Serialize};

use crate::run::{BlockedMoment, ProbeCost};

/// Who waited for locks in a database while somebody looked.
///
/// It is made of looks. A wait that begins and ends between two of them is in none; so the numbers of waits are at least
/// what there was, and the longest wait is at least as long as here.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Watch {
    /// Milliseconds from one look to the next.
    pub period_ms: f64,
    /// Seconds from the first look to the last.
    pub seconds: f64,
    /// Looks that were taken.
    pub looks: u64,
    /// Looks that fell out because the one before took too long, or because the database did not answer.
    pub missed: u64,
    /// Looks in which somebody waited.
    pub looks_with_waits: u64,
    /// Waits that were seen: a session that waits is counted once, in however many looks it is.
    pub waits: u64,
    /// Milliseconds of the longest wait, as far as it was seen; `None` without one.
    pub longest_ms: Option<f64>,
    /// The moment at which most sessions waited.
    pub worst: Option<BlockedMoment>,
    /// Deadlocks that the server counted from the first look to the last, in the whole database; `None` where it keeps no
    /// statistics. A session hands in what it counted when it ends, or after some seconds.
    pub deadlocks: Option<u64>,
    /// What the looks cost the connection that took them.
    pub costs: Vec<ProbeCost>,
    /// What the user may not see, and other things to know: whole sentences.
    pub hidden: Vec<String>,
    /// One entry for each look with a wait, and one for the look after it; nobody waited in between. Of more than 600 it has
    /// the worst of each 600th of the time. Kept by the lab, not by a watch that may last for days.
    pub strip: Vec<Waiting>,
}

/// How many waited at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Waiting {
    /// Seconds since the first look.
    pub at_s: f64,
    /// Sessions that waited for a lock.
    pub waiting: u64,
    /// Milliseconds that the longest of them had waited by then.
    pub longest_ms: Option<f64>,
}
