//! The page of the lock lab: like the report of a run, one file that fetches nothing and runs nothing.

use maud::{Markup, html};

use super::terminal::{cost, headline, row, standing};
use super::{Locks, Trial, graph};
use crate::html::figure::scrolled;
use crate::html::{badge, contents, document};
use crate::quantity;

/// The page.
pub(super) fn locks(locks: &Locks) -> String {
    let sections: Vec<(&str, &str, Option<Markup>)> = vec![
        ("warnings", "Before you trust a figure", warnings(locks)),
        ("trials", "Trials", trials(locks)),
        ("graphs", "Who blocked whom, when most waited", graphs(locks)),
        ("how", "How it was provoked", Some(how(locks))),
        ("environment", "Environment", Some(environment(locks))),
        ("again", "How to provoke it again", Some(html! { pre { code { (locks.command) } } })),
    ];
    let body = html! {
        header {
            p class="eyebrow" {
                "callbench" span { (locks.name) }
                span { time datetime=(locks.started_at.to_rfc3339()) { (quantity::moment(locks.started_at)) } }
            }
            h1 { (badge::standing(standing(locks))) (headline(locks)) }
            p class="muted" { (locks.subject.description) @if let Some(level) = &locks.subject.level { ", level " (level) } }
        }
        (contents(sections))
        footer { p { "Made by callbench " (locks.environment.callbench) " from locks.json." } }
    };
    document(&locks.name, &locks.environment.callbench, "", &body)
}

fn warnings(locks: &Locks) -> Option<Markup> {
    (!locks.warnings.is_empty())
        .then(|| html! { ul class="warnings" { @for warning in &locks.warnings { li { (warning) } } } })
}

fn trials(locks: &Locks) -> Option<Markup> {
    let headings = [
        "Case",
        "How",
        "Threads",
        "Transactions",
        "Deadlocks",
        "Server",
        "Bound",
        "Retries",
        "Lost",
        "Longest wait",
        "Verdict",
    ];
    (!locks.trials.is_empty()).then(|| {
        html! {
            (scrolled(&html! {
                table {
                    thead { tr { @for (column, heading) in headings.iter().enumerate() { th class=[(column > 1 && column < 10).then_some("n")] scope="col" { (heading) } } } }
                    tbody {
                        @for trial in &locks.trials {
                            @let cells = row(trial);
                            tr {
                                th scope="row" { (cells[0]) }
                                td { (cells[1]) }
                                @for cell in &cells[2..10] { td class="n" { (cell) } }
                                td {
                                    (badge::outcome(trial.judgement.outcome))
                                    p class="why" { (trial.judgement.reason) }
                                    @for (what, times) in &trial.failures { p class="why" { (quantity::count(*times)) " x " (what) } }
                                }
                            }
                        }
                    }
                }
            }))
            p class="muted" {
                "Deadlocks as clients saw them (SQLSTATE 40P01; through the API the server's own retries and the answers that it gave "
                "up), and as the database counted them. The bound is the 95 % upper limit of the share of attempts, 3/n for none. "
                "Lost: updates that were committed and are not in the rows."
            }
        }
    })
}

fn graphs(locks: &Locks) -> Option<Markup> {
    let with: Vec<&Trial> = locks.trials.iter().filter(|trial| trial.watch.worst.is_some()).collect();
    (!with.is_empty()).then(|| {
        html! { @for trial in with { @if let Some(worst) = &trial.watch.worst {
            details {
                summary {
                    (trial.case) " " (trial.way.name()) ": " (quantity::plural(worst.waiting, "session")) " after "
                    (quantity::seconds(worst.at_s)) "; " (quantity::plural(trial.watch.waits, "wait")) " seen, longest "
                    (trial.watch.longest_ms.map_or_else(|| "–".into(), quantity::time_ms))
                }
                pre { code { (graph(worst)) } }
                p class="muted" { (cost(&trial.watch)) }
            }
        } } }
    })
}

fn how(locks: &Locks) -> Markup {
    let mut cases: Vec<(&str, &str)> = Vec::new();
    for trial in &locks.trials {
        if !cases.iter().any(|(case, _)| *case == trial.case) {
            cases.push((&trial.case, &trial.what));
        }
    }
    html! {
        p {
            "Each case is done through the API, in plain SQL in the order that the server keeps, and, as its control, in the order in "
            "which the rows arrive. The control has to deadlock; else the zero of the others proves nothing."
        }
        (scrolled(&html! { table class="facts" { tbody { @for (case, what) in cases { tr { th scope="row" { (case) } td { (what) } } } } } }))
    }
}

fn environment(locks: &Locks) -> Markup {
    let environment = &locks.environment;
    let mut facts = vec![("callbench", environment.callbench.clone())];
    facts.extend(environment.commit.clone().map(|commit| ("commit", commit)));
    facts.extend([
        ("system", environment.system.clone()),
        ("processor", environment.cpu.clone()),
        ("cores", environment.cores.to_string()),
        ("memory", quantity::bytes(environment.memory_bytes as f64)),
    ]);
    facts.extend(environment.database.as_ref().map(|database| ("database", database.version.clone())));
    facts.extend([("workspace", locks.workspace.clone())]);
    scrolled(
        &html! { table class="facts" { tbody { @for (name, value) in facts { tr { th scope="row" { (name) } td { (value) } } } } } },
    )
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn the_page_fetches_nothing_runs_nothing_and_has_every_trial() {
        let page = locks(&sample::locks());
        for forbidden in ["<script", "@import", "<link", "<iframe", "http://", "https://", "src="] {
            assert!(!page.contains(forbidden), "{forbidden}");
        }
        assert_eq!(page.matches("<summary>update_32 ").count(), 3);
        assert!(page.contains("waits 12.5 ms for ShareLock on transactionid customer"));
        assert!(page.contains("25 deadlocks in 20,000 transactions, as it must"));
    }
}
