//! What a trial proves.

use serde::{Deserialize, Serialize};

use super::trial::{Proof, Trial, Way};
use crate::quantity;
use crate::run::Outcome;

/// Transactions from which on a zero is worth something: it then rules out shares above 0.015 %.
pub const ENOUGH: u64 = 20_000;

/// The answer to one trial.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Judgement {
    /// Pass, fail, or neither.
    pub outcome: Outcome,
    /// One sentence on why.
    pub reason: String,
}

impl Default for Judgement {
    fn default() -> Self {
        Self { outcome: Outcome::Inconclusive, reason: "not judged".to_owned() }
    }
}

/// Judges all trials. One in order passes only beside a control that shows what it is to rule out.
pub(super) fn judge(trials: &mut [Trial]) {
    let mut judged: Vec<(Outcome, String)> = trials.iter().map(alone).collect();
    for (trial, judged) in trials.iter().zip(&mut judged) {
        if trial.way == Way::Control || judged.0 != Outcome::Pass {
            continue;
        }
        let control = trials.iter().find(|other| other.case == trial.case && other.way == Way::Control);
        match control {
            None => *judged = (Outcome::Inconclusive, "proves nothing: it has no control".to_owned()),
            Some(control) if !shows(control) => {
                let what = match trial.proof {
                    Proof::Deadlocks => "did not deadlock",
                    Proof::LostUpdates => "lost no update",
                };
                *judged = (Outcome::Inconclusive, format!("proves nothing: its control {what} either"));
            }
            Some(_) => {}
        }
    }
    for (trial, (outcome, reason)) in trials.iter_mut().zip(judged) {
        trial.judgement = Judgement { outcome, reason };
    }
}

/// Whether a control has shown what it was to show.
fn shows(control: &Trial) -> bool {
    match control.proof {
        Proof::Deadlocks => control.deadlocks > 0,
        Proof::LostUpdates => control.lost().is_some_and(|lost| lost > 0),
    }
}

fn alone(trial: &Trial) -> (Outcome, String) {
    let disagreement = trial.counted_by_server.filter(|counted| *counted != trial.deadlocks);
    match trial.way {
        Way::Control => control(trial, disagreement),
        Way::Api | Way::Sql => ordered(trial, disagreement),
    }
}

fn control(trial: &Trial, disagreement: Option<u64>) -> (Outcome, String) {
    let exposure = quantity::plural(trial.transactions, "transaction");
    match trial.proof {
        Proof::Deadlocks if trial.deadlocks == 0 => (
            Outcome::Inconclusive,
            format!("proves nothing: no deadlock in {exposure}; give it more --transactions or --threads"),
        ),
        Proof::Deadlocks => match (disagreement, trial.lost()) {
            (_, Some(lost)) if lost != 0 => (Outcome::Fail, missing(lost)),
            (Some(counted), _) => (
                Outcome::Inconclusive,
                format!(
                    "clients saw {}, the server counted {}; somebody else may use the database",
                    quantity::plural(trial.deadlocks, "deadlock"),
                    quantity::count(counted)
                ),
            ),
            (None, _) => {
                let attempts = quantity::plural(trial.attempts(), "attempt");
                let deadlocks = quantity::plural(trial.deadlocks, "deadlock");
                (Outcome::Pass, format!("{deadlocks} in {attempts}, as it must"))
            }
        },
        Proof::LostUpdates => match trial.lost() {
            Some(lost) if lost > 0 => (
                Outcome::Pass,
                format!("{} lost in {exposure}, as it must", quantity::plural(lost.unsigned_abs(), "update")),
            ),
            _ => (
                Outcome::Inconclusive,
                format!("proves nothing: no update was lost in {exposure}; give it more --transactions"),
            ),
        },
    }
}

