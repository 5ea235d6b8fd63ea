//! Which scenarios of the load generator a server can be asked for.
//!
//! A scenario needs some checks to conform: those that show that its requests are answered with what it will look for. A
//! field of another type elsewhere in the answer is a difference, and no reason to leave the scenario out. Whether a write
//! is offered is best known where one was made; without that, by what `OPTIONS` announces.

use serde::{Deserialize, Serialize};

use super::{Check, Conformance, Outcome};

/// What a scenario needs. For each need one of the checks of a list has to conform; the first one that was made decides.
struct Needs {
    scenario: &'static str,
    checks: &'static [&'static [&'static str]],
}

const LIST: &[&str] = &["the_first_page_is_a_page"];
const LINKS: &[&str] = &["next_leads_to_the_page_after"];

const NEEDS: [Needs; 14] = [
    Needs { scenario: "first_page", checks: &[LIST] },
    Needs { scenario: "page_100", checks: &[LIST, LINKS] },
    Needs { scenario: "deep_walk", checks: &[LIST, LINKS, &["next_and_previous_walk_the_same_rows"]] },
    Needs { scenario: "filters", checks: &[LIST, &["a_status_finds_its_rows"]] },
    Needs { scenario: "worst_filters", checks: &[LIST, &["a_status_finds_its_rows"]] },
    Needs { scenario: "detail", checks: &[LIST, &["a_customer_of_the_list_can_be_read"]] },
    Needs { scenario: "metadata", checks: &[&["a_workspace_can_be_read"]] },
    Needs { scenario: "single_insert", checks: &[&["a_customer_is_made", "a_customer_can_be_made"]] },
    Needs { scenario: "batch_insert", checks: &[&["many_customers_are_made", "many_customers_can_be_made"]] },
    Needs {
        scenario: "single_update",
        checks: &[LIST, &["a_customer_is_changed", "a_customer_can_be_changed"]],
    },
    Needs {
        scenario: "batch_update",
        checks: &[LIST, &["many_customers_are_changed", "many_customers_can_be_changed"]],
    },
    Needs {
        scenario: "soft_delete",
        checks: &[LIST, &["a_customer_is_deleted", "a_customer_can_be_deleted"]],
    },
    Needs { scenario: "calls", checks: &[LIST, &["a_call_is_made", "a_call_can_be_made"]] },
    Needs {
        scenario: "contention",
        checks: &[LIST, &["a_customer_is_changed", "a_customer_can_be_changed"]],
    },
];

/// The scenarios that [`Conformance::offers`] knows, in the order of the report.
pub const SCENARIOS: [&str; NEEDS.len()] = {
    let mut names = [""; NEEDS.len()];
    let mut at = 0;
    while at < NEEDS.len() {
        names[at] = NEEDS[at].scenario;
        at += 1;
    }
    names
};

/// The names of all checks that a scenario needs.
pub fn needed() -> impl Iterator<Item = &'static str> {
    NEEDS.iter().flat_map(|needs| needs.checks).flat_map(|names| names.iter().copied())
}

/// The names of the checks that one scenario needs; none if nothing is known of it.
pub fn needed_by(scenario: &str) -> impl Iterator<Item = &'static str> {
    let needs = NEEDS.iter().find(|needs| needs.scenario == scenario);
    needs.into_iter().flat_map(|needs| needs.checks).flat_map(|names| names.iter().copied())
}

/// A scenario, and whether the server can be asked for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// Name of the scenario.
    pub scenario: String,
    /// Why not; `None` if it can.
    pub reason: Option<String>,
}

impl Conformance {
    /// Whether the server can be asked for a scenario of the load generator. The reason is the second half of a sentence
    /// that begins with its name: `PATCH /api/v1/customers/{id}/ is missing: …`.
    pub fn offers(&self, scenario: &str) -> Result<(), String> {
        let Some(needs) = NEEDS.iter().find(|needs| needs.scenario == scenario) else {
            return Err(format!("nothing is known of a scenario `{scenario}`"));
        };
        needs.checks.iter().try_for_each(|names| self.need(names))
    }

