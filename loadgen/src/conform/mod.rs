//! What a server answers differently from the contract of the API.
//!
//! Plain HTTP and nothing else, so that anybody's server can be asked: no database, no rows that have to be there. What a
//! check asks for it takes from the first page. Only what is asked with [`Examination::writes`] changes anything, and what
//! that makes is deleted in the end.
//!
//! A check is a function whose name is the sentence that it holds the server to, in the file of its group. It has a
//! `trial::Trial` to ask with, notes every difference there, and stops early where there is nothing more to see. Whether
//! it conforms is decided in one place, by whether anything was noted.

mod ask;
mod calls;
mod compatibility;
mod cursors;
mod detail;
mod errors;
mod filters;
mod links;
mod metadata;
mod methods;
mod pages;
mod roles;
mod rows;
mod server;
mod shape;
mod tenancy;
mod trial;
mod writes;

use std::pin::Pin;
use std::sync::Arc;

use reports::conformance::{self, Conformance};
use tokio_util::sync::CancellationToken;

use self::server::Server;
use self::trial::{Stop, Trial};
use crate::error::Error;

/// What is to be examined, and how far.
#[derive(Debug, Clone)]
pub struct Examination {
    /// What stands before `/api/v1/`, with or without a slash at the end.
    pub base_url: String,
    /// Bearer token of an admin or manager of the workspace.
    pub token: String,
    /// The workspace, as slug or UUID.
    pub workspace: String,
    /// The token of somebody who is no member of the workspace.
    pub other_token: Option<String>,
    /// Another workspace, of which the owner of `other_token` is a member; without one, the owner of `token`.
    pub other_workspace: Option<String>,
    /// The token of somebody with the role `employee` and customers in the workspace.
    pub employee_token: Option<String>,
    /// Whether customers and calls may be made, changed and deleted.
    pub writes: bool,
    /// The groups of checks to make, of [`groups`]; all of them if empty.
    pub only: Vec<String>,
    /// If not empty, only the checks that these scenarios need.
    pub scenarios: Vec<String>,
}

/// How far an examination is.
#[derive(Debug, Clone, Copy)]
pub struct Progress<'a> {
    /// Checks made.
    pub done: usize,
    /// Checks in all.
    pub of: usize,
    /// The check that was made last.
    pub check: &'a conformance::Check,
}

/// A check before it is made.
struct Check {
    name: &'static str,
    section: &'static str,
    run: for<'a> fn(&'a mut Trial) -> Running<'a>,
}

/// A check while it is made.
type Running<'a> = Pin<Box<dyn Future<Output = Result<(), Stop>> + Send + 'a>>;

/// The checks of a file: `"section" => function, …;`. The name of a check is that of its function.
macro_rules! checks {
    ($($section:literal => $($check:ident),+;)+) => {
        &[$($($crate::conform::Check {
            name: stringify!($check),
            section: $section,
            run: |trial| Box::pin($check(trial)),
        }),+),+]
    };
}
use checks;

struct Group {
    name: &'static str,
    checks: &'static [Check],
}

/// In the order of the contract. What reads comes before what writes, so that the first page stays as it was seen.
const GROUPS: [Group; 13] = [
    Group { name: "pages", checks: pages::CHECKS },
    Group { name: "cursors", checks: cursors::CHECKS },
    Group { name: "links", checks: links::CHECKS },
    Group { name: "compatibility", checks: compatibility::CHECKS },
    Group { name: "filters", checks: filters::CHECKS },
    Group { name: "errors", checks: errors::CHECKS },
    Group { name: "methods", checks: methods::CHECKS },
    Group { name: "detail", checks: detail::CHECKS },
    Group { name: "metadata", checks: metadata::CHECKS },
    Group { name: "tenancy", checks: tenancy::CHECKS },
    Group { name: "roles", checks: roles::CHECKS },
    Group { name: "writes", checks: writes::CHECKS },
    Group { name: "calls", checks: calls::CHECKS },
];

/// The names of the groups of checks, in the order in which they are made.
#[must_use]
pub fn groups() -> Vec<&'static str> {
    GROUPS.iter().map(|group| group.name).collect()
}

/// All checks, each with the name of its group, in the order in which they are made.
pub fn all_checks() -> impl Iterator<Item = (&'static str, &'static str)> {
    GROUPS.iter().flat_map(|group| group.checks.iter().map(|check| (group.name, check.name)))
}

