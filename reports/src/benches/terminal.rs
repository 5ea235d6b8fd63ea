//! Benches in a terminal: a table for each group, and what the columns mean.

use super::{Bench, Benches, Estimate, Throughput};
use crate::quantity;
use crate::terminal::WIDTH;
use crate::terminal::grid::{Align, Grid, wrapped};

/// What stands above the columns, in a page as well.
pub(super) const HEADINGS: [&str; 6] = ["bench", "time", "interval", "median", "per second", "x baseline"];

/// What the columns mean.
pub(super) const READING: &str = "time: of one iteration, as criterion estimates it (the slope where it fits one, else the \
     mean), with its interval; per second: elements and bytes of the bench at that time; x baseline: the time over that of \
     the baseline of its group";

/// The whole of it as text of at most 110 columns.
#[must_use]
pub fn table(benches: &Benches) -> String {
    let mut text = wrapped(&head(benches), WIDTH, "");
    for warning in &benches.warnings {
        text += &wrapped(&format!("Before you trust a figure: {warning}"), WIDTH, "");
    }
    for group in &benches.groups {
        let mut grid = Grid::new(
            &HEADINGS
                .map(|heading| (heading, if heading == HEADINGS[0] { Align::Left } else { Align::Right })),
        );
        for bench in &group.benches {
            grid.row(cells(bench));
        }
        text.extend(["\n", &group.name, "\n", &grid.text()]);
    }
    text + "\n" + &wrapped(READING, WIDTH, "")
}

/// What was read, in a sentence.
pub(super) fn head(benches: &Benches) -> String {
    let measured = benches
        .newest()
        .map(|newest| format!("; the newest was measured {}", quantity::moment(newest)))
        .unwrap_or_default();
    let count = match benches.count() {
        1 => "1 bench".to_owned(),
        more => format!("{} benches", quantity::count(more as u64)),
    };
    format!(
        "{count} in {} of {}{measured}",
        quantity::plural(benches.groups.len() as u64, "group"),
        benches.folder,
    )
}

/// The cells of a row, below [`HEADINGS`].
pub(super) fn cells(bench: &Bench) -> [String; 6] {
    [
        bench.name(),
        quantity::time_ns(bench.time_ns.value),
        interval(bench.time_ns),
        quantity::time_ns(bench.median_ns.value),
        bench.throughput.map_or_else(String::new, per_second),
        bench.beside_baseline.as_ref().map_or_else(String::new, |beside| quantity::times(beside.ratio)),
    ]
}

fn interval(estimate: Estimate) -> String {
    format!("{} to {}", quantity::time_ns(estimate.lower), quantity::time_ns(estimate.upper))
}

fn per_second(throughput: Throughput) -> String {
    let elements = throughput.elements_per_second.map(quantity::per_second);
    let bytes = throughput.bytes_per_second.map(|bytes| format!("{}/s", quantity::bytes(bytes)));
    elements.into_iter().chain(bytes).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn a_group_is_a_table_with_its_baseline_first() {
        insta::assert_snapshot!(table(&sample::benches()));
    }

    #[test]
    fn warnings_stand_before_the_figures() {
        let mut benches = sample::benches();
        benches.warnings.push("one is old".to_owned());
        let text = table(&benches);
        let at = |words: &str| text.find(words).unwrap_or_else(|| panic!("{words}: {text}"));
        assert!(at("one is old") < at("cursor decode"));
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
    }
}
