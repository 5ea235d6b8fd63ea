//! The profile in the form in which rows draw from it: tables that answer in one step.

use super::{CallStatus, Profile, Status};
use crate::distributions::{Quantiles, Shares, TALK_TIME_MS};

/// Values of `quality`, as [`Odds::quality`] numbers them: least engaged first.
pub(crate) const QUALITIES: [&str; 4] = ["dead", "cold", "warm", "hot"];
/// Values of `status`, as [`Odds::status_of_oldest`] and the others number them.
pub(crate) const STATUSES: [&str; 4] = ["active", "inactive", "blocked", "pending"];
/// Values of `call_status`, as [`Odds::call_status_of_newest`] and the others number them.
pub(crate) const CALL_STATUSES: [&str; 4] = ["pending", "calling", "completed", "failed"];

/// Tables made of a profile that [`Profile::check`] accepts.
#[derive(Debug)]
pub(crate) struct Odds {
    pub(crate) quality: Shares,
    pub(crate) status_of_oldest: Shares,
    pub(crate) status_of_newest: Shares,
    pub(crate) status_of_engaged: Shares,
    pub(crate) status_of_unengaged: Shares,
    pub(crate) call_status_of_newest: Shares,
    /// By the number of the quality.
    pub(crate) call_status: [Shares; 4],
    pub(crate) labels: Shares,
    pub(crate) enrolments: Shares,
    pub(crate) kinds: Shares,
    /// In milliseconds.
    pub(crate) talk_time: Quantiles,
}

impl Odds {
    pub(crate) fn new(profile: &Profile) -> Self {
        let customers = &profile.customers;
        let quality = &customers.quality;
        let status = |of: &Status| Shares::new(&[of.active, of.inactive, of.blocked, of.pending]);
        let call_status = |of: &CallStatus| Shares::new(&[of.pending, of.calling, of.completed, of.failed]);
        let kinds = &profile.calls.kinds;
        let by_quality = &customers.call_status;
        Self {
            quality: Shares::new(&[quality.dead, quality.cold, quality.warm, quality.hot]),
            status_of_oldest: status(&customers.status.oldest),
            status_of_newest: status(&customers.status.newest),
            status_of_engaged: status(&customers.status.engaged),
            status_of_unengaged: status(&customers.status.unengaged),
            call_status_of_newest: call_status(&by_quality.newest),
            call_status: [&by_quality.dead, &by_quality.cold, &by_quality.warm, &by_quality.warm]
                .map(call_status),
            labels: Shares::new(&profile.labels.per_customer),
            enrolments: Shares::new(&profile.enrolments.per_customer),
            kinds: Shares::new(&[kinds.campaign, kinds.direct, kinds.callback]),
            talk_time: TALK_TIME_MS.scaled(profile.calls.median_talk_seconds, 72),
        }
    }
}
