//! What a case comes to, in figures that a budget can be held against.

use serde::{Deserialize, Serialize};

use super::trial::{Proof, Trial, Way};
use crate::run::Outcome;

/// One case: all of its trials in order together, beside its control.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    /// Its name.
    pub name: String,
    /// What its control has to show.
    pub proof: Proof,
    /// Transactions of that way in order which had fewest.
    pub transactions: u64,
    /// Deadlocks of all ways in order, as clients saw them or, where nobody else used the database, as the server counted
    /// them, whichever is more.
    pub deadlocks: u64,
    /// Updates that are missing in the rows, or are there twice, in all ways in order; `None` where nothing counted them.
    pub lost_updates: Option<u64>,
    /// Deadlocks of the control; `None` without one.
    pub control_deadlocks: Option<u64>,
    /// The same for its lost updates.
    pub control_lost_updates: Option<u64>,
    /// The worst verdict of its trials.
    pub outcome: Outcome,
}

/// The cases of these trials, in their order.
pub(super) fn cases(trials: &[Trial]) -> Vec<Case> {
    let mut names: Vec<&str> = trials.iter().map(|trial| trial.case.as_str()).collect();
    names.dedup();
    names.into_iter().filter_map(|name| case(name, trials)).collect()
}

fn case(name: &str, trials: &[Trial]) -> Option<Case> {
    let trials: Vec<&Trial> = trials.iter().filter(|trial| trial.case == name).collect();
    let (controls, ordered): (Vec<&Trial>, Vec<&Trial>) =
        trials.iter().copied().partition(|trial| trial.way == Way::Control);
    let deadlocks = |trials: &[&Trial]| -> u64 { trials.iter().map(|trial| trial.most_deadlocks()).sum() };
    let lost = |trials: &[&Trial]| -> Option<u64> {
        let lost = trials.iter().filter_map(|trial| trial.lost()).map(i64::unsigned_abs);
        lost.fold(None, |sum, lost| Some(sum.unwrap_or(0) + lost))
    };
    let has = |outcome| trials.iter().any(|trial| trial.judgement.outcome == outcome);
    Some(Case {
        name: name.to_owned(),
        proof: trials.first()?.proof,
        transactions: ordered.iter().map(|trial| trial.transactions).min().unwrap_or(0),
        deadlocks: deadlocks(&ordered),
        lost_updates: lost(&ordered),
        control_deadlocks: (!controls.is_empty()).then(|| deadlocks(&controls)),
        control_lost_updates: lost(&controls),
        outcome: [Outcome::Fail, Outcome::Inconclusive]
            .into_iter()
            .find(|outcome| has(*outcome))
            .unwrap_or(Outcome::Pass),
    })
}

#[cfg(test)]
mod tests {
    use super::super::sample::{locks, trial};
    use super::super::{Counter, Locks};
    use super::*;

    #[test]
    fn a_case_is_what_its_ways_in_order_show_beside_its_control() {
        let fewer = Trial { transactions: 19_000, counted_by_server: Some(2), ..trial(Way::Sql, 1) };
        let twice = Trial { counter: Some(Counter { expected: 5, found: 8 }), ..trial(Way::Api, 0) };
        let other = Trial { case: "other".into(), counter: None, ..trial(Way::Api, 0) };
        let trials = vec![trial(Way::Control, 25), fewer, twice, other];
        let judged = Locks { trials, ..locks() }.judged();
        assert_eq!(
            judged.cases[0],
            Case {
                name: "update_32".into(),
                proof: Proof::Deadlocks,
                transactions: 19_000,
                deadlocks: 2,
                lost_updates: Some(3),
                control_deadlocks: Some(25),
                control_lost_updates: Some(0),
                outcome: Outcome::Fail,
            }
        );
        let other = &judged.cases[1];
        assert_eq!(
            (other.control_deadlocks, other.lost_updates, other.outcome),
            (None, None, Outcome::Inconclusive)
        );
        assert_eq!(judged.cases.len(), 2);
    }
}
