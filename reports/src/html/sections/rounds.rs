//! The rounds: whether the figures hold still.

use maud::{Markup, html};

use super::super::Page;
use super::super::charts::rounds::{Dot, signed, strip};
use super::super::figure::{Size, figure, table};
use crate::quantity;
use crate::stats;
use crate::summary;

const QUANTILE: f64 = 0.95;

pub(in crate::html) fn section(page: &Page<'_>) -> Option<Markup> {
    // One round has no spread to show.
    let operations: Vec<&&str> = page
        .operations
        .iter()
        .filter(|operation| page.under(operation).iter().any(|summary| summary.windows.len() > 1))
        .collect();
    let size = if operations.len() > 1 { Size::Half } else { Size::Full };
    (!operations.is_empty()).then(|| {
        html! { div class=[(size == Size::Half).then_some("pair")] { @for operation in operations { (of(page, operation, size)) } } }
    })
}

fn of(page: &Page<'_>, operation: &str, size: Size) -> Markup {
    let dots = dots(page, operation);
    let rows: Vec<Vec<String>> = dots
        .iter()
        .map(|dot| {
            let subject = format!("{}{}", dot.subject, if dot.again { ", second look" } else { "" });
            vec![subject, dot.round.to_string(), quantity::time_us(dot.us), signed(dot.deviation)]
        })
        .collect();
    let title = format!("{}: p95 of each round", quantity::heading(operation));
    figure(
        size,
        &finding(page, operation, &dots),
        |width| strip(&dots, &page.subjects, &title, width),
        &table(&["Subject", "Round", "p95", "From the median"], &rows),
    )
}

fn dots<'a>(page: &Page<'a>, operation: &str) -> Vec<Dot<'a>> {
    let mut dots = Vec::new();
    for summary in page.under(operation) {
        let us =
            |window: &crate::run::Window| window.timings.response.quantile_us(QUANTILE).map(|us| us as f64);
        let values: Vec<f64> = summary.windows.iter().filter_map(|window| us(window)).collect();
        let Some(median) = stats::median_interval(&values, 0.95).map(|estimate| estimate.value) else {
            continue;
        };
        for window in summary.windows.iter().copied().chain(summary::windows(page.run, summary.case, 2)) {
            let Some(us) = us(window) else { continue };
            dots.push(Dot {
                index: page.index(summary.case.subject),
                subject: summary.case.subject,
                round: window.round,
                again: window.pass == 2,
                us,
                deviation: us / median - 1.0,
            });
        }
    }
    dots
}

fn finding(page: &Page<'_>, operation: &str, dots: &[Dot<'_>]) -> String {
    let spreads: Vec<String> = page
        .subjects
        .iter()
        .filter_map(|subject| {
            let deviations = dots
                .iter()
                .filter(|dot| dot.subject == *subject && !dot.again)
                .map(|dot| dot.deviation.abs());
            deviations.clone().next()?;
            Some(format!("within {} for {subject}", quantity::spread(deviations.fold(0.0, f64::max))))
        })
        .collect();
    let noise = summary::noise_floor(page.run, operation, QUANTILE).map_or_else(String::new, |noise| {
        format!(
            "; two looks at one subject (hollow marks: the second) differ by up to {}",
            quantity::spread(noise.spread).trim_start_matches('±')
        )
    });
    format!(
        "{}: the p95 of each round against its median: {}{noise}.",
        quantity::heading(operation),
        spreads.join(", ")
    )
}
