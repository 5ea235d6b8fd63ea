//! Counted work: statements and buffers per request, and the statements behind them. Counts don't depend on how busy
//! the machine was, and they say why one subject is faster.

use maud::{Markup, html};

use super::super::Page;
use super::super::charts::bars::{Bar, bars};
use super::super::figure::{Size, figure, scrolled, table};
use crate::quantity;
use crate::run::Work;

/// Statements listed for each case.
const MOST_STATEMENTS: usize = 8;

/// A count: its name, how it is read from the work, and how it is printed.
type Count = (&'static str, fn(&Work) -> f64, fn(f64) -> String);

pub(in crate::html) fn section(page: &Page<'_>) -> Option<Markup> {
    if page.run.work.is_empty() {
        return None;
    }
    let counts: [Count; 2] = [
        ("SQL statements", |work| work.statements_per_request, quantity::number),
        ("buffers touched", |work| work.buffers_per_request, quantity::number),
    ];
    Some(html! {
        div class="pair" { @for count in counts { (chart(page, count)) } }
        (scrolled(&all(page)))
        @for summary in &page.summaries {
            @if let Some(work) = summary.work {
                details {
                    summary { "Statements of " (summary.case.subject) " under " (summary.case.operation) }
                    (scrolled(&statements(work)))
                }
            }
        }
    })
}

fn chart(page: &Page<'_>, (name, of, print): Count) -> Markup {
    let groups: Vec<(String, Vec<Bar>)> = page
        .operations
        .iter()
        .map(|operation| {
            let bars = page.under(operation).into_iter().filter_map(|summary| {
                let value = of(summary.work?);
                Some(Bar {
                    index: Some(page.index(summary.case.subject)),
                    label: summary.case.subject.into(),
                    value,
                    words: print(value),
                })
            });
            (quantity::heading(operation), bars.collect())
        })
        .collect();
    let rows: Vec<Vec<String>> = groups
        .iter()
        .flat_map(|(heading, bars)| {
            bars.iter().map(move |bar| vec![format!("{heading}, {}", bar.label), bar.words.clone()])
        })
        .collect();
    let title = format!("{name} per request");
    figure(
        Size::Half,
        &finding(page, name, of, print),
        |width| bars(&groups, &title, width),
        &table(&["Subject", "Per request"], &rows),
    )
}

fn finding(page: &Page<'_>, name: &str, of: fn(&Work) -> f64, print: fn(f64) -> String) -> String {
    let sentences: Vec<String> = page
        .operations
        .iter()
        .filter_map(|operation| {
            let summaries = page.under(operation);
            let worked: Vec<_> = summaries
                .iter()
                .filter_map(|summary| Some((summary.case.subject, of(summary.work?))))
                .collect();
            let heading = quantity::heading(operation);
            match worked[..] {
                [(base, from), .., (subject, to)] => {
                    Some(format!("{heading}: {} → {} from {base} to {subject}.", print(from), print(to)))
                }
                [(subject, value)] => Some(format!("{heading}: {} for {subject}.", print(value))),
                [] => None,
            }
        })
        .collect();
    format!("{} per request. {}", quantity::heading(name), sentences.join(" "))
}

fn all(page: &Page<'_>) -> Markup {
    html! {
        table {
            thead { tr {
                th scope="col" { "Per request" } th class="n" scope="col" { "Statements" } th class="n" scope="col" { "Rows" } th class="n" scope="col" { "Buffers" }
                th class="n" scope="col" { "Read from outside" } th class="n" scope="col" { "WAL" } th class="n" scope="col" { "In the database" } th class="n" scope="col" { "Counted over" }
            } }
            @for operation in &page.operations {
                tbody {
                    tr class="group" { th colspan="8" scope="rowgroup" { (quantity::heading(operation)) } }
                    @for summary in page.under(operation) {
                        @if let Some(work) = summary.work {
                            tr {
                                th scope="row" { span class={ "c" (page.index(summary.case.subject)) } { (summary.case.subject) } }
                                td class="n" { (quantity::number(work.statements_per_request)) }
                                td class="n" { (quantity::number(work.rows_per_request)) }
                                td class="n" { (quantity::number(work.buffers_per_request)) }
                                td class="n" { (quantity::number(work.buffers_read_per_request)) }
                                td class="n" { (quantity::bytes(work.wal_bytes_per_request)) }
                                td class="n" { (quantity::time_us(work.database_ms_per_request * 1e3)) }
                                td class="n" { (quantity::plural(work.requests, "request")) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn statements(work: &Work) -> Markup {
    html! {
        table class="statements" {
            thead { tr {
                th class="n" scope="col" { "Calls" } th class="n" scope="col" { "Time" } th class="n" scope="col" { "Rows" } th class="n" scope="col" { "Buffers" } th scope="col" { "Statement, per request" }
            } }
            tbody {
                @for statement in work.statements.iter().take(MOST_STATEMENTS) {
                    tr {
                        td class="n" { (quantity::number(statement.calls_per_request)) }
                        td class="n" { (quantity::time_us(statement.ms_per_request * 1e3)) }
                        td class="n" { (quantity::number(statement.rows_per_request)) }
                        td class="n" { (quantity::number(statement.buffers_per_request)) }
                        td { code class="sql" { (statement.sql) } }
                    }
                }
            }
            @if work.statements.len() > MOST_STATEMENTS {
                tfoot { tr { td colspan="5" { "and " (work.statements.len() - MOST_STATEMENTS) " more in result.json" } } }
            }
        }
    }
}