fn ordered(trial: &Trial, disagreement: Option<u64>) -> (Outcome, String) {
    let exposure = quantity::plural(trial.transactions, "transaction");
    if trial.deadlocks > 0 {
        return (Outcome::Fail, format!("{} in {exposure}", quantity::plural(trial.deadlocks, "deadlock")));
    }
    let unseen = disagreement.map(|counted| {
        format!("the server counted {} that no client saw", quantity::plural(counted, "deadlock"))
    });
    if let Some(unseen) = unseen.as_ref().filter(|_| trial.alone) {
        return (Outcome::Fail, unseen.clone());
    }
    if let Some(lost) = trial.lost().filter(|lost| *lost != 0) {
        return (Outcome::Fail, missing(lost));
    }
    if let Some(unseen) = unseen {
        return (Outcome::Inconclusive, format!("{unseen}; somebody else may use the database"));
    }
    if let Some((what, times)) = trial.failures.iter().next() {
        let more = if trial.failures.len() > 1 { ", and more" } else { "" };
        return (Outcome::Inconclusive, format!("{} x {what}{more}", quantity::count(*times)));
    }
    if trial.serialization_failures + trial.lock_timeouts > 0 {
        let (failures, timeouts) = (trial.serialization_failures, trial.lock_timeouts);
        let told = format!(
            "{} and {}",
            quantity::plural(failures, "serialization failure"),
            quantity::plural(timeouts, "lock timeout")
        );
        return (Outcome::Inconclusive, told);
    }
    if trial.transactions < trial.asked {
        let asked = quantity::count(trial.asked);
        return (Outcome::Inconclusive, format!("interrupted after {exposure} of {asked}"));
    }
    if trial.overlapped == 0 || trial.met == Some(0) {
        let what = if trial.overlapped == 0 {
            "no two were under way at once"
        } else {
            "no two met with the same row"
        };
        return (
            Outcome::Inconclusive,
            format!("proves nothing: {what}; give it more --transactions or --threads"),
        );
    }
    if trial.index_builds == Some(0) {
        return (
            Outcome::Inconclusive,
            "no index was built meanwhile; give it more --transactions".to_owned(),
        );
    }
    match trial.proof {
        Proof::Deadlocks => {
            let bound = trial.bound().map_or_else(|| "–".to_owned(), below);
            let beside = trial.index_builds.map_or_else(String::new, |builds| {
                format!(" beside {}", quantity::plural(builds, "index build"))
            });
            (Outcome::Pass, format!("0 deadlocks in {exposure}{beside} (below {bound})"))
        }
        Proof::LostUpdates => (Outcome::Pass, format!("every one of {exposure} is in the rows")),
    }
}

fn missing(lost: i64) -> String {
    let updates = quantity::plural(lost.unsigned_abs(), "update");
    if lost > 0 { format!("{updates} lost") } else { format!("{updates} more than were committed") }
}

/// A small share, with two digits.
pub(super) fn below(share: f64) -> String {
    let percent = share * 100.0;
    let digits = if percent >= 1.0 { 1 } else { digits(percent) };
    format!("{percent:.digits$} %")
}

/// Decimals that leave two digits of a number below 1.
fn digits(number: f64) -> usize {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few decimals")]
    let zeros = if number > 0.0 { (-number.log10()).floor().clamp(0.0, 8.0) as usize } else { 0 };
    zeros + 2
}

#[cfg(test)]
mod tests {
    use super::super::sample::{locks, trial};
    use super::super::{Counter, Locks};
    use super::*;

    fn verdicts(trials: Vec<Trial>) -> Vec<(Outcome, String)> {
        let judged = Locks { trials, ..locks() }.judged();
        judged.trials.into_iter().map(|trial| (trial.judgement.outcome, trial.judgement.reason)).collect()
    }

    /// The verdict on a trial in order, beside a control that deadlocks.
    fn beside_control(ordered: Trial) -> (Outcome, String) {
        verdicts(vec![trial(Way::Control, 25), ordered]).remove(1)
    }

    #[test]
    fn a_zero_passes_with_its_bound_beside_a_control_that_deadlocks() {
        let all = verdicts(vec![trial(Way::Control, 25), trial(Way::Sql, 0), trial(Way::Api, 0)]);
        assert!(all.iter().all(|(outcome, _)| *outcome == Outcome::Pass), "{all:?}");
        assert_eq!(all[0].1, "25 deadlocks in 20,025 attempts, as it must");
        assert_eq!(all[1].1, "0 deadlocks in 20,000 transactions (below 0.015 %)");
        let beside = beside_control(Trial { index_builds: Some(3), ..trial(Way::Sql, 0) });
        assert_eq!(beside.1, "0 deadlocks in 20,000 transactions beside 3 index builds (below 0.015 %)");
    }