    /// Why the server can't be asked for a scenario, if that is known: something that it needs is missing or differs. What
    /// was not checked, or could not be, is no reason.
    #[must_use]
    pub fn lacks(&self, scenario: &str) -> Option<String> {
        let needs = NEEDS.iter().find(|needs| needs.scenario == scenario)?;
        let is_judged = |check: &Check| !matches!(check.outcome, Outcome::Skipped { .. });
        let judged = |names: &&&[&str]| names.iter().filter_map(|name| self.check(name)).any(is_judged);
        needs.checks.iter().filter(judged).find_map(|names| self.need(names).err())
    }

    /// All scenarios.
    #[must_use]
    pub fn all_offers(&self) -> Vec<Offer> {
        let offer =
            |scenario: &str| Offer { scenario: scenario.to_owned(), reason: self.offers(scenario).err() };
        SCENARIOS.into_iter().map(offer).collect()
    }

    /// Whether all checks that a scenario needs were made.
    pub(super) fn has_checked(&self, scenario: &str) -> bool {
        let made = |names: &&[&str]| names.iter().any(|name| self.check(name).is_some());
        NEEDS.iter().any(|needs| needs.scenario == scenario && needs.checks.iter().all(made))
    }

    /// The first of the checks that was made decides; one that was skipped decides only if no other one was made.
    fn need(&self, names: &[&str]) -> Result<(), String> {
        let made: Vec<&Check> = names.iter().filter_map(|name| self.check(name)).collect();
        let judged = made.iter().find(|check| !matches!(check.outcome, Outcome::Skipped { .. }));
        let Some(check) = judged.or(made.first()) else {
            return Err(format!("it takes the check `{}`, which was not made", names.join("` or `")));
        };
        let (verb, reason) = match &check.outcome {
            Outcome::Conforms => return Ok(()),
            Outcome::Differs { differences } => (
                "differs",
                differences.first().map_or_else(String::new, |difference| {
                    format!("expected {}, seen {}", difference.expected, difference.seen)
                }),
            ),
            Outcome::Missing { reason } => ("is missing", reason.clone()),
            Outcome::Skipped { reason } => ("was skipped", reason.clone()),
        };
        Err(format!("`{}` {verb}: {reason}", check.name))
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    fn with(checks: Vec<(&str, Outcome)>) -> Conformance {
        let mut conformance = sample::conformance(Vec::new());
        conformance.checks = checks.into_iter().map(|(name, outcome)| sample::check(name, outcome)).collect();
        conformance
    }

    #[test]
    fn a_scenario_is_offered_when_all_that_it_needs_conforms() {
        let conformance = with(vec![
            ("the_first_page_is_a_page", Outcome::Conforms),
            ("next_leads_to_the_page_after", sample::differs()),
        ]);
        assert_eq!(conformance.offers("first_page"), Ok(()));
        let reason = conformance.offers("page_100").unwrap_err();
        assert_eq!(reason, "`next_leads_to_the_page_after` differs: expected a page of 7 rows, seen 10 rows");
        let reason = conformance.offers("metadata").unwrap_err();
        assert_eq!(reason, "it takes the check `a_workspace_can_be_read`, which was not made");
        assert!(conformance.offers("fist_page").unwrap_err().contains("`fist_page`"));
        // What was not checked is no reason to leave a scenario out.
        let lacks =
            ["first_page", "page_100", "metadata", "fist_page"].map(|name| conformance.lacks(name).is_some());
        assert_eq!(lacks, [false, true, false, false]);
    }

    #[test]
    fn a_write_that_was_made_says_more_than_one_that_was_announced() {
        let announced = ("a_customer_can_be_made", Outcome::Conforms);
        let skipped = ("a_customer_is_made", Outcome::Skipped { reason: "--writes".into() });
        assert_eq!(with(vec![announced.clone(), skipped]).offers("single_insert"), Ok(()));
        let differs = ("a_customer_is_made", sample::differs());
        assert!(with(vec![announced, differs]).offers("single_insert").is_err());
        let missing = ("a_customer_can_be_made", Outcome::Missing { reason: "405".into() });
        let reason = with(vec![missing]).offers("single_insert").unwrap_err();
        assert_eq!(reason, "`a_customer_can_be_made` is missing: 405");
    }
}
