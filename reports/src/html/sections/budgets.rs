//! The verdict of each rule, with what was measured and how much of the budget is left.

use maud::{Markup, html};

use super::super::Page;
use super::super::charts::headroom;
use super::super::figure::scrolled;
use super::outcome;
use crate::quantity;
use crate::run::Verdict;

pub(in crate::html) fn section(page: &Page<'_>) -> Option<Markup> {
    if page.run.verdicts.is_empty() {
        return None;
    }
    let mut groups: Vec<(&str, Vec<&Verdict>)> = Vec::new();
    for verdict in &page.run.verdicts {
        match groups.last_mut() {
            Some((budget, rules)) if *budget == verdict.budget => rules.push(verdict),
            _ => groups.push((&verdict.budget, vec![verdict])),
        }
    }
    Some(scrolled(&html! {
        table class="budgets" {
            thead {
                tr {
                    th scope="col" { "Verdict" } th scope="col" { "Rule" } th class="n" scope="col" { "Measured" }
                    th class="n" scope="col" { "Interval" } th scope="col" { "Of the limit" } th class="n" scope="col" { "Headroom" }
                }
            }
            @for (budget, rules) in &groups {
                tbody {
                    tr class="group" {
                        th colspan="6" scope="rowgroup" {
                            (quantity::heading(budget))
                            @if let Some(first) = rules.first() { span class="muted" { (first.subject) " under " (first.operation) } }
                        }
                    }
                    @for verdict in rules { (row(verdict)) }
                }
            }
        }
    }))
}

fn row(verdict: &Verdict) -> Markup {
    let (word, sign, class) = outcome(verdict.outcome);
    html! {
        tr {
            td { span class={ "badge " (class) } { (sign) " " (word) } }
            td {
                code { (verdict.rule) }
                @if let Some(base) = &verdict.against { " of " (base) }
                @if class != "pass" { p class="why" { (verdict.reason) } }
            }
            @if let Some(observed) = verdict.observed {
                @let print = |value| quantity::value(value, observed.unit);
                td class="n strong" { (print(observed.value)) }
                td class="n muted" { @if observed.high > observed.low { (print(observed.low)) " – " (print(observed.high)) } @else { "counted" } }
            } @else {
                td class="n" { "–" } td class="n" { "–" }
            }
            td class="bar" { @if let Some(bar) = headroom::bar(verdict) { (bar) } }
            td class="n" { @if let Some(headroom) = verdict.headroom { (format!("{:.1} %", headroom * 100.0)) } @else { "–" } }
        }
    }
}