    #[test]
    fn a_zero_proves_nothing_if_its_control_did_not_deadlock_or_is_not_there() {
        let all = verdicts(vec![trial(Way::Control, 0), trial(Way::Sql, 0)]);
        assert!(all.iter().all(|(outcome, _)| *outcome == Outcome::Inconclusive), "{all:?}");
        assert!(all[1].1.contains("its control did not deadlock"), "{all:?}");
        let alone = verdicts(vec![trial(Way::Sql, 0)]);
        assert!(alone[0].0 == Outcome::Inconclusive && alone[0].1.contains("no control"), "{alone:?}");
        let other = Trial { case: "another".into(), ..trial(Way::Control, 25) };
        assert_eq!(verdicts(vec![other, trial(Way::Sql, 0)])[1].0, Outcome::Inconclusive);
    }

    #[test]
    fn an_ordered_trial_fails_by_a_deadlock_whoever_counted_it_and_by_a_lost_update() {
        assert_eq!(beside_control(trial(Way::Sql, 1)).0, Outcome::Fail);
        let unseen = Trial { counted_by_server: Some(2), ..trial(Way::Api, 0) };
        let (outcome, reason) = beside_control(unseen.clone());
        assert!(outcome == Outcome::Fail && reason.contains("2 deadlocks that no client saw"), "{reason}");
        // In a database of others it may be theirs, and a lost update still fails.
        let (outcome, reason) = beside_control(Trial { alone: false, ..unseen.clone() });
        assert!(outcome == Outcome::Inconclusive && reason.contains("somebody else"), "{reason}");
        let counter = Some(Counter { expected: 10, found: 9 });
        assert_eq!(beside_control(Trial { alone: false, counter, ..unseen }).0, Outcome::Fail);
        for (found, says) in [(9, "1 update lost"), (11, "1 update more")] {
            let counter = Some(Counter { expected: 10, found });
            let (outcome, reason) = beside_control(Trial { counter, ..trial(Way::Sql, 0) });
            assert!(outcome == Outcome::Fail && reason.contains(says), "{reason}");
        }
    }

    #[test]
    fn what_was_cut_short_or_failed_otherwise_is_no_proof() {
        let cut = Trial { transactions: 10, ..trial(Way::Sql, 0) };
        let failed = Trial { failures: [("status 500".to_owned(), 3)].into(), ..trial(Way::Api, 0) };
        let unbuilt = Trial { index_builds: Some(0), ..trial(Way::Sql, 0) };
        let timeouts = Trial { lock_timeouts: 1, ..trial(Way::Sql, 0) };
        let unmet = Trial { met: Some(0), ..trial(Way::Sql, 0) };
        let alone = Trial { overlapped: 0, met: None, ..trial(Way::Api, 0) };
        for trial in [cut, failed, unbuilt, timeouts, unmet, alone] {
            assert_eq!(beside_control(trial).0, Outcome::Inconclusive);
        }
    }

    #[test]
    fn a_control_is_held_against_the_count_of_the_server() {
        let differs = Trial { counted_by_server: Some(24), ..trial(Way::Control, 25) };
        let all = verdicts(vec![differs]);
        assert!(all[0].0 == Outcome::Inconclusive && all[0].1.contains("the server counted 24"), "{all:?}");
    }

    #[test]
    fn a_control_of_lost_updates_must_lose_some() {
        let control = |found| Trial {
            proof: Proof::LostUpdates,
            counter: Some(Counter { expected: 10, found }),
            ..trial(Way::Control, 0)
        };
        assert_eq!(
            verdicts(vec![control(7)])[0],
            (Outcome::Pass, "3 updates lost in 20,000 transactions, as it must".into())
        );
        assert_eq!(verdicts(vec![control(10)])[0].0, Outcome::Inconclusive);
    }

    #[test]
    fn codes_follow_the_worst_verdict() {
        let code = |trials| Locks { trials, ..locks() }.judged().exit_code();
        assert_eq!(code(vec![trial(Way::Control, 25), trial(Way::Sql, 0)]), 0);
        assert_eq!(code(vec![trial(Way::Control, 25), trial(Way::Sql, 1)]), 1);
        assert_eq!(code(vec![trial(Way::Control, 0), trial(Way::Sql, 0)]), 2);
        assert_eq!(code(vec![]), 2);
        let cut = Locks { complete: false, ..locks() };
        assert_eq!((locks().exit_code(), cut.exit_code()), (0, 2));
    }
}
