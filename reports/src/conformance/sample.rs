//! Results for the tests of this module.
#![cfg(test)]

use super::{Check, Conformance, Difference, Outcome, Paging, SCHEMA};

/// A result whose checks have these outcomes.
pub(super) fn conformance(outcomes: Vec<Outcome>) -> Conformance {
    let at = "2026-01-01T12:00:00Z".parse().unwrap();
    let check = |(number, outcome)| Check {
        name: format!("check_{number}"),
        group: "pages".into(),
        section: "3".into(),
        outcome,
        asked: vec!["GET http://127.0.0.1:8000/api/v1/customers/?workspace_id=shop".into()],
    };
    Conformance {
        schema: SCHEMA,
        started_at: at,
        finished_at: at,
        callbench: "0.1.0".into(),
        base_url: "http://127.0.0.1:8000".into(),
        workspace: "shop".into(),
        paging: Paging::Cursors,
        requests: 12,
        checks: (1..).zip(outcomes).map(check).collect(),
        left_behind: Vec::new(),
    }
}

/// A check of this name.
pub(super) fn check(name: &str, outcome: Outcome) -> Check {
    Check { name: name.into(), ..conformance(vec![outcome]).checks.remove(0) }
}

pub(super) fn differs() -> Outcome {
    Outcome::Differs {
        differences: vec![Difference {
            asked: "GET http://127.0.0.1:8000/api/v1/customers/?workspace_id=shop&page_size=7".into(),
            expected: "a page of 7 rows".into(),
            seen: "10 rows".into(),
        }],
    }
}
