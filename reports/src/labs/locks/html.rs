//! The page of the lock lab: like the report of a run, one file that fetches nothing and runs nothing.

use maud::{Markup, html};

use super::terminal::{cost, headline, row, standing};
use super::{Locks, Room, Trial, Way, graph};
use crate::html::budgets;
use crate::html::charts::strip::{Ink, Strip, strip};
use crate::html::figure::{Size, figure, scrolled, table};
use crate::html::{badge, contents, document};
use crate::meanwhile::Point;
use crate::quantity;

/// The page.
pub(super) fn locks(locks: &Locks) -> String {
    let sections: Vec<(&str, &str, Option<Markup>)> = vec![
        ("warnings", "Before you trust a figure", warnings(locks)),
        ("trials", "Trials", trials(locks)),
        ("budgets", "Budgets", budgets::table(&locks.verdicts)),
        ("waits", "Waits over time", waits(locks)),
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
        "Met",
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
                    thead { tr { @for (column, heading) in headings.iter().enumerate() { th class=[(column > 1 && column < 11).then_some("n")] scope="col" { (heading) } } } }
                    tbody {
                        @for trial in &locks.trials {
                            @let cells = row(trial);
                            tr {
                                th scope="row" { (cells[0]) }
                                td { (cells[1]) }
                                @for cell in &cells[2..11] { td class="n" { (cell) } }
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
                "Met: were under way at the same time as another that took one of the same rows. "
                "Deadlocks as clients saw them (SQLSTATE 40P01; through the API the server's own retries and the answers that it gave "
                "up), and as the database counted them. The bound is the 95 % upper limit of the share of attempts (Clopper and Pearson); for none that is the rule "
                "of three, 3/n (Hanley and Lippman-Hand, JAMA 249, 1983). "
                "Lost: updates that were committed and are not in the rows."
            }
        }
    })
}

/// Stretches of a line of waits.
const STRETCHES: f64 = 120.0;

/// One chart for each case in which somebody was seen to wait, with a line for each way.
fn waits(locks: &Locks) -> Option<Markup> {
    let charts: Vec<Markup> = cases(locks).iter().filter_map(|(case, _)| waits_of(locks, case)).collect();
    (!charts.is_empty()).then(
        || html! { @for pair in charts.chunks(2) { div class="pair" { @for chart in pair { (chart) } } } },
    )
}

fn waits_of(locks: &Locks, case: &str) -> Option<Markup> {
    let ways = [Way::Control, Way::Sql, Way::Api];
    let trials: Vec<&Trial> = locks.trials.iter().filter(|trial| trial.case == case).collect();
    if trials.iter().all(|trial| trial.watch.worst.is_none()) {
        return None;
    }
    let sentences: Vec<String> = trials
        .iter()
        .map(|trial| {
            let most = trial.watch.worst.as_ref().map_or(0, |worst| worst.waiting);
            let longest = trial
                .watch
                .longest_ms
                .map_or_else(String::new, |ms| format!(", up to {}", quantity::time_ms(ms)));
            format!("{} at most {}{longest}", trial.way.name(), quantity::count(most))
        })
        .collect();
    let strips = || -> Vec<Strip> {
        let strip = |trial: &&Trial| {
            let index = ways.iter().position(|way| *way == trial.way).unwrap_or_default();
            Strip { index, points: stretches(trial) }
        };
        trials.iter().map(strip).collect()
    };
    let rows: Vec<Vec<String>> = trials
        .iter()
        .map(|trial| {
            vec![
                trial.way.name().to_owned(),
                quantity::count(trial.watch.looks),
                quantity::count(trial.watch.looks_with_waits),
                quantity::count(trial.watch.waits),
                quantity::count(trial.watch.worst.as_ref().map_or(0, |worst| worst.waiting)),
                trial.watch.longest_ms.map_or_else(|| "–".into(), quantity::time_ms),
            ]
        })
        .collect();
    let headings = ["How", "Looks", "With a wait", "Waits seen", "Most at once", "Longest"];
    let title = format!("{case}: sessions that waited for a lock");
    Some(figure(
        Size::Half,
        &format!("{title}: {}.", sentences.join("; ")),
        |width| strip(&strips(), &ways.map(Way::name), &title, Ink::Decimal(quantity::number), width),
        &table(&headings, &rows),
    ))
}

/// Most sessions that waited in each of many short stretches; in one without a look in the strip nobody did.
fn stretches(trial: &Trial) -> Vec<Point> {
    let watch = &trial.watch;
    let long_s = (watch.period_ms / 1e3).max(watch.seconds / STRETCHES).max(0.001);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few hundred stretches")]
    let place = |at_s: f64| (at_s / long_s).floor().max(0.0) as usize;
    let point =
        |place: usize| Point { from_s: place as f64 * long_s, to_s: (place + 1) as f64 * long_s, value: 0.0 };
    let mut points: Vec<Point> = (0..=place(watch.seconds)).map(point).collect();
    for look in &watch.strip {
        if let Some(point) = points.get_mut(place(look.at_s)) {
            point.value = point.value.max(look.waiting as f64);
        }
    }
    points
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
                pre { code { (graph(worst, Room::PAGE)) } }
                p class="muted" { (cost(&trial.watch)) }
            }
        } } }
    })
}

fn how(locks: &Locks) -> Markup {
    html! {
        p {
            "Each case is done through the API, in plain SQL in the order that the server keeps, and, as its control, in the order in "
            "which the rows arrive. The control has to deadlock; else the zero of the others proves nothing."
        }
        (scrolled(&html! { table class="facts" { tbody { @for (case, what) in cases(locks) { tr { th scope="row" { (case) } td { (what) } } } } } }))
    }
}

/// Each case with what happens in it.
fn cases(locks: &Locks) -> Vec<(&str, &str)> {
    let mut cases: Vec<(&str, &str)> = Vec::new();
    for trial in &locks.trials {
        if !cases.iter().any(|(case, _)| *case == trial.case) {
            cases.push((&trial.case, &trial.what));
        }
    }
    cases
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
    use super::super::Waiting;
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
        assert!(
            page.contains("update_32: sessions that waited for a lock: control at most 1, up to 12.5 ms")
        );
        assert!(page.contains("25 deadlocks in 20,025 attempts, as it must"));
    }

    #[test]
    fn looks_are_drawn_where_they_were_and_between_them_nobody_waited() {
        let mut trial = sample::trial(Way::Control, 25);
        let look = |at_s, waiting| Waiting { at_s, waiting, longest_ms: None };
        trial.watch.strip = vec![look(2.0, 1), look(2.05, 7), look(11.99, 2)];
        let points = stretches(&trial);
        let waited: Vec<(usize, f64)> =
            points.iter().map(|point| point.value).enumerate().filter(|(_, value)| *value > 0.0).collect();
        assert_eq!((points.len(), waited), (121, vec![(20, 7.0), (119, 2.0)]));
    }
}
