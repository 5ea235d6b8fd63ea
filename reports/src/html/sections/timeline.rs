//! Second by second: was it steady, was there a stall.

use maud::{Markup, html};

use super::super::Page;
use super::super::charts::timeline::{Stretch, timeline};
use super::super::figure::{Size, figure, table};
use crate::quantity;
use crate::summary;

pub(in crate::html) fn section(page: &Page<'_>) -> Option<Markup> {
    let charts: Vec<Markup> = page.operations.iter().filter_map(|operation| of(page, operation)).collect();
    (!charts.is_empty()).then(|| html! { @for chart in &charts { (chart) } })
}

fn of(page: &Page<'_>, operation: &str) -> Option<Markup> {
    let mut windows: Vec<_> = page
        .under(operation)
        .into_iter()
        .flat_map(|summary| summary::windows(page.run, summary.case, 1))
        .collect();
    windows.retain(|window| window.series.iter().any(|second| second.requests > 0));
    windows.sort_by(|a, b| a.round.cmp(&b.round).then(a.opened_s.total_cmp(&b.opened_s)));
    let worst = windows
        .iter()
        .filter_map(|window| {
            let (second, values) =
                window.series.iter().enumerate().max_by_key(|(_, values)| values.max_us)?;
            Some((window, second + 1, values.max_us))
        })
        .max_by_key(|(_, _, us)| *us)?;
    let finding = format!(
        "{}: the slowest second had a response of {} ({}, round {}, second {}).",
        quantity::heading(operation),
        quantity::time_us(worst.2 as f64),
        worst.0.subject,
        worst.0.round,
        worst.1
    );
    let stretches: Vec<Stretch<'_>> = windows
        .iter()
        .map(|window| Stretch {
            index: page.index(&window.subject),
            subject: &window.subject,
            round: window.round,
            seconds: window.series.clone(),
        })
        .collect();
    let rows: Vec<Vec<String>> = windows
        .iter()
        .map(|window| {
            let response = &window.timings.response;
            let time = |us: Option<u64>| us.map_or_else(|| "–".into(), |us| quantity::time_us(us as f64));
            vec![
                format!("Round {}, {}", window.round, window.subject),
                quantity::count(window.requests),
                quantity::count(window.errors.values().sum()),
                quantity::per_second(window.requests as f64 / window.drained_s.max(f64::MIN_POSITIVE)),
                time(response.quantile_us(0.5)),
                time(response.quantile_us(0.95)),
                time(response.max_us()),
            ]
        })
        .collect();
    let title = format!("{}: second by second", quantity::heading(operation));
    Some(figure(
        Size::Full,
        &finding,
        |width| timeline(&stretches, &page.subjects, &title, width),
        &table(&["Window", "Requests", "Errors", "Answered", "p50", "p95", "max"], &rows),
    ))
}
