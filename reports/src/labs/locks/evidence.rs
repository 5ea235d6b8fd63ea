//! What budgets can be held against in the lock lab: of each case, in each way, what became of its transactions.

use super::{Locks, Trial};
use crate::budgets::{Evidence, Kind, Measured, Metric, Tally, exact, nothing};
use crate::run::Unit;
use crate::summary::Case;

impl Evidence for Locks {
    fn kind(&self) -> Kind {
        Kind::Locks
    }

    fn is_complete(&self) -> bool {
        self.complete
    }

    fn subjects(&self) -> Vec<String> {
        distinct(self.trials.iter().map(|trial| trial.way.name()))
    }

    fn operations(&self) -> Vec<String> {
        distinct(self.trials.iter().map(|trial| trial.case.as_str()))
    }

    fn planned(&self) -> Vec<String> {
        self.operations()
    }

    /// In somebody's database nothing counts the changes that come through the API.
    fn is_counted(&self, case: Case<'_>, metric: Metric) -> bool {
        let counts = |trial: &Trial| metric != Metric::Tally(Tally::LostUpdates) || trial.counter.is_some();
        self.trial(case).is_none_or(counts)
    }

    fn absolute(&self, case: Case<'_>, metric: Metric, _: f64) -> Measured {
        let (Some(trial), Metric::Tally(tally)) = (self.trial(case), metric) else {
            return Measured::Missing(nothing(self, case));
        };
        let count = match tally {
            Tally::Transactions => Some(trial.transactions),
            Tally::Deadlocks => Some(trial.most_deadlocks()),
            Tally::LostUpdates => trial.lost().map(i64::unsigned_abs),
            Tally::GivenUp => Some(trial.given_up),
            Tally::Failures => Some(trial.failures.values().sum()),
        };
        match count {
            Some(count) => Measured::Value {
                estimate: exact(count as f64),
                unit: Unit::Count,
                samples: trial.transactions,
                needs: (1, "transaction"),
            },
            None => {
                Measured::Missing(format!("Nothing counted the updates of {} {}.", trial.case, case.subject))
            }
        }
    }

    fn ratio(&self, case: Case<'_>, _: Case<'_>, _: Metric, _: f64) -> Measured {
        Measured::Missing(nothing(self, case))
    }

    fn distrust(&self, _: Case<'_>) -> Option<String> {
        None
    }
}

impl Locks {
    fn trial(&self, case: Case<'_>) -> Option<&Trial> {
        let is_meant = |trial: &&Trial| trial.case == case.operation && trial.way.name() == case.subject;
        self.trials.iter().find(is_meant)
    }
}

fn distinct<'a>(names: impl Iterator<Item = &'a str>) -> Vec<String> {
    names.fold(Vec::new(), |mut known, name| {
        if !known.iter().any(|known: &String| known == name) {
            known.push(name.to_owned());
        }
        known
    })
}

#[cfg(test)]
mod tests {
    use super::super::sample::{locks, trial};
    use super::super::{Counter, Way};
    use super::*;
    use crate::budgets::{DEFAULT, exit_code_of, judge, parse};
    use crate::run::{Outcome, Verdict};

    const BUDGETS: &str = "schema = 1\n[ordered]\nlab = \"locks\"\noperation = \"update_32\"\nsubject = [\"sql\"]\n\
                           counts = [\"deadlocks = 0\", \"lost_updates = 0\", \"transactions >= 20000\"]\n\
                           [control]\nlab = \"locks\"\noperation = \"update_32\"\nsubject = \"control\"\n\
                           counts = [\"deadlocks > 0\"]\n";

    fn outcomes(found: &Locks) -> Vec<Outcome> {
        judge(&parse("b.toml", BUDGETS).unwrap(), found).into_iter().map(|verdict| verdict.outcome).collect()
    }

    fn found(control: u64, ordered: Trial) -> Locks {
        Locks { trials: vec![trial(Way::Control, control), ordered], ..locks() }.judged()
    }

    #[test]
    fn no_deadlock_in_order_and_some_without_keep_the_budgets() {
        use Outcome::{Fail, Pass};
        let good = Trial { transactions: 20_000, counted_by_server: Some(0), ..trial(Way::Sql, 0) };
        assert_eq!(outcomes(&found(25, good.clone())), [Pass, Pass, Pass, Pass]);
        assert_eq!(outcomes(&found(0, good.clone())), [Pass, Pass, Pass, Fail]);
        let seen_by_server = Trial { counted_by_server: Some(1), ..good.clone() };
        assert_eq!(outcomes(&found(25, seen_by_server)), [Fail, Pass, Pass, Pass]);
        let of_others = Trial { counted_by_server: Some(1), alone: false, ..good.clone() };
        assert_eq!(outcomes(&found(25, of_others)), [Pass, Pass, Pass, Pass]);
        let lost = Trial { counter: Some(Counter { expected: 5, found: 4 }), ..good.clone() };
        assert_eq!(outcomes(&found(25, lost)), [Pass, Fail, Pass, Pass]);
        let few = Trial { transactions: 19_999, ..good };
        assert_eq!(outcomes(&found(25, few)), [Pass, Pass, Fail, Pass]);
    }

    #[test]
    fn what_was_not_counted_and_what_did_not_run_is_said() {
        let uncounted = Trial { counter: None, ..trial(Way::Sql, 0) };
        let verdicts = judge(&parse("b.toml", BUDGETS).unwrap(), &found(25, uncounted));
        assert_eq!(verdicts[1].reason, "Nothing counted the updates of update_32 sql.");
        let alone = Locks { trials: vec![trial(Way::Control, 25)], ..locks() };
        let verdicts = judge(&parse("b.toml", BUDGETS).unwrap(), &alone);
        assert_eq!(verdicts[0].reason, "This run measured no subject `sql` (it has: control).");
    }

    #[test]
    fn the_default_budgets_speak_of_every_case_in_every_way_that_ran() {
        let budgets = parse("budgets.toml", DEFAULT).unwrap();
        let good = Trial { transactions: 20_000, counted_by_server: Some(0), ..trial(Way::Sql, 0) };
        let found = found(25, good);
        let verdicts: Vec<Verdict> = judge(&budgets.applicable_to(&found), &found);
        assert_eq!((verdicts.len(), exit_code_of(&verdicts)), (4, 0), "{verdicts:#?}");
    }

    #[test]
    fn the_default_budgets_do_not_ask_for_updates_that_nothing_could_count() {
        let uncounted = Trial { counter: None, ..trial(Way::Api, 0) };
        let found = found(25, uncounted);
        let judged = |budgets: &str, named: bool| {
            let budgets = parse("budgets.toml", budgets).unwrap();
            judge(&if named { budgets } else { budgets.applicable_to(&found) }, &found)
        };
        let verdicts = judged(DEFAULT, false);
        let rules: Vec<&str> = verdicts.iter().map(|verdict| verdict.rule.as_str()).collect();
        assert_eq!(rules, ["deadlocks = 0", "transactions >= 20000", "deadlocks > 0"]);
        assert_eq!(exit_code_of(&verdicts), 0, "{verdicts:#?}");
        // Who names a file is told what it lacks.
        let own = "schema = 1\n[a]\nlab = \"locks\"\noperation = \"update_32\"\nsubject = \"api\"\n\
                   counts = [\"lost_updates = 0\"]\n";
        assert_eq!(exit_code_of(&judged(own, true)), 1);
    }
}
