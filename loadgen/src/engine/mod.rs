//! The workers, and the windows that they work through.
//!
//! Goose supplies the pool: one `GooseUser` is one Tokio task with at most one request in flight. Its clock, its
//! throttle and its mitigation of coordinated omission are left out: they would pace and repair a closed loop, where
//! this one keeps a schedule. One attack lasts for the whole measurement, since starting and ending one takes longer
//! than a window. Each user runs a single long transaction, in which it takes its turns from the *stage* that is open
//! at the moment; the coordinator opens the next one only after every worker has left the last, so no backlog ever
//! leaks from one window into another.
//!
//! ```text
//! coordinator    open stage 1 ───────── drained │ open stage 2 ─────────
//! worker 1       turn ▒▒▒▒ turn ▒▒ leave ·······│ turn ▒▒▒ …
//! worker 2         turn ▒▒▒▒▒▒▒▒▒▒ leave ·······│    turn ▒ …
//! ```

mod closed;
mod open;
mod pool;
mod stage;
mod threads;

pub(crate) use closed::Users;
pub(crate) use open::Schedule;
pub(crate) use pool::{Ended, Engine, REQUEST_TIMEOUT};
pub(crate) use stage::{Component, Loop, Stage, Traffic};
