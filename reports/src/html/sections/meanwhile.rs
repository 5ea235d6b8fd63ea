//! What the database and the machine did while windows ran: small charts on one clock, and who waited for whom.

use maud::{Markup, html};

use super::super::Page;
use super::super::charts::strip::{Ink, Strip, strip};
use super::super::figure::{Size, figure, scrolled, table};
use crate::meanwhile::{Meanwhile, PARTIES, Point, mean, words};
use crate::quantity;
use crate::run::BlockedMoment;

/// A chart: its name, its figure for a subject, and how it is written.
struct Series {
    name: &'static str,
    points: fn(&Meanwhile<'_>) -> Vec<Point>,
    ink: Ink,
}

impl Series {
    const fn number(name: &'static str, points: fn(&Meanwhile<'_>) -> Vec<Point>) -> Self {
        Self { name, points, ink: Ink::Decimal(quantity::number) }
    }

    const fn share(name: &'static str, points: fn(&Meanwhile<'_>) -> Vec<Point>) -> Self {
        Self { name, points, ink: Ink::Decimal(quantity::share) }
    }

    const fn bytes(name: &'static str, points: fn(&Meanwhile<'_>) -> Vec<Point>) -> Self {
        Self { name, points, ink: Ink::Bytes }
    }
}

const SERIES: [Series; 11] = [
    Series::number("Transactions per second", |of| {
        of.rates(|sample| Some(sample.activity?.commits + sample.activity?.rollbacks))
    }),
    Series::share("Share of buffers that the cache did not hold", |of| {
        of.shares(
            |sample| Some(sample.activity?.buffers_read),
            |sample| Some(sample.activity?.buffers_read + sample.activity?.buffers_hit),
        )
    }),
    Series::bytes("WAL of the cluster per second", |of| of.rates(|sample| Some(sample.wal?.position_bytes))),
    Series::share("Heap-only share of updates", |of| {
        of.shares(|sample| Some(sample.tables?.hot_updated), |sample| Some(sample.tables?.updated))
    }),
    Series::number("Sessions that wait for a lock", |of| {
        of.levels(|sample| Some(sample.sessions?.states?.waiting_for_lock))
    }),
    Series::number("Sessions that execute a statement", |of| {
        of.levels(|sample| Some(sample.sessions?.states?.active))
    }),
    Series::number("Cores used by the client", |of| of.cores(PARTIES[0].1)),
    Series::number("Cores used by the server", |of| of.cores(PARTIES[1].1)),
    Series::number("Cores used by the database", |of| of.cores(PARTIES[2].1)),
    Series::number("Context switches of the server per second", |of| of.switches(PARTIES[1].1)),
    Series::number("Context switches of the database per second", |of| of.switches(PARTIES[2].1)),
];

pub(in crate::html) fn section(page: &Page<'_>) -> Option<Markup> {
    let all = Meanwhile::all(page.run);
    if all.is_empty() {
        return None;
    }
    let charts: Vec<Markup> = SERIES.iter().filter_map(|series| chart(page, &all, series)).collect();
    Some(html! {
        (scrolled(&figures(page, &all)))
        @for pair in charts.chunks(2) { div class="pair" { @for chart in pair { (chart) } } }
        @for of in &all {
            @if let Some(worst) = &of.probes.worst_wait {
                details {
                    summary { "Who waited for whom when most sessions of " (of.probes.subject) " waited, at second " (format!("{:.0}", worst.at_s)) }
                    (scrolled(&blocked(worst)))
                }
            }
        }
        p class="muted small" {
            "Sampled once a second. Counters of the database arrive about a second late, and those of a session that falls idle up to ten; WAL and processes are those of the whole cluster. What that cost: "
            @for (place, of) in all.iter().enumerate() { @if place > 0 { "; " } (words::cost(of)) }
            "."
        }
    })
}

fn figures(page: &Page<'_>, all: &[Meanwhile<'_>]) -> Markup {
    html! {
        table {
            thead { tr {
                th scope="col" { "Meanwhile" }
                @for of in all { th class="n" scope="col" { span class={ "c" (page.index(&of.probes.subject)) } { (of.probes.subject) } } }
            } }
            tbody { @for row in words::rows(all) { tr {
                th scope="row" { (quantity::heading(row.label)) }
                @for cell in &row.cells { td class="n" { (cell) } }
            } } }
        }
    }
}

fn chart(page: &Page<'_>, all: &[Meanwhile<'_>], series: &Series) -> Option<Markup> {
    let strips: Vec<(&str, Strip)> = all
        .iter()
        .map(|of| {
            let index = page.index(&of.probes.subject);
            (of.probes.subject.as_str(), Strip { index, points: (series.points)(of) })
        })
        .filter(|(_, strip)| !strip.points.is_empty())
        .collect();
    let most = |points: &[Point]| points.iter().map(|point| point.value).fold(0.0, f64::max);
    let sentences: Vec<String> = strips
        .iter()
        .filter_map(|(subject, strip)| {
            let (mean, most) = (mean(&strip.points)?, most(&strip.points));
            Some(format!("{} for {subject}, at most {}", series.ink.write(mean), series.ink.write(most)))
        })
        .collect();
    // What never happened is said by the table.
    if strips.iter().all(|(_, strip)| most(&strip.points) <= 0.0) {
        return None;
    }
    let rows: Vec<Vec<String>> = strips
        .iter()
        .map(|(subject, strip)| {
            let mean = mean(&strip.points).unwrap_or_default();
            vec![
                (*subject).to_owned(),
                series.ink.write(mean),
                series.ink.write(most(&strip.points)),
                quantity::count(strip.points.len() as u64),
            ]
        })
        .collect();
    let strips: Vec<Strip> = strips.into_iter().map(|(_, strip)| strip).collect();
    Some(figure(
        Size::Half,
        &format!("{}: {}.", series.name, sentences.join("; ")),
        |width| strip(&strips, &page.subjects, series.name, series.ink, width),
        &table(&["Subject", "Mean", "Most", "Samples"], &rows),
    ))
}

fn blocked(worst: &BlockedMoment) -> Markup {
    let words = |words: &Option<String>| words.clone().unwrap_or_else(|| "–".into());
    html! {
        table {
            thead { tr {
                th scope="col" { "Waiting" } th class="n" scope="col" { "So far" } th scope="col" { "For" } th scope="col" { "In the way" }
            } }
            tbody { @for wait in &worst.waits { tr {
                td { (wait.waiting_pid) " " code class="sql" { (words(&wait.waiting_statement)) } }
                td class="n" { (wait.waited_ms.map_or_else(|| "–".into(), quantity::time_ms)) }
                td { (wait.mode) " on " (wait.lock) @if let Some(relation) = &wait.relation { ", " code { (relation) } } }
                td { (wait.blocking_pid) ", " (words(&wait.blocking_state)) ": " code class="sql" { (words(&wait.blocking_statement)) } }
            } } }
        }
    }
}
