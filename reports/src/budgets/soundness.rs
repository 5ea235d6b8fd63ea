//! Whether the rules of a budget file fit their sections, and each other.

use std::collections::BTreeMap;
use std::ops::Range;

use super::evidence::Kind;
use super::metric::{List, Metric};
use super::{Budget, Rule};
use crate::document::Mistake;
use crate::run::Bound;

/// The places of a budget's rules, in the order of `rules` and then of each `versus`.
pub(super) type Places = Vec<Range<usize>>;

/// Refuses rules about what results of that kind do not have.
pub(super) fn fitting(budget: &Budget, places: &Places) -> Result<(), Mistake> {
    let tallied = |rule: &Rule| matches!(rule.metric, Metric::Tally(_));
    let versus = budget.versus.iter().flat_map(|versus| &versus.rules);
    let strange = |rule: &Rule| tallied(rule) != (budget.kind == Kind::Locks);
    let problem = match budget.kind {
        Kind::Locks => "rule about something that the lock lab does not measure",
        _ => "rule about something that only the lock lab counts",
    };
    let expected = match budget.kind {
        Kind::Locks => format!("expected `counts` with one of {}", Metric::names(List::Counts).join(", ")),
        _ => "expected `lab = \"locks\"` in its section".to_owned(),
    };
    match budget.rules.iter().chain(versus).zip(places).find(|(rule, _)| strange(rule)) {
        Some((_, place)) => Err(Mistake::new(place.clone(), problem, expected)),
        None => Ok(()),
    }
}

/// Refuses two rules that limit the same thing on the same side, and pairs that leave no value between them.
pub(super) fn refuse_contradictions(budgets: &[(Budget, Places)]) -> Result<(), Mistake> {
    // What is limited, and then by which rule: (kind, operation, subject, base, metric) -> side -> (rule, where it stands).
    type Limited<'a> = (Kind, &'a str, &'a str, &'a str, String);
    let mut seen: BTreeMap<Limited<'_>, BTreeMap<Bound, (&Rule, &str)>> = BTreeMap::new();
    for (budget, places) in budgets {
        let own = budget.rules.iter().map(|rule| ("", rule));
        let versus = budget
            .versus
            .iter()
            .flat_map(|versus| versus.rules.iter().map(move |rule| (versus.base.as_str(), rule)));
        for ((base, rule), place) in own.chain(versus).zip(places) {
            let (operation, subject) = (budget.operation.as_str(), budget.subject.as_str());
            let limited = (budget.kind, operation, subject, base, rule.metric.to_string());
            let sides = seen.entry(limited).or_default();
            let bound = rule.bound();
            if let Some((_, section)) = sides.get(&bound) {
                return Err(Mistake::new(
                    place.clone(),
                    "duplicate rule",
                    format!(
                        "{} already has a limit on this side in [{section}]; keep one of the two",
                        rule.metric
                    ),
                ));
            }
            sides.insert(bound, (rule, &budget.name));
            let mut others = sides.iter().filter(|(side, _)| **side != bound);
            if let Some((_, (other, _))) = others.find(|(_, (other, _))| !leave_a_value(rule, other)) {
                return Err(Mistake::new(
                    place.clone(),
                    "contradictory rule",
                    format!("no value satisfies both `{}` and `{}`", other.text, rule.text),
                ));
            }
        }
    }
    Ok(())
}

/// Whether a value satisfies both rules about one thing: one that is exactly a limit, or any between the limits.
fn leave_a_value(one: &Rule, other: &Rule) -> bool {
    let satisfies = |value: f64| [one, other].iter().all(|rule| rule.operator.holds(value, rule.limit));
    satisfies(one.limit) || satisfies(other.limit) || satisfies(f64::midpoint(one.limit, other.limit))
}
