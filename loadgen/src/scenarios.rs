//! What is offered to a server: one operation, or a mix of several whose weights are shares of the requests.
//!
//! Weights count requests, not users: an operation that is slow gets its share all the same.

use std::sync::Arc;

use crate::error::Error;
use crate::operations::{self, Operation};

/// One operation, or a mix.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// Its name on the command line and in the result.
    pub name: String,
    /// At least one; their weights are positive.
    pub parts: Vec<Part>,
}

/// An operation in a scenario.
#[derive(Debug, Clone)]
pub struct Part {
    /// What is done.
    pub operation: Arc<dyn Operation>,
    /// How often, beside the weights of the others.
    pub weight: f64,
}

impl Scenario {
    /// An operation by itself.
    #[must_use]
    pub fn of(operation: Arc<dyn Operation>) -> Self {
        Self { name: operation.name().to_owned(), parts: vec![Part { operation, weight: 1.0 }] }
    }

    /// Whether several operations are mixed.
    #[must_use]
    pub fn is_mix(&self) -> bool {
        self.parts.len() > 1
    }

    /// The place of the part with this operation; `None` if it has none, or is no mix.
    #[must_use]
    pub fn place_of(&self, operation: &str) -> Option<usize> {
        self.parts.iter().position(|part| self.is_mix() && part.operation.name() == operation)
    }

    /// Whether one of its operations changes rows.
    #[must_use]
    pub fn writes(&self) -> bool {
        self.parts.iter().any(|part| part.operation.writes())
    }

    /// What the requests of a part are called in the result.
    #[must_use]
    pub fn name_of(&self, part: &Part) -> String {
        if self.is_mix() { format!("{}/{}", self.name, part.operation.name()) } else { self.name.clone() }
    }
}

/// Reads and writes as a day in the office has them: five reads for a write. The shares are of the requests.
const MIXED: [(&str, f64); 8] = [
    ("first_page", 40.0),
    ("filters", 15.0),
    ("detail", 23.0),
    ("metadata", 5.0),
    ("single_update", 8.0),
    ("calls", 6.0),
    ("single_insert", 2.0),
    ("soft_delete", 1.0),
];

/// All scenarios, in the order in which they are listed for people.
#[must_use]
pub fn all() -> Vec<Scenario> {
    let operations = operations::all();
    let part = |name: &str| operations.iter().find(|operation| operation.name() == name).cloned();
    let parts =
        MIXED.iter().filter_map(|(name, weight)| Some(Part { operation: part(name)?, weight: *weight }));
    let mixed = Scenario { name: "mixed".to_owned(), parts: parts.collect() };
    operations.iter().cloned().map(Scenario::of).chain([mixed]).collect()
}

/// The names of all scenarios.
#[must_use]
pub fn names() -> Vec<String> {
    all().into_iter().map(|scenario| scenario.name).collect()
}

/// The scenario with this name.
pub fn find(name: &str) -> Result<Scenario, Error> {
    all().into_iter().find(|scenario| scenario.name == name).ok_or_else(|| Error::UnknownScenario {
        name: name.to_owned(),
        known: names(),
        suggestion: nearest(name),
    })
}

/// The scenarios that words of the command line name. `first_page` is one by itself; words with a weight, such as
/// `first_page=70 detail=30`, are together one mix.
pub fn read(words: &[String]) -> Result<Vec<Scenario>, Error> {
    let mut scenarios = Vec::new();
    let mut mix = Scenario { name: "mix".to_owned(), parts: Vec::new() };
    for word in words {
        let Some((name, weight)) = word.split_once('=') else {
            scenarios.push(find(word)?);
            continue;
        };
        let share: f64 =
            weight.parse().ok().filter(|weight: &f64| weight.is_finite() && *weight > 0.0).ok_or_else(
                || Error::Plan { what: format!("the weight `{weight}` of {name} is not a positive number") },
            )?;
        // A mix may stand in a mix: its parts share its weight.
        let inner = find(name)?;
        let whole: f64 = inner.parts.iter().map(|part| part.weight).sum();
        mix.parts
            .extend(inner.parts.into_iter().map(|part| Part { weight: part.weight / whole * share, ..part }));
    }
    if !mix.parts.is_empty() {
        scenarios.push(mix);
    }
    if let Some(twice) = twice(scenarios.iter().map(|scenario| scenario.name.as_str())) {
        return Err(Error::Plan { what: format!("the scenario {twice} is named twice") });
    }
    for scenario in &scenarios {
        if let Some(twice) = twice(scenario.parts.iter().map(|part| part.operation.name())) {
            return Err(Error::Plan { what: format!("{twice} is in the mix twice; add its weights up") });
        }
    }
    Ok(scenarios)
}

/// The first name that was there before.
fn twice<'a>(names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let mut seen = std::collections::BTreeSet::new();
    names.into_iter().find(|name| !seen.insert(*name))
}

/// The name that is most like `name`, if one is so alike that it may have been meant.
pub(crate) fn nearest(name: &str) -> Option<String> {
    let names = names();
    reports::spelling::nearest(name, names.iter().map(String::as_str)).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn every_scenario_is_found_by_its_name() {
        for name in names() {
            assert_eq!(find(&name).unwrap().name, name);
        }
    }

    #[test]
    fn a_mistyped_name_is_answered_with_the_one_that_was_meant() {
        for (typed, meant) in [("fist_page", "first_page"), ("page-100", "page_100"), ("page100", "page_100")]
        {
            let error = find(typed).unwrap_err().to_string();
            assert!(error.contains(&format!("`{typed}`")), "{error}");
            assert!(error.contains(&format!("did you mean `{meant}`?")), "{error}");
        }
    }

    #[test]
    fn a_name_that_is_like_nothing_gets_the_list_and_no_guess() {
        let error = find("xyz").unwrap_err().to_string();
        assert_eq!(error, format!("there is no scenario `xyz`; the scenarios are {}", names().join(", ")));
    }

    #[test]
    fn words_with_weights_are_one_mix_and_the_others_stand_alone() {
        let scenarios = read(&words("page_100 first_page=70 page_100=30")).unwrap();
        let seen: Vec<_> = scenarios
            .iter()
            .flat_map(|scenario| scenario.parts.iter().map(|part| (scenario.name_of(part), part.weight)))
            .collect();
        let expected = [("page_100", 1.0), ("mix/first_page", 70.0), ("mix/page_100", 30.0)];
        assert_eq!(seen, expected.map(|(name, weight)| (name.to_owned(), weight)));
    }

    #[test]
    fn what_can_not_be_mixed_is_refused() {
        for (line, says) in [
            ("first_page=0 page_100=1", "`0`"),
            ("first_page=-1", "`-1`"),
            ("first_page=inf", "`inf`"),
            ("first_page=x", "`x`"),
            ("fist_page=1", "did you mean `first_page`?"),
            ("first_page first_page", "first_page is named twice"),
            ("first_page=1 first_page=2", "in the mix twice"),
        ] {
            let error = read(&words(line)).unwrap_err().to_string();
            assert!(error.contains(says), "{line}: {error}");
        }
    }
}