/// Makes the checks, one after the other. An error means that the server could not be examined at all: nobody listens, the
/// token is refused, what it answers is no list, or it went away meanwhile.
///
/// A stop takes effect between two checks. What was made is deleted all the same, and what is known by then is returned.
pub async fn conform(
    examination: &Examination,
    on: &(dyn Fn(&Progress<'_>) + Send + Sync),
    stop: &CancellationToken,
) -> Result<Conformance, Error> {
    let groups = chosen(&examination.only)?;
    let started_at = chrono::Utc::now();
    let server = Arc::new(Server::meet(examination).await?);
    let needed: Vec<&str> =
        examination.scenarios.iter().flat_map(|name| conformance::needed_by(name)).collect();
    let is_needed = |check: &&Check| examination.scenarios.is_empty() || needed.contains(&check.name);
    let of = groups.iter().flat_map(|group| group.checks).filter(is_needed).count();
    let mut checks = Vec::with_capacity(of);
    let mut broken = None;
    'all: for group in groups {
        for check in group.checks.iter().filter(is_needed) {
            if stop.is_cancelled() {
                break 'all;
            }
            let mut trial = Trial::new(Arc::clone(&server));
            let outcome = (check.run)(&mut trial).await;
            match trial.judged(check, group.name, outcome) {
                Ok(check) => checks.push(check),
                Err(error) => {
                    broken = Some(error);
                    break 'all;
                }
            }
            if let Some(check) = checks.last() {
                on(&Progress { done: checks.len(), of, check });
            }
        }
    }
    let left_behind = server.clean_up().await;
    if let Some(error) = broken {
        return Err(error);
    }
    Ok(Conformance {
        schema: conformance::SCHEMA,
        started_at,
        finished_at: chrono::Utc::now(),
        callbench: env!("CARGO_PKG_VERSION").to_owned(),
        base_url: examination.base_url.clone(),
        workspace: examination.workspace.clone(),
        paging: server.paging(),
        requests: server.requests(),
        checks,
        left_behind,
    })
}

fn chosen(only: &[String]) -> Result<Vec<&'static Group>, Error> {
    if let Some(unknown) = only.iter().find(|name| GROUPS.iter().all(|group| group.name != **name)) {
        let meant = reports::spelling::nearest(unknown, groups());
        return Err(Error::Plan {
            what: format!(
                "there are no checks of `{unknown}`{}; there are those of {}",
                reports::spelling::aside(meant),
                groups().join(", ")
            ),
        });
    }
    Ok(GROUPS.iter().filter(|group| only.is_empty() || only.iter().any(|name| name == group.name)).collect())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_checks_have_one_name_and_each_has_its_section() {
        let checks = || GROUPS.iter().flat_map(|group| group.checks);
        let names: BTreeSet<&str> = checks().map(|check| check.name).collect();
        assert_eq!(names.len(), checks().count());
        for check in checks() {
            assert!(check.section.starts_with(|first: char| first.is_ascii_digit()), "{}", check.name);
        }
    }

    /// `offers` names checks: one that is renamed here would make a scenario unavailable without a word.
    #[test]
    fn whatever_a_scenario_needs_is_a_check() {
        let check = |name: &str| conformance::Check {
            name: name.to_owned(),
            group: String::new(),
            section: String::new(),
            outcome: conformance::Outcome::Conforms,
            asked: Vec::new(),
        };
        let at = chrono::Utc::now();
        let conformance = Conformance {
            schema: conformance::SCHEMA,
            started_at: at,
            finished_at: at,
            callbench: String::new(),
            base_url: String::new(),
            workspace: String::new(),
            paging: conformance::Paging::Unknown,
            requests: 0,
            checks: GROUPS.iter().flat_map(|group| group.checks).map(|known| check(known.name)).collect(),
            left_behind: Vec::new(),
        };
        for scenario in conformance::SCENARIOS {
            assert_eq!(conformance.offers(scenario), Ok(()));
        }
        for name in reports::conformance::needed() {
            assert!(conformance.check(name).is_some(), "{name}");
        }
    }

    #[test]
    fn a_group_that_there_is_not_is_answered_with_the_one_that_was_meant() {
        let error = chosen(&["filter".to_owned()]).err().unwrap().to_string();
        assert!(error.contains("did you mean `filters`?") && error.contains("pages, cursors"), "{error}");
        assert_eq!(chosen(&["links".to_owned()]).unwrap().len(), 1);
        assert_eq!(chosen(&[]).unwrap().len(), GROUPS.len());
    }
}
