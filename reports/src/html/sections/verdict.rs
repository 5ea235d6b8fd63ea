//! The head of the page: the verdict in one line, and the result of each operation in one card.

use maud::{Markup, html};

use super::super::Page;
use super::super::badge;
use crate::budgets::exit_code;
use crate::comparison::{CONFIDENCE, Comparison};
use crate::quantity;
use crate::run::{Outcome, Run};
use crate::summary::Summary;

pub(in crate::html) fn header(page: &Page<'_>) -> Markup {
    let run = page.run;
    html! {
        header {
            p class="eyebrow" {
                "callbench" span { (run.name) }
                span { time datetime=(run.started_at.to_rfc3339()) { (quantity::moment(run.started_at)) } }
            }
            h1 { (badge::standing(standing(run))) (headline(run)) }
            @if !page.operations.is_empty() {
                div class="cards" { @for operation in &page.operations { (card(page, operation)) } }
            }
        }
    }
}

/// The verdict in one word. A run without budgets that came to its end is just that: measured.
pub(crate) fn standing(run: &Run) -> &'static str {
    match exit_code(run) {
        0 => "Pass",
        1 => "Fail",
        _ if run.complete && run.verdicts.is_empty() => "Measured",
        _ => "Not judged",
    }
}

/// The verdict in one sentence.
pub(crate) fn headline(run: &Run) -> String {
    let number = |outcome| run.verdicts.iter().filter(|verdict| verdict.outcome == outcome).count() as u64;
    let (failed, open, all) =
        (number(Outcome::Fail), number(Outcome::Inconclusive), run.verdicts.len() as u64);
    let broken = run.checks.iter().filter(|check| !check.passed).count() as u64;
    let mut parts = Vec::new();
    if !run.complete {
        parts.push("the run was interrupted".to_owned());
    }
    if broken > 0 {
        parts.push(format!("{} did not hold", quantity::plural(broken, "check")));
    }
    let rules = quantity::plural(all, "budget rule");
    parts.push(match (failed, open, all) {
        (0, 0, 0) => "no budget was held against this run".to_owned(),
        (0, 0, 1) => "the one budget rule holds".to_owned(),
        (0, 0, all) => format!("all {all} budget rules hold"),
        (0, open, _) => format!("{open} of {rules} could not be judged"),
        (failed, 0, _) => format!("{failed} of {rules} failed"),
        (failed, open, _) => format!("{failed} of {rules} failed, {open} could not be judged"),
    });
    let sentence = parts.join(", ");
    let mut letters = sentence.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn card(page: &Page<'_>, operation: &str) -> Markup {
    let summaries = page.under(operation);
    let (Some(base), Some(last)) = (summaries.first(), summaries.last()) else { return html! {} };
    let p95 = |summary: &Summary<'_>| {
        summary
            .timings
            .response
            .quantile_us(0.95)
            .map_or_else(|| "–".to_owned(), |us| quantity::time_us(us as f64))
    };
    let comparison = (base.case != last.case)
        .then(|| Comparison::of(page.run, last.case, base.case, 0.95, CONFIDENCE))
        .flatten();
    html! {
        div class="card" {
            h2 { (quantity::heading(operation)) }
            @if let Some(comparison) = &comparison {
                p class="big" { (comparison.words()) }
                p {
                    "p95 " strong class={ "c" (page.index(base.case.subject)) } { (p95(base)) } " → "
                    strong class={ "c" (page.index(last.case.subject)) } { (p95(last)) }
                    @if let (Some(from), Some(to)) = (base.work, last.work) {
                        br;
                        (quantity::number(from.statements_per_request)) " → " (quantity::number(to.statements_per_request)) " statements per request"
                    }
                }
                p class="muted" { (base.case.subject) " → " (last.case.subject) }
            } @else {
                p class="big" { (p95(last)) }
                p { "p95 of " (quantity::plural(last.requests, "request")) " to " (last.case.subject) }
                @if let Some(work) = last.work {
                    p { (quantity::number(work.statements_per_request)) " statements per request" }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn the_headline_counts_what_failed_and_what_could_not_be_judged() {
        let mut run = sample::run();
        let all = run.verdicts.len();
        assert_eq!(headline(&run), format!("All {all} budget rules hold"));
        run.verdicts[0].outcome = Outcome::Fail;
        run.verdicts[1].outcome = Outcome::Inconclusive;
        assert_eq!(headline(&run), format!("1 of {all} budget rules failed, 1 could not be judged"));
        run.complete = false;
        run.checks[0].passed = false;
        assert!(headline(&run).starts_with("The run was interrupted, 1 check did not hold, 1 of"));
        run = sample::unjudged();
        assert_eq!(
            (standing(&run), headline(&run).as_str()),
            ("Measured", "No budget was held against this run")
        );
    }
}
