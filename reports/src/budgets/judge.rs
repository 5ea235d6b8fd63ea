//! Holding each rule against what was measured.

use super::evidence::{Evidence, Measured, exact, nothing, words};
use super::rule::Rule;
use super::{Budget, Budgets, Policy};
use crate::quantity;
use crate::run::{Bound, Observed, Outcome, Unit, Verdict, Weight};
use crate::stats::Estimate;
use crate::summary::Case;

/// One verdict per rule that is about results of this kind, in the order of the file.
///
/// Times are judged by `response`, which counts the wait for a server that falls behind. A verdict is a pass or a
/// fail only when the whole interval lies on one side of the limit; an interrupted run, an invalid window, or too few
/// samples leave it inconclusive. A rule about something that the run does not have gets the policy's `no_data`.
#[must_use]
pub fn judge(budgets: &Budgets, evidence: &dyn Evidence) -> Vec<Verdict> {
    let about = budgets.budgets.iter().filter(|budget| budget.kind == evidence.kind());
    about.flat_map(|budget| judge_budget(&budgets.policy, budget, evidence)).collect()
}

fn judge_budget(policy: &Policy, budget: &Budget, evidence: &dyn Evidence) -> Vec<Verdict> {
    let case = Case { subject: &budget.subject, operation: &budget.operation };
    let own = budget.rules.iter().map(|rule| Trial { policy, budget, evidence, case, rule, base: None });
    let versus = budget.versus.iter().flat_map(|versus| {
        versus.rules.iter().map(move |rule| Trial {
            policy,
            budget,
            evidence,
            case,
            rule,
            base: Some(&versus.base),
        })
    });
    own.chain(versus).map(|trial| trial.verdict()).collect()
}

/// One rule, held against the run.
struct Trial<'a> {
    policy: &'a Policy,
    budget: &'a Budget,
    evidence: &'a dyn Evidence,
    case: Case<'a>,
    rule: &'a Rule,
    base: Option<&'a str>,
}

/// An answer before it is put into a [`Verdict`].
struct Answer {
    outcome: Outcome,
    weight: Weight,
    reason: String,
}

