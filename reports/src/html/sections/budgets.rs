//! The verdict of each rule, with what was measured and how much of the budget is left.

use maud::{Markup, html};

use super::super::Page;
use super::super::badge;
use super::super::charts::headroom;
use super::super::figure::scrolled;
use crate::budgets::words;
use crate::quantity;
use crate::run::{Outcome, Verdict};

pub(in crate::html) fn section(page: &Page<'_>) -> Option<Markup> {
    table(&page.run.verdicts)
}

/// The table of some verdicts; `None` without any.
pub(crate) fn table(verdicts: &[Verdict]) -> Option<Markup> {
    if verdicts.is_empty() {
        return None;
    }
    // A section may speak of several subjects under several operations.
    let of = |verdict: &Verdict| (verdict.budget.clone(), verdict.subject.clone(), verdict.operation.clone());
    let groups: Vec<&[Verdict]> = verdicts.chunk_by(|one, next| of(one) == of(next)).collect();
    Some(scrolled(&html! {
        table class="budgets" {
            thead {
                tr {
                    th scope="col" { "Verdict" } th scope="col" { "Rule" } th class="n" scope="col" { "Measured" }
                    th class="n" scope="col" { "Interval" } th scope="col" { "Of the limit" } th class="n" scope="col" { "Headroom" }
                }
            }
            @for rules in groups {
                tbody {
                    tr class="group" {
                        th colspan="6" scope="rowgroup" {
                            (quantity::heading(&rules[0].budget))
                            span class="muted" { (rules[0].subject) " under " (rules[0].operation) }
                        }
                    }
                    @for verdict in rules { (row(verdict)) }
                }
            }
        }
    }))
}

fn row(verdict: &Verdict) -> Markup {
    html! {
        tr {
            td { (badge::outcome(verdict.outcome)) }
            td {
                code { (verdict.rule) }
                @if let Some(base) = &verdict.against { " of " (base) }
                @if verdict.outcome != Outcome::Pass { p class="why" { (verdict.reason) } }
            }
            td class="n strong" { (words::measured(verdict)) }
            td class="n muted" { (words::interval(verdict)) }
            td class="bar" { @if let Some(bar) = headroom::bar(verdict) { (bar) } }
            td class="n" { (words::headroom(verdict)) }
        }
    }
}
