//! What clients saw, added up.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Counts of one trial, shared by its writers.
#[derive(Debug, Default)]
pub(super) struct Tally(Mutex<Counts>);

/// The counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) transactions: u64,
    pub(super) commits: u64,
    /// Transactions that were under way together with another.
    pub(super) overlapped: u64,
    /// Of these, with one that took one of the same rows.
    pub(super) met: u64,
    pub(super) deadlocks: u64,
    pub(super) serialization_failures: u64,
    pub(super) lock_timeouts: u64,
    pub(super) retries: u64,
    pub(super) given_up: u64,
    /// Changes of rows that were committed.
    pub(super) changes: i64,
    pub(super) failures: BTreeMap<String, u64>,
}

/// How an attempt was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Loss {
    Deadlock,
    Serialization,
    LockTimeout,
}

impl Loss {
    /// The loss that an error tells of; `None` for any other error.
    pub(super) fn of(error: &sqlx::Error) -> Option<Self> {
        match error.as_database_error()?.code()?.as_ref() {
            "40P01" => Some(Self::Deadlock),
            "40001" => Some(Self::Serialization),
            "55P03" => Some(Self::LockTimeout),
            _ => None,
        }
    }
}

impl Tally {
    /// Changes the counts.
    pub(super) fn note(&self, change: impl FnOnce(&mut Counts)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Counts a loss.
    pub(super) fn lost(&self, loss: Loss) {
        self.note(|counts| match loss {
            Loss::Deadlock => counts.deadlocks += 1,
            Loss::Serialization => counts.serialization_failures += 1,
            Loss::LockTimeout => counts.lock_timeouts += 1,
        });
    }

    /// Counts something that should not be.
    pub(super) fn failed(&self, what: String) {
        self.note(|counts| *counts.failures.entry(what).or_default() += 1);
    }

    /// The counts so far.
    pub(super) fn counts(&self) -> Counts {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
