//! How the rows were made, and what they take on disk.

use maud::{Markup, html};

use super::super::Page;
use super::super::charts::bars::{Bar, bars};
use super::super::figure::{Size, figure, scrolled, table};
use crate::quantity;
use crate::run::Phase;

pub(in crate::html) fn section(page: &Page<'_>) -> Option<Markup> {
    let dataset = page.run.dataset.as_ref()?;
    if dataset.phases.is_empty() && dataset.tables.is_empty() {
        return None;
    }
    Some(html! {
        @if !dataset.phases.is_empty() { (phases(&dataset.phases, dataset.seeding_seconds())) }
        @if !dataset.tables.is_empty() {
            (scrolled(&html! {
                table {
                    thead { tr {
                        th scope="col" { "Table" } th class="n" scope="col" { "Rows" } th class="n" scope="col" { "In the workspace" } th class="n" scope="col" { "Table" } th class="n" scope="col" { "Indexes" } th class="n" scope="col" { "Bytes a row" }
                    } }
                    tbody { @for rows in &dataset.tables { tr {
                        th scope="row" { code { (rows.table) } }
                        td class="n" { (quantity::count(rows.rows)) }
                        td class="n" { (rows.workspace_rows.map_or_else(|| "–".into(), quantity::count)) }
                        td class="n" { (quantity::bytes(rows.table_bytes as f64)) }
                        td class="n" { (quantity::bytes(rows.index_bytes as f64)) }
                        td class="n" { @if rows.rows > 0 { (quantity::number((rows.table_bytes + rows.index_bytes) as f64 / rows.rows as f64)) } @else { "–" } }
                    } } }
                }
            }))
        }
        p class="muted" { "Scale " (dataset.scale) ", seed " (dataset.seed) ", version " (dataset.version) " of the generator; the rows take " (quantity::moment(dataset.as_of)) " for now." }
    })
}

fn phases(phases: &[Phase], total_seconds: f64) -> Markup {
    let rate =
        |phase: &Phase| phase.rows.filter(|_| phase.seconds > 0.0).map(|rows| rows as f64 / phase.seconds);
    let words = |phase: &Phase| match rate(phase) {
        Some(rate) => format!("{}, {} rows/s", quantity::seconds(phase.seconds), quantity::number(rate)),
        None => quantity::seconds(phase.seconds),
    };
    let drawn: Vec<Bar> = phases
        .iter()
        .map(|phase| Bar {
            index: None,
            label: phase.name.clone(),
            value: phase.seconds,
            words: words(phase),
        })
        .collect();
    let groups = [(String::new(), drawn)];
    let rows: Vec<Vec<String>> = phases
        .iter()
        .map(|phase| {
            vec![
                phase.name.clone(),
                quantity::seconds(phase.seconds),
                phase.rows.map_or_else(|| "–".into(), quantity::count),
                phase.bytes.map_or_else(|| "–".into(), |bytes| quantity::bytes(bytes as f64)),
                rate(phase).map_or_else(|| "–".into(), quantity::per_second),
            ]
        })
        .collect();
    let longest = phases.iter().max_by(|a, b| a.seconds.total_cmp(&b.seconds));
    let longest = longest.map_or_else(String::new, |phase| {
        format!("; the longest phase, {}, took {}", phase.name, words(phase))
    });
    let sum_seconds: f64 = phases.iter().map(|phase| phase.seconds).sum();
    let overlap = if sum_seconds > total_seconds * 1.01 { ", in phases that overlap" } else { "" };
    let finding = format!("Seeding took {}{overlap}{longest}.", quantity::seconds(total_seconds));
    figure(
        Size::Full,
        &finding,
        |width| bars(&groups, "Phases of seeding", width),
        &table(&["Phase", "Time", "Rows", "Bytes", "Rows per second"], &rows),
    )
}