impl Trial<'_> {
    fn verdict(&self) -> Verdict {
        let confidence = self.policy.confidence;
        let measured = match self.base_case() {
            Some(Err(missing)) => Measured::Missing(missing),
            Some(Ok(base)) => self.ratio(base, confidence),
            None => self.evidence.absolute(self.case, self.rule.metric, confidence),
        };
        let (observed, answer) = match measured {
            Measured::Missing(reason) => (None, self.without_data(reason)),
            Measured::Value { estimate, unit, samples, needs } => {
                let observed =
                    Observed { value: estimate.value, low: estimate.low, high: estimate.high, unit, samples };
                (
                    Some(observed),
                    self.distrust().unwrap_or_else(|| self.weigh(estimate, unit, samples, needs)),
                )
            }
        };
        Verdict {
            budget: self.budget.name.clone(),
            rule: self.rule.text.clone(),
            subject: self.budget.subject.clone(),
            operation: self.budget.operation.clone(),
            headroom: observed.and_then(|observed| self.headroom(observed.value)),
            observed,
            limit: self.rule.limit,
            outcome: answer.outcome,
            reason: answer.reason,
            against: self.base.map(str::to_owned),
            bound: self.rule.bound(),
            weight: answer.weight,
        }
    }

    /// The base of a ratio: another subject under the same operation, or the same subject under another operation.
    fn base_case(&self) -> Option<Result<Case<'_>, String>> {
        let base = self.base?;
        let subject = Case { subject: base, operation: self.case.operation };
        let operation = Case { subject: self.case.subject, operation: base };
        Some(if self.evidence.subjects().iter().any(|name| name == base) {
            Ok(subject)
        } else if self.evidence.operations().iter().any(|name| name == base) {
            Ok(operation)
        } else {
            Err(nothing(self.evidence, subject))
        })
    }

    fn without_data(&self, reason: String) -> Answer {
        if !self.evidence.is_complete() {
            return self.inconclusive(format!("The run was interrupted. {reason}"));
        }
        let weight = self.policy.no_data;
        let outcome = if weight == Weight::Fail { Outcome::Fail } else { Outcome::Inconclusive };
        Answer { outcome, weight, reason }
    }

    fn inconclusive(&self, reason: String) -> Answer {
        Answer { outcome: Outcome::Inconclusive, weight: self.policy.inconclusive, reason }
    }

    /// Why no value of this run may be judged here, whatever it is.
    fn distrust(&self) -> Option<Answer> {
        if !self.evidence.is_complete() {
            return Some(self.inconclusive("The run was interrupted; run it again to the end.".into()));
        }
        if !self.rule.metric.is_timed() {
            return None;
        }
        let base = self.base_case().and_then(Result::ok);
        let distrust =
            [Some(self.case), base].into_iter().flatten().find_map(|case| self.evidence.distrust(case))?;
        Some(self.inconclusive(format!("What was measured of {distrust}")))
    }

    /// The metric as a multiple of that of a base. Counted work is a fact, and so is a multiple of it.
    fn ratio(&self, base: Case<'_>, confidence: f64) -> Measured {
        let metric = self.rule.metric;
        if metric.is_timed() {
            return self.evidence.ratio(self.case, base, metric, confidence);
        }
        let of = |case| self.evidence.absolute(case, metric, confidence);
        match (of(self.case), of(base)) {
            (Measured::Value { estimate: of, samples, needs, .. }, Measured::Value { estimate: by, .. })
                if by.value > 0.0 =>
            {
                let estimate = exact(of.value / by.value);
                Measured::Value { estimate, unit: Unit::Ratio, samples, needs }
            }
            (Measured::Value { .. }, Measured::Value { .. }) => Measured::Missing(format!(
                "{metric} of the base, {}, is 0: there is no multiple of it.",
                words(base)
            )),
            (missing @ Measured::Missing(_), _) | (_, missing) => missing,
        }
    }

    /// Holds the interval against the limit.
    fn weigh(&self, estimate: Estimate, unit: Unit, samples: u64, needs: (u64, &str)) -> Answer {
        let (operator, limit) = (self.rule.operator, self.rule.limit);
        let holds = |end: f64| operator.holds(end, limit);
        let failing = |reason| Answer { outcome: Outcome::Fail, weight: Weight::Fail, reason };
        let passing = |reason| Answer { outcome: Outcome::Pass, weight: Weight::Pass, reason };
        let print = |value| quantity::value(value, unit);

        // A count is what it is: it needs no interval. That of errors is shown, but `= 0%` speaks of this run.
        if !operator.is_ordering() {
            let exposure = match (unit, estimate.high) {
                (Unit::Share, Some(high)) => {
                    format!(
                        " of {}; the true share is below {}",
                        quantity::plural(samples, "request"),
                        print(high)
                    )
                }
                (Unit::Count, _) => format!(" in {}", quantity::plural(samples, needs.1)),
                _ => String::new(),
            };
            let reason = format!("It was {}{exposure}.", print(estimate.value));
            return if holds(estimate.value) { passing(reason) } else { failing(reason) };
        }
        // The end that has to satisfy the limit for a pass, and the one that has to miss it for a fail.
        let (worst, best) = match self.rule.bound() {
            Bound::Lower => (estimate.low, estimate.high),
            _ => (estimate.high, estimate.low),
        };
        let limit_words = print(limit);
        match (worst, best) {
            (Some(worst), _) if holds(worst) => passing(span(estimate, unit, "within", &limit_words)),
            (_, Some(best)) if !holds(best) => failing(span(estimate, unit, "beyond", &limit_words)),
            (Some(low), Some(high)) => self.inconclusive(format!(
                "The limit {limit_words} lies inside the interval from {} to {}; more {}s would narrow it.",
                print(low.min(high)),
                print(low.max(high)),
                needs.1
            )),
            _ if samples < needs.0 => self.inconclusive(format!(
                "Too few samples: {} of at least {} that {} needs.",
                quantity::plural(samples, needs.1),
                quantity::count(needs.0),
                self.rule.metric
            )),
            _ => self.inconclusive(format!(
                "Too many requests failed for an upper bound of {}: each counts as one that was never answered.",
                self.rule.metric
            )),
        }
    }

    /// The share of the budget that is left.
    fn headroom(&self, value: f64) -> Option<f64> {
        let limit = self.rule.limit;
        match self.rule.bound() {
            Bound::Upper if limit > 0.0 => Some(1.0 - value / limit),
            Bound::Lower if value > 0.0 => Some(1.0 - limit / value),
            _ => None,
        }
    }
}

