//! The percentile spectrum of each operation.

use maud::{Markup, html};

use super::super::Page;
use super::super::charts::spectrum::{Curve, last_quantile, spectrum};
use super::super::figure::{Size, figure, table};
use super::limits;
use crate::comparison::CONFIDENCE;
use crate::quantity;
use crate::stats::quantile;

const SHOWN: [f64; 7] = [0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 0.9999];

pub(in crate::html) fn section(page: &Page<'_>) -> Option<Markup> {
    let operations: Vec<&&str> = page
        .operations
        .iter()
        .filter(|operation| {
            page.under(operation).iter().any(|summary| last_quantile(summary.requests, CONFIDENCE).is_some())
        })
        .collect();
    let size = if operations.len() > 1 { Size::Half } else { Size::Full };
    (!operations.is_empty()).then(|| {
        html! { div class=[(size == Size::Half).then_some("pair")] { @for operation in operations { (of(page, operation, size)) } } }
    })
}

fn of(page: &Page<'_>, operation: &str, size: Size) -> Markup {
    let summaries = page.under(operation);
    let curves: Vec<Curve<'_>> = summaries
        .iter()
        .map(|summary| Curve {
            index: page.index(summary.case.subject),
            subject: summary.case.subject,
            response: &summary.timings.response,
            limits: limits(page.run, summary.case),
        })
        .collect();
    let mut headings = vec!["Percentile"];
    headings.extend(summaries.iter().map(|summary| summary.case.subject));
    let rows: Vec<Vec<String>> = SHOWN
        .into_iter()
        .map(|q| {
            let cell = |summary: &&crate::summary::Summary<'_>| {
                let needed = quantile::minimum_samples(q, CONFIDENCE);
                match summary.timings.response.quantile_us(q) {
                    Some(us) if summary.requests >= needed => quantity::time_us(us as f64),
                    _ => format!("needs {}", quantity::plural(needed, "request")),
                }
            };
            std::iter::once(format!("p{}", quantity::number(q * 100.0)))
                .chain(summaries.iter().map(cell))
                .collect()
        })
        .collect();
    let title = format!("{}: percentile spectrum", quantity::heading(operation));
    figure(
        size,
        &finding(page, operation),
        |width| spectrum(&curves, &page.subjects, &title, CONFIDENCE, width),
        &table(&headings, &rows),
    )
}

/// How long the tail is: p99 against the median.
fn finding(page: &Page<'_>, operation: &str) -> String {
    let enough = quantile::minimum_samples(0.99, CONFIDENCE);
    let tails: Vec<String> = page
        .under(operation)
        .into_iter()
        .filter_map(|summary| {
            let response = &summary.timings.response;
            let (p50, p99) = (response.quantile_us(0.5)?, response.quantile_us(0.99)?);
            Some(if summary.requests >= enough {
                format!(
                    "p99 of {} is {} its median",
                    summary.case.subject,
                    quantity::times((p99 as f64 / p50.max(1) as f64 * 10.0).round() / 10.0)
                )
            } else {
                format!(
                    "{} has {} of the {enough} requests that p99 needs",
                    summary.case.subject,
                    quantity::count(summary.requests)
                )
            })
        })
        .collect();
    format!("{}: {}.", quantity::heading(operation), tails.join("; "))
}
