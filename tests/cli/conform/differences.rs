//! Whoever differs from the contract is told in what, and every check can tell.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use loadgen::conform::{Examination, all_checks, conform};
use reports::conformance::{Conformance, Outcome, SCENARIOS};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use super::breaking::{self, Break, EMPLOYEE, Proxy, STRANGER, WORKSPACE};
use super::original::{Original, proxied};

/// The checks that found something.
fn names(conformance: &Conformance) -> Vec<&str> {
    let found = |outcome: &Outcome| matches!(outcome, Outcome::Differs { .. } | Outcome::Missing { .. });
    conformance.checks.iter().filter(|check| found(&check.outcome)).map(|check| check.name.as_str()).collect()
}

/// How many servers are examined at once, each with a database of its own: they wait for it often.
const LANES: usize = 4;

#[tokio::test(flavor = "multi_thread")]
async fn each_difference_is_found_by_the_checks_that_are_about_it_and_by_no_other() {
    let original = Original::get().await;
    let breaks = Mutex::new(std::iter::once(Break::NOTHING).chain(breaking::all()));
    let lane = async || {
        let database = original.copy().await;
        let proxy = proxied(&database).await;
        let mut wrong = Vec::new();
        loop {
            let Some(broken) = breaks.lock().await.next() else { return (wrong, database) };
            proxy.breaks(broken);
            wrong.extend(unexpected(broken, &proxy, &original.other).await);
        }
    };
    let (wrong, databases): (Vec<_>, Vec<_>) = join_all((0..LANES).map(|_| lane())).await.into_iter().unzip();
    // Dropping one blocks, and so has to wait for all lanes.
    drop(databases);
    let wrong = wrong.concat();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What is wrong with how a difference is found. The groups that should find it are examined; all of them where none should.
async fn unexpected(broken: Break, proxy: &Proxy, other: &str) -> Vec<String> {
    let is_concerned = |&(_, check): &(&str, &str)| broken.found_by.contains(&check);
    let groups: BTreeSet<&str> = all_checks().filter(is_concerned).map(|(group, _)| group).collect();
    let examination = Examination {
        base_url: proxy.base_url.clone(),
        token: "token123".into(),
        workspace: WORKSPACE.into(),
        other_token: Some(STRANGER.into()),
        other_workspace: Some(other.into()),
        employee_token: Some(EMPLOYEE.into()),
        writes: true,
        only: groups.into_iter().map(str::to_owned).collect(),
        scenarios: Vec::new(),
    };
    let found = conform(&examination, &|_| (), &CancellationToken::new()).await.expect("a conformance");
    let mut wrong = Vec::new();
    if names(&found) != broken.found_by {
        wrong.push(format!("{} is found by {:#?}", broken.name, names(&found)));
    }
    let taken: Vec<&str> = SCENARIOS.into_iter().filter(|scenario| found.lacks(scenario).is_some()).collect();
    if taken != broken.takes_away {
        wrong.push(format!("{} takes away {taken:#?}", broken.name));
    }
    wrong
}

#[test]
fn every_check_finds_a_difference() {
    let found: BTreeSet<&str> = breaking::all().flat_map(|broken| broken.found_by.iter().copied()).collect();
    let known: BTreeSet<&str> = all_checks().map(|(_, check)| check).collect();
    let idle: Vec<&&str> = known.difference(&found).collect();
    assert!(
        idle.is_empty(),
        "a break in tests/cli/conform/breaking is missing, which these would find: {idle:#?}"
    );
    let unknown: Vec<&&str> = found.difference(&known).collect();
    assert!(unknown.is_empty(), "there are no such checks: {unknown:#?}");
}
