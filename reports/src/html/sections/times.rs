//! Response times: before and after as a picture, all of it as a table.

use maud::{Markup, html};

use super::super::Page;
use super::super::charts::dumbbell::{Group, Row, dumbbell};
use super::super::figure::{Size, figure, scrolled, table};
use super::limits;
use crate::comparison::{CONFIDENCE, Comparison};
use crate::latency::Latency;
use crate::quantity;
use crate::stats::quantile::minimum_samples;
use crate::summary::{self, Summary};

/// The percentiles that are shown.
pub(crate) const PERCENTILES: [(f64, &str); 3] = [(0.50, "p50"), (0.95, "p95"), (0.99, "p99")];

pub(in crate::html) fn section(page: &Page<'_>) -> Option<Markup> {
    if page.summaries.is_empty() {
        return None;
    }
    let groups: Vec<Group> = page.operations.iter().map(|operation| group(page, operation)).collect();
    let mut headings = vec!["Percentile"];
    headings.extend(&page.subjects);
    headings.extend(["Ratio", "Interval"]);
    let rows: Vec<Vec<String>> = groups
        .iter()
        .flat_map(|group| group.rows.iter().map(|row| data_row(page, &group.heading, row)))
        .collect();
    Some(html! {
        (figure(Size::Full, &finding(page), |width| dumbbell(&groups, &page.subjects, "Response times by percentile", width), &table(&headings, &rows)))
        (scrolled(&results(page)))
        @if page.summaries.iter().any(|summary| summary.requests < minimum_samples(0.99, CONFIDENCE)) {
            p class="muted small" { "In parentheses: fewer requests than the percentile needs for an upper bound." }
        }
        details { summary { "Lag and service: where the time of a response went" } (scrolled(&parts(page))) }
    })
}

fn data_row(page: &Page<'_>, heading: &str, row: &Row) -> Vec<String> {
    let mut cells = vec![format!("{heading}, {}", row.label)];
    for index in 0..page.subjects.len() {
        let mark = row.marks.iter().find(|(of, _, _)| *of == index);
        cells.push(mark.map_or_else(|| "–".into(), |(_, _, us)| quantity::time_us(*us)));
    }
    cells.extend([row.ratio.clone(), row.interval.clone()]);
    cells
}

fn group(page: &Page<'_>, operation: &str) -> Group {
    let summaries = page.under(operation);
    let mut rows = Vec::new();
    for (quantile, label) in PERCENTILES {
        let marks: Vec<(usize, String, f64)> = summaries
            .iter()
            .filter_map(|summary| {
                let us = summary.timings.response.quantile_us(quantile)?;
                Some((page.index(summary.case.subject), summary.case.subject.to_owned(), us as f64))
            })
            .collect();
        let comparison = match &summaries[..] {
            [base, .., last] => Comparison::of(page.run, last.case, base.case, quantile, CONFIDENCE),
            _ => None,
        };
        let limits = summaries.iter().flat_map(|summary| {
            let index = page.index(summary.case.subject);
            limits(page.run, summary.case).into_iter().map(move |(of, us)| (of, (index, us)))
        });
        let limits = limits.filter(|(of, _)| (of - quantile).abs() < 1e-9).map(|(_, limit)| limit).collect();
        rows.push(Row {
            label: label.into(),
            marks,
            ratio: comparison.as_ref().map(Comparison::words).unwrap_or_default(),
            interval: comparison.as_ref().and_then(interval).unwrap_or_default(),
            limits,
        });
    }
    Group { heading: quantity::heading(operation), rows }
}

/// `67x to 74x`; nothing for a difference that is noise, which has no direction.
fn interval(comparison: &Comparison<'_>) -> Option<String> {
    let (low, high) = comparison.interval()?;
    (!comparison.is_noise()).then(|| format!("{} to {}", quantity::times(low), quantity::times(high)))
}

