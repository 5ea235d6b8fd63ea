//! What is offered to a server: one operation, or a mix of several whose weights are shares of the requests.
//!
//! Weights count requests, not users: an operation that is slow gets its share all the same.

use std::path::Path;
use std::sync::Arc;

use crate::described;
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

/// What words with weights are called together.
const MIX: &str = "mix";

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

/// The scenarios that can be named: those that are written in Rust, and those of files.
#[derive(Debug, Clone)]
pub struct Catalogue {
    scenarios: Vec<Scenario>,
}

impl Catalogue {
    /// Those that are written in Rust, in the order in which they are listed for people.
    #[must_use]
    pub fn built_in() -> Self {
        let operations = operations::all();
        let part = |name: &str| operations.iter().find(|operation| operation.name() == name).cloned();
        let parts =
            MIXED.iter().filter_map(|(name, weight)| Some(Part { operation: part(name)?, weight: *weight }));
        let mixed = Scenario { name: "mixed".to_owned(), parts: parts.collect() };
        Self { scenarios: operations.iter().cloned().map(Scenario::of).chain([mixed]).collect() }
    }

    /// The same, and after them those of these files; see [`described`]. No two may have the same name.
    pub fn with_files<'a>(files: impl IntoIterator<Item = &'a Path>) -> Result<Self, Error> {
        let mut catalogue = Self::built_in();
        for file in files {
            let taken = catalogue.names().into_iter().chain([MIX.to_owned()]).collect::<Vec<_>>();
            catalogue.scenarios.extend(described::read(file, &taken)?);
        }
        Ok(catalogue)
    }

    /// The names of all.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.scenarios.iter().map(|scenario| scenario.name.clone()).collect()
    }

    /// The scenario with this name.
    pub fn find(&self, name: &str) -> Result<Scenario, Error> {
        let found = self.scenarios.iter().find(|scenario| scenario.name == name);
        found.cloned().ok_or_else(|| Error::UnknownScenario {
            name: name.to_owned(),
            known: self.names(),
            suggestion: self.nearest(name),
        })
    }

    /// The scenarios that words of the command line name. `first_page` is one by itself; words with a weight, such as
    /// `first_page=70 detail=30`, are together one mix.
    pub fn read(&self, words: &[String]) -> Result<Vec<Scenario>, Error> {
        let mut scenarios = Vec::new();
        let mut mix = Scenario { name: MIX.to_owned(), parts: Vec::new() };
        for word in words {
            let Some((name, weight)) = word.split_once('=') else {
                scenarios.push(self.find(word)?);
                continue;
            };
            let share: f64 =
                weight.parse().ok().filter(|weight: &f64| weight.is_finite() && *weight > 0.0).ok_or_else(
                    || Error::Plan {
                        what: format!("the weight `{weight}` of {name} is not a positive number"),
                    },
                )?;
            // A mix may stand in a mix: its parts share its weight.
            let inner = self.find(name)?;
            let whole: f64 = inner.parts.iter().map(|part| part.weight).sum();
            let parts = inner.parts.into_iter();
            mix.parts.extend(parts.map(|part| Part { weight: part.weight / whole * share, ..part }));
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

    /// The name that is most like `name`, if one is so alike that it may have been meant.
    pub(crate) fn nearest(&self, name: &str) -> Option<String> {
        let names = self.scenarios.iter().map(|scenario| scenario.name.as_str());
        reports::spelling::nearest(name, names).map(str::to_owned)
    }
}

/// The scenario with this name among those that are written in Rust.
pub fn find(name: &str) -> Result<Scenario, Error> {
    Catalogue::built_in().find(name)
}

/// The scenarios that words name among those that are written in Rust; see [`Catalogue::read`].
pub fn read(words: &[String]) -> Result<Vec<Scenario>, Error> {
    Catalogue::built_in().read(words)
}

/// The first name that was there before.
fn twice<'a>(names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let mut seen = std::collections::BTreeSet::new();
    names.into_iter().find(|name| !seen.insert(*name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Vec<String> {
        Catalogue::built_in().names()
    }

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
        let scenarios = Catalogue::built_in().read(&words("page_100 first_page=70 page_100=30")).unwrap();
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
            let error = Catalogue::built_in().read(&words(line)).unwrap_err().to_string();
            assert!(error.contains(says), "{line}: {error}");
        }
    }
}
