//! What a CI job obeys.

use crate::run::{Outcome, Run, Verdict, Weight};

/// The exit code of a judged run.
///
/// | code | meaning |
/// |---|---|
/// | 0 | the run was complete, every check held, there was at least one verdict, and each is a pass or has a policy of `warn` or `pass` |
/// | 1 | a check did not hold; or a verdict is a fail (a rule about something that the run lacks is one under `no_data = "fail"`), or inconclusive under a policy of `fail` |
/// | 2 | nothing of that, but the run could not be judged: it was interrupted, no budget speaks of it, or a verdict is inconclusive under the policy `undecided` |
#[must_use]
pub fn exit_code(run: &Run) -> u8 {
    let of_verdicts = exit_code_of(&run.verdicts);
    if run.checks.iter().any(|check| !check.passed) || of_verdicts == 1 {
        1
    } else if !run.complete || run.verdicts.is_empty() {
        2
    } else {
        of_verdicts
    }
}

/// The same for verdicts alone: 1 when one weighs as a fail, 2 when one could not be told, 0 otherwise, so also without any.
#[must_use]
pub fn exit_code_of(verdicts: &[Verdict]) -> u8 {
    let weight = |verdict: &Verdict| match verdict.outcome {
        Outcome::Pass => Weight::Pass,
        Outcome::Fail => Weight::Fail,
        Outcome::Inconclusive => verdict.weight,
    };
    let any = |wanted: Weight| verdicts.iter().any(|verdict| weight(verdict) == wanted);
    if any(Weight::Fail) {
        1
    } else if any(Weight::Undecided) {
        2
    } else {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn a_complete_run_whose_budgets_hold_exits_with_0() {
        assert_eq!(exit_code(&sample::run()), 0);
    }

    #[test]
    fn a_failed_verdict_or_check_exits_with_1_even_when_others_are_inconclusive() {
        let mut run = sample::run();
        run.verdicts[0].outcome = Outcome::Inconclusive;
        run.verdicts[0].weight = Weight::Undecided;
        run.verdicts[1].outcome = Outcome::Fail;
        assert_eq!(exit_code(&run), 1);
        let mut run = sample::run();
        run.checks[0].passed = false;
        assert_eq!(exit_code(&run), 1);
    }

    #[test]
    fn an_inconclusive_verdict_exits_as_the_policy_says() {
        let mut run = sample::run();
        run.verdicts[0].outcome = Outcome::Inconclusive;
        for (weight, code) in
            [(Weight::Fail, 1), (Weight::Undecided, 2), (Weight::Warn, 0), (Weight::Pass, 0)]
        {
            run.verdicts[0].weight = weight;
            assert_eq!(exit_code(&run), code, "{weight:?}");
        }
    }

    #[test]
    fn an_interrupted_run_or_one_without_a_verdict_exits_with_2() {
        let mut run = sample::run();
        run.complete = false;
        assert_eq!(exit_code(&run), 2);
        let mut run = sample::run();
        run.verdicts.clear();
        assert_eq!(exit_code(&run), 2);
    }
}
