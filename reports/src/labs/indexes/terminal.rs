//! A price list as text of at most 110 columns.

use super::{Index, PriceList};
use crate::quantity;
use crate::terminal::WIDTH;
use crate::terminal::grid::{self, Align, Grid};

/// The columns, as the page has them too.
pub(super) const COLUMNS: [&str; 9] =
    ["index", "size", "B/row", "at scale", "scans", "log/row", "blocks/write", "needed by", "remark"];

/// The list, and a sentence for each index.
#[must_use]
pub fn table(list: &PriceList) -> String {
    let mut grid = Grid::new(&COLUMNS.map(|name| {
        (name, if matches!(name, "index" | "needed by" | "remark") { Align::Left } else { Align::Right })
    }));
    for index in &list.indexes {
        grid.row(row(list, index));
    }
    let mut text = grid.text();
    text.push('\n');
    for (name, sentence) in list.sentences().into_iter().filter(|(_, sentence)| !sentence.is_empty()) {
        text.push_str(&grid::wrapped(&format!("{name}: {sentence}."), WIDTH, "  "));
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

/// How the figures are to be read.
pub(super) fn notes(list: &PriceList) -> Vec<String> {
    let since = list.counted_since.map_or_else(
        || "since the database is there, or since the server last lost its statistics".to_owned(),
        |since| format!("since {}", quantity::moment(since)),
    );
    let mut notes = vec![format!("Scans are counted {since}."), list.rule.clone()];
    if let Some(ablation) = &list.ablation {
        let looks = quantity::plural(u64::from(ablation.rounds), "round");
        notes.push(format!(
            "Left out in turn, {looks}, the full set twice in each: a difference counts if it is greater than that between \
             two looks at the full set and than 2 % of the value. log/row: the most bytes that an index adds to the log for \
             one row written, without images of whole pages. Blocks decide; times are shown beside them.",
        ));
    }
    notes.extend(list.limits());
    notes
}

/// The cells of an index.
pub(super) fn row(list: &PriceList, index: &Index) -> [String; 9] {
    let unknown = || "–".to_owned();
    let price = list.price_of(&index.name);
    let blocks = price.and_then(|price| {
        let saved = |write: &super::WritePrice| {
            let is_told = write.buffers.is_beyond_noise() && write.buffers.more() < 0.0;
            is_told.then(|| -write.buffers.more() / write.rows.max(1) as f64)
        };
        price.writes.iter().filter_map(saved).max_by(f64::total_cmp)
    });
    let needed_by = match price.map(super::Price::needed_by) {
        None => unknown(),
        Some(reads) if reads.is_empty() => "nothing here".to_owned(),
        Some(reads) => {
            let more = if reads.len() > 1 { format!(" +{}", reads.len() - 1) } else { String::new() };
            format!("{}{more}", reads[0].operation)
        }
    };
    let log = price.map(super::Price::log_bytes_per_row);
    [
        index.name.clone(),
        quantity::bytes(index.bytes as f64),
        index.bytes_per_row().map_or_else(unknown, quantity::number),
        index.at_scale.map_or_else(unknown, |at| quantity::bytes(at.bytes)),
        quantity::count(index.scans),
        log.map_or_else(unknown, |bytes| quantity::bytes(bytes.round())),
        blocks.map_or_else(unknown, quantity::number),
        needed_by,
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
            "idx_order      70.0 MiB   73.4  4.79 GiB     12    200 B             –  first_page",
            "nothing here  prefix",
            "keeps a rule",
            "idx_idle: nothing measured here needs it;",
            "Scans are counted since 1 July 2026, 09:05 UTC.",
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
