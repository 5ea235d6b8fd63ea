//! A price list as text of at most 110 columns.

use std::collections::BTreeMap;

use super::{Index, PriceList};
use crate::quantity;
use crate::terminal::WIDTH;
use crate::terminal::grid::{self, Align, Grid};

/// The columns of what was left out in turn.
pub(super) const PRICES: [&str; 6] = ["index", "verdict", "size", "log/row", "not HOT", "without it, blocks"];

/// The columns of what is there.
pub(super) const INVENTORY: [&str; 6] = ["index", "size", "B/entry", "at scale", "scans", "remark"];

/// The tables, and a sentence for each index that there is something to say of.
#[must_use]
pub fn table(list: &PriceList) -> String {
    let mut text = String::new();
    let prices = price_rows(list);
    if !prices.is_empty() {
        text.push_str(&grid(&PRICES, prices));
        text.push('\n');
    }
    text.push_str(&grid(&INVENTORY, list.indexes.iter().map(inventory_row).collect()));
    text.push('\n');
    for (index, (name, sentence)) in list.indexes.iter().zip(list.sentences()) {
        if list.price_of(name).is_some() || !index.redundant.is_empty() || !index.valid {
            text.push_str(&grid::wrapped(&format!("{name}: {sentence}."), WIDTH, "  "));
        }
    }
    text.push('\n');
    for sentence in notes(list) {
        text.push_str(&grid::wrapped(&sentence, WIDTH, ""));
    }
    for check in list.checks.iter().filter(|check| !check.passed) {
        text.push_str(&grid::wrapped(&format!("check failed: {}: {}", check.name, check.detail), WIDTH, ""));
    }
    for warning in &list.warnings {
        text.push_str(&grid::wrapped(&format!("warning: {warning}"), WIDTH, ""));
    }
    text
}

fn grid<const N: usize>(columns: &[&str; N], rows: Vec<[String; N]>) -> String {
    let is_left = |name: &str| matches!(name, "index" | "verdict" | "without it, blocks" | "remark");
    let mut grid =
        Grid::new(&columns.map(|name| (name, if is_left(name) { Align::Left } else { Align::Right })));
    for row in rows {
        grid.row(row);
    }
    grid.text()
}

/// How the figures are to be read.
pub(super) fn notes(list: &PriceList) -> Vec<String> {
    let since = list.counted_since.map_or_else(
        || "since the database is there, or since the server last lost its statistics".to_owned(),
        |since| format!("since {}", quantity::moment(since)),
    );
    let scans =
        format!("Scans are counted {since}, by this server alone: those of a replica are not seen here.");
    let mut notes = vec![scans, list.rule.clone()];
    if let Some(ablation) = &list.ablation {
        let looks = quantity::plural(u64::from(ablation.rounds), "round");
        notes.push(format!(
            "Left out in turn, {looks}, the full set twice in each: a difference counts if it is greater than that between \
             two looks at the full set, than 2 % of the value, and no round contradicts. log/row: the most bytes that an index adds to the log for \
             one row written, without images of whole pages. not HOT: the largest share of updates of one kind that need a new \
             entry in each index because of this one. Blocks and bytes decide; times are shown beside them.",
        ));
        notes.extend(list.noise());
        notes.extend(kept(ablation));
    }
    notes.extend(list.limits());
    notes
}

/// The indexes that stayed in place, by the reason for it.
fn kept(ablation: &super::Ablation) -> Option<String> {
    let mut by_reason: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for kept in &ablation.kept {
        by_reason.entry(&kept.why).or_default().push(&kept.index);
    }
    let told = by_reason.into_iter().map(|(why, names)| format!("{why}: {}", names.join(", ")));
    let told: Vec<String> = told.collect();
    (!told.is_empty()).then(|| format!("Not left out: {}.", told.join("; ")))
}

/// A row for each index that was left out.
pub(super) fn price_rows(list: &PriceList) -> Vec<[String; 6]> {
    let nothing = || "–".to_owned();
    let row = |price: &super::Price| {
        let (log, hot) = (price.log_bytes_per_row(), price.hot_lost());
        let needed_by = price.needed_by();
        let buys = needed_by.first().map_or_else(nothing, |read| {
            let more = if needed_by.len() > 1 { format!(" +{}", needed_by.len() - 1) } else { String::new() };
            format!("{}{more}", read.short())
        });
        [
            price.index.clone(),
            price.verdict.words().to_owned(),
            quantity::bytes(price.bytes as f64),
            if log > 0.0 { quantity::bytes(log.round()) } else { nothing() },
            if hot > 0.0 { quantity::share(hot) } else { nothing() },
            buys,
        ]
    };
    list.ablation.iter().flat_map(|ablation| ablation.prices.iter().map(row)).collect()
}

/// The row of an index that is there.
pub(super) fn inventory_row(index: &Index) -> [String; 6] {
    let unknown = || "–".to_owned();
    [
        index.name.clone(),
        quantity::bytes(index.bytes as f64),
        index.bytes_per_entry().map_or_else(unknown, quantity::number),
        index.at_scale.map_or_else(unknown, |at| quantity::bytes(at.bytes)),
        quantity::count(index.scans),
        remark(index).to_owned(),
    ]
}

/// One word on what it is.
fn remark(index: &Index) -> &'static str {
    use super::Redundancy::{DuplicateOf, PrefixOf};
    match (index.rule, index.redundant.first()) {
        _ if !index.valid => "invalid",
        (Some(_), _) => "keeps a rule",
        (None, Some(DuplicateOf { .. })) => "duplicate",
        (None, Some(PrefixOf { .. })) => "prefix",
        (None, None) if index.is_never_used() => "never used",
        (None, None) => "",
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn each_index_has_a_line_with_its_price_and_a_sentence() {
        let text = table(&sample::list());
        for line in [
            "  idx_idle   costs only  10.0 MiB        –        –  –",
            "  idx_order  pays        70.0 MiB    200 B     75 %  first_page 15x",
            "  idx_order      70.0 MiB     81.6  4.79 GiB     12",
            "keeps a rule",
            "idx_idle: costs only: nothing measured here needs it;",
            "Scans are counted since 1 July 2026, 09:05 UTC, by this server alone",
            "Not left out: keeps a rule (primary key): customer_pkey.",
            "Only what was measured counts here",
            "warning: something to know",
        ] {
            assert!(text.contains(line), "{line}\n{text}");
        }
        assert!(!text.contains("drop it"), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
    }

    #[test]
    fn without_an_ablation_there_is_the_inventory() {
        let mut list = sample::list();
        list.ablation = None;
        list.sort();
        let text = table(&list);
        assert!(text.lines().nth(1).unwrap().contains("customer_pkey"), "the largest first\n{text}");
        assert!(!text.contains("Only what was measured") && !text.contains("Left out in turn"), "{text}");
    }
}
