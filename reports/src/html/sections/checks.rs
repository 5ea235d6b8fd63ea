//! Correctness checks that ran beside the measurement: a fast wrong answer is no answer.

use maud::{Markup, html};

use super::super::Page;
use super::super::badge;
use super::super::figure::scrolled;
use crate::run::Outcome;

pub(in crate::html) fn section(page: &Page<'_>) -> Option<Markup> {
    (!page.run.checks.is_empty()).then(|| {
        scrolled(&html! {
            table {
                thead { tr { th scope="col" { "Verdict" } th scope="col" { "Check" } th scope="col" { "Seen" } } }
                tbody {
                    @for check in &page.run.checks {
                        tr { td { (badge::outcome(if check.passed { Outcome::Pass } else { Outcome::Fail })) } td { (check.name) } td { (check.detail) } }
                    }
                }
            }
        })
    })
}