/// On which side of its limit an interval lies, in words; `side` is `within` or `beyond`.
fn span(estimate: Estimate, unit: Unit, side: &str, limit: &str) -> String {
    let print = |value| quantity::value(value, unit);
    match (estimate.low, estimate.high) {
        (Some(low), Some(high)) if high > low => {
            format!(
                "The whole interval from {} to {} is {side} the limit of {limit}.",
                print(low),
                print(high)
            )
        }
        (None, Some(high)) => format!("At most {}, {side} the limit of {limit}.", print(high)),
        (Some(low), None) => format!("At least {}, {side} the limit of {limit}.", print(low)),
        _ => format!("Measured {}, {side} the limit of {limit}.", print(estimate.value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budgets::parse;
    use crate::run::Run;
    use crate::sample;

    /// The verdict of one rule in `list` for `live` under `first_page`.
    fn ask(run: &Run, list: &str, rule: &str) -> Verdict {
        let rules = match list {
            "versus" => format!("versus = {{ naive = [{rule:?}] }}"),
            _ => format!("{list} = [{rule:?}]"),
        };
        let text = format!("schema = 1\n[first_page]\n{rules}\n");
        judge(&parse("budgets.toml", &text).unwrap(), run).remove(0)
    }

    #[test]
    fn the_demo_keeps_every_default_budget() {
        for verdict in sample::run().verdicts {
            assert_eq!(
                verdict.outcome,
                Outcome::Pass,
                "{} {}: {}",
                verdict.budget,
                verdict.rule,
                verdict.reason
            );
        }
    }

    #[test]
    fn a_limit_above_the_interval_passes_below_it_fails_and_inside_it_is_inconclusive() {
        let run = sample::unjudged();
        let observed = ask(&run, "latency", "p95 < 500ms").observed.unwrap();
        let (low, high) = (observed.low.unwrap(), observed.high.unwrap());
        assert!(low < observed.value && observed.value < high);
        for (limit, outcome) in
            [(high + 1.0, Outcome::Pass), (low - 1.0, Outcome::Fail), (observed.value, Outcome::Inconclusive)]
        {
            let verdict = ask(&run, "latency", &format!("p95 <= {limit}us"));
            assert_eq!(verdict.outcome, outcome, "{}", verdict.reason);
        }
        let lower = ask(&run, "latency", "p95 > 1ms");
        assert_eq!((lower.outcome, lower.bound), (Outcome::Pass, Bound::Lower));
    }

    #[test]
    fn headroom_is_the_share_of_the_budget_that_is_left() {
        let verdict = ask(&sample::unjudged(), "work", "statements/req < 10");
        assert!((verdict.headroom.unwrap() - 0.8).abs() < 1e-9);
        assert_eq!(ask(&sample::unjudged(), "latency", "errors = 0%").headroom, None);
    }

    #[test]
    fn too_few_samples_say_how_many_it_takes() {
        let run = sample::unjudged();
        let verdict = ask(&run, "latency", "p99.99 < 500ms");
        assert_eq!(verdict.outcome, Outcome::Inconclusive);
        assert_eq!(verdict.reason, "Too few samples: 3,000 requests of at least 29,956 that p99.99 needs.");
    }

    #[test]
    fn four_rounds_are_too_few_for_a_ratio() {
        let mut run = sample::unjudged();
        run.windows.retain(|window| window.round <= 4);
        let verdict = ask(&run, "versus", "p95 <= 0.5x");
        assert_eq!(verdict.outcome, Outcome::Inconclusive);
        assert_eq!(verdict.reason, "Too few samples: 4 rounds of at least 5 that p95 needs.");
    }

    #[test]
    fn rounds_that_differ_widen_the_interval() {
        let mut run = sample::unjudged();
        let narrow = ask(&run, "latency", "p50 < 500ms").observed.unwrap();
        for window in &mut run.windows {
            if window.round == 3 && window.subject == "live" {
                window.timings = slower(&window.timings, 4);
            }
        }
        let wide = ask(&run, "latency", "p50 < 500ms").observed.unwrap();
        assert!(wide.high.unwrap() > 3.0 * narrow.high.unwrap(), "{narrow:?} {wide:?}");
    }

    fn slower(timings: &crate::run::Timings, times: u32) -> crate::run::Timings {
        let mut slow = crate::run::Timings::default();
        for bucket in timings.response.histogram().iter_recorded() {
            for _ in 0..bucket.count_at_value() {
                let response = std::time::Duration::from_micros(bucket.value_iterated_to()) * times;
                slow.response.record(response);
            }
        }
        slow
    }

    #[test]
    fn an_invalid_window_leaves_times_inconclusive_but_not_counted_work() {
        let mut run = sample::unjudged();
        let window = run
            .windows
            .iter_mut()
            .find(|window| window.subject == "live" && window.operation == "first_page");
        window.unwrap().invalid.push("the client woke 40 ms late.".into());
        let verdict = ask(&run, "latency", "p95 < 500ms");
        assert_eq!(verdict.outcome, Outcome::Inconclusive);
        assert!(
            verdict.reason.contains("cannot be trusted: the client woke 40 ms late."),
            "{}",
            verdict.reason
        );
        assert_eq!(ask(&run, "versus", "p95 <= 0.5x").outcome, Outcome::Inconclusive);
        assert_eq!(ask(&run, "work", "statements/req < 10").outcome, Outcome::Pass);
    }

    #[test]
    fn an_interrupted_run_is_inconclusive_whatever_it_measured() {
        let mut run = sample::unjudged();
        run.complete = false;
        for (list, rule) in [
            ("latency", "p95 < 500ms"),
            ("latency", "p95 < 1us"),
            ("work", "statements/req < 10"),
            ("versus", "p95 <= 0.5x"),
        ] {
            assert_eq!(ask(&run, list, rule).outcome, Outcome::Inconclusive, "{rule}");
        }
    }

    #[test]
    fn a_failed_request_breaks_errors_equal_zero_and_counts_as_unanswered() {
        let mut run = sample::unjudged();
        for window in run.windows.iter_mut().filter(|window| window.subject == "live") {
            window.errors.insert("status 503".into(), window.requests / 10);
        }
        assert_eq!(ask(&run, "latency", "errors = 0%").outcome, Outcome::Fail);
        assert_eq!(ask(&run, "latency", "errors < 20%").outcome, Outcome::Pass);
        let verdict = ask(&run, "latency", "p95 < 500ms");
        assert_eq!(verdict.outcome, Outcome::Inconclusive, "one in ten failed, so p95 has no upper bound");
        assert!(verdict.reason.starts_with("Too many requests failed"), "{}", verdict.reason);
        assert_eq!(ask(&run, "latency", "p50 < 500ms").outcome, Outcome::Pass);
    }

    #[test]
    fn no_failed_request_prints_its_exposure() {
        let verdict = ask(&sample::unjudged(), "latency", "errors = 0%");
        assert_eq!(verdict.reason, "It was 0 % of 3,000 requests; the true share is below 0.0998 %.");
    }

    #[test]
    fn a_rule_about_something_the_run_lacks_fails_and_says_what_there_is() {
        let run = sample::unjudged();
        let judged = |text: &str| judge(&parse("budgets.toml", text).unwrap(), &run).remove(0);
        for (text, reason) in [
            (
                "schema = 1\n[first_pag]\nlatency = [\"p95 < 5ms\"]",
                "This run measured no operation `first_pag` (it has: first_page, page_100); did you mean `first_page`?",
            ),
            (
                "schema = 1\n[first_page]\nsubject = \"rollup\"\nlatency = [\"p95 < 5ms\"]",
                "This run measured no subject `rollup` (it has: naive, live).",
            ),
            (
                "schema = 1\n[first_page]\nversus = { native = [\"p95 < 1x\"] }",
                "This run measured no subject `native` (it has: naive, live); did you mean `naive`?",
            ),
        ] {
            let verdict = judged(text);
            assert_eq!((verdict.outcome, verdict.observed), (Outcome::Fail, None), "{text}");
            assert_eq!(verdict.reason, reason);
        }
        let lenient =
            judged("schema = 1\n[policy]\nno_data = \"warn\"\n[first_pag]\nlatency = [\"p95 < 5ms\"]");
        assert_eq!((lenient.outcome, lenient.weight), (Outcome::Inconclusive, Weight::Warn));
    }

    #[test]
    fn work_that_was_not_counted_is_no_data() {
        let mut run = sample::unjudged();
        run.work.clear();
        let verdict = ask(&run, "work", "statements/req < 10");
        assert_eq!(verdict.outcome, Outcome::Fail);
        assert!(verdict.reason.starts_with("No work was counted"), "{}", verdict.reason);
    }

    #[test]
    fn the_base_of_a_ratio_may_be_another_operation() {
        let run = sample::unjudged();
        let text = "schema = 1\n[page_100]\nversus = { first_page = [\"buffers/req <= 2x\", \"p50 <= 2x\"] }";
        for verdict in judge(&parse("budgets.toml", text).unwrap(), &run) {
            assert_eq!(verdict.outcome, Outcome::Pass, "{}", verdict.reason);
            let ratio = verdict.observed.unwrap();
            assert!((0.8..1.3).contains(&ratio.value), "{ratio:?}");
        }
    }

    #[test]
    fn budgets_about_other_things_are_dropped_only_on_demand() {
        let mut run = sample::unjudged();
        run.subjects.retain(|subject| subject.name == "live");
        run.plan.operations = vec!["first_page".into()];
        let budgets = parse("budgets.toml", crate::budgets::DEFAULT).unwrap();
        let applicable = budgets.applicable_to(&run);
        assert_eq!(applicable.budgets.len(), 1);
        assert!(applicable.budgets[0].versus.is_empty());
        assert!(judge(&applicable, &run).iter().all(|verdict| verdict.outcome == Outcome::Pass));
        assert!(judge(&budgets, &run).iter().any(|verdict| verdict.outcome == Outcome::Fail));
    }
}