/// What the picture shows, in sentences.
fn finding(page: &Page<'_>) -> String {
    let mut sentences = Vec::new();
    for operation in &page.operations {
        let summaries = page.under(operation);
        let heading = quantity::heading(operation);
        if let [base, .., last] = &summaries[..] {
            let Some(comparison) = Comparison::of(page.run, last.case, base.case, 0.95, CONFIDENCE) else {
                continue;
            };
            let noise = comparison.noise.map_or_else(
                || "noise floor not measured".to_owned(),
                |noise| format!("noise floor {}", quantity::spread(noise.spread)),
            );
            let interval = interval(&comparison).map_or_else(String::new, |interval| format!("{interval}, "));
            let (subject, base) = (last.case.subject, base.case.subject);
            let words = comparison.words();
            sentences.push(if comparison.is_noise() {
                format!("{heading}: {words} between {subject} and {base} at p95 ({noise}).")
            } else {
                format!("{heading}: {subject} is {words} than {base} at p95 ({interval}{noise}).")
            });
        } else if let Some((only, us)) =
            summaries.first().and_then(|only| Some((only, only.timings.response.quantile_us(0.95)?)))
        {
            sentences.push(format!(
                "{heading}: 95 of 100 requests to {} took at most {}.",
                only.case.subject,
                quantity::time_us(us as f64)
            ));
        }
    }
    if sentences.is_empty() {
        "No round measured two subjects, so there is no ratio.".into()
    } else {
        sentences.join(" ")
    }
}

fn results(page: &Page<'_>) -> Markup {
    html! {
        table {
            thead {
                tr {
                    th scope="col" { "Subject" } th class="n" scope="col" { "Requests" } th class="n" scope="col" { "Offered" }
                    th class="n" scope="col" { "Errors" }
                    @for (_, label) in PERCENTILES { th class="n" scope="col" { (label) } }
                    th class="n" scope="col" { "max" } th class="n" scope="col" { "Statements" } th class="n" scope="col" { "Buffers" }
                    th class="n" scope="col" { "Client CPU" }
                }
            }
            @for operation in &page.operations {
                tbody {
                    tr class="group" { th colspan="11" scope="rowgroup" { (quantity::heading(operation)) } }
                    @for summary in page.under(operation) { (result(page, summary)) }
                }
            }
        }
    }
}

fn result(page: &Page<'_>, summary: &Summary<'_>) -> Markup {
    let response = &summary.timings.response;
    html! {
        tr {
            th scope="row" { span class={ "c" (page.index(summary.case.subject)) } { (summary.case.subject) } }
            td class="n" { (quantity::count(summary.requests)) }
            td class="n" { @if let Some(rate) = summary.offered_per_second() { (quantity::per_second(rate)) } @else { "closed loop" } }
            td class="n" { (quantity::share(summary.error_share())) }
            @for (quantile, _) in PERCENTILES { td class="n" { (summary::percentile(response, quantile)) } }
            td class="n" { (time(response.max_us())) }
            td class="n" { (summary.work.map_or_else(|| "–".into(), |work| quantity::number(work.statements_per_request))) }
            td class="n" { (summary.work.map_or_else(|| "–".into(), |work| quantity::number(work.buffers_per_request))) }
            td class="n" { (summary.cores(|cpu| cpu.client_s).map_or_else(|| "–".into(), |cores| format!("{:.1} %", cores * 100.0))) }
        }
        @if summary.skipped > 0 {
            tr class="errors" { td colspan="11" { "Skipped: " (quantity::plural(summary.skipped, "arrival")) ", all workers busy" } }
        }
        @if !summary.errors.is_empty() {
            tr class="errors" { td colspan="11" {
                "Failed: " @for (place, (kind, count)) in summary.errors.iter().enumerate() { @if place > 0 { ", " } (quantity::count(*count)) " × " (kind) }
            } }
        }
    }
}

fn parts(page: &Page<'_>) -> Markup {
    html! {
        table {
            thead {
                tr {
                    th scope="col" { "Subject" } th scope="col" { "Part" }
                    @for (_, label) in PERCENTILES { th class="n" scope="col" { (label) } }
                    th class="n" scope="col" { "max" }
                }
            }
            @for operation in &page.operations {
                tbody {
                    tr class="group" { th colspan="6" scope="rowgroup" { (quantity::heading(operation)) } }
                    @for summary in page.under(operation) {
                        @for (place, (part, latency)) in named(summary).into_iter().enumerate() {
                            tr {
                                th scope="row" { @if place == 0 { span class={ "c" (page.index(summary.case.subject)) } { (summary.case.subject) } } }
                                td { (part) }
                                @for (quantile, _) in PERCENTILES { td class="n" { (summary::percentile(latency, quantile)) } }
                                td class="n" { (time(latency.max_us())) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn named<'a>(summary: &'a Summary<'_>) -> [(&'static str, &'a Latency); 4] {
    let timings = &summary.timings;
    [
        ("lag", &timings.lag),
        ("service", &timings.service),
        ("response", &timings.response),
        ("client lateness", &timings.lateness),
    ]
}

fn time(us: Option<u64>) -> String {
    us.map_or_else(|| "–".into(), |us| quantity::time_us(us as f64))
}
