//! Write amplification as text of at most 110 columns: levels against operations, then the log by index.

use super::split::Split;
use super::{Measurement, Through, Writes};
use crate::quantity;
use crate::terminal::WIDTH;
use crate::terminal::grid::{self, Align, Grid};

/// The headings of [`row`].
pub(super) const HEADINGS: [&str; 13] = [
    "level",
    "via",
    "ops",
    "p50",
    "p99",
    "WAL B/op",
    "FPI B/op",
    "rec/op",
    "HOT",
    "index B/op",
    "buf/op",
    "CPU us/op",
    "WAL/row",
];

/// Both tables.
#[must_use]
pub fn table(writes: &Writes) -> String {
    let mut text = String::new();
    for operation in writes.operations() {
        text.push_str(&quantity::heading(operation));
        text.push('\n');
        let columns: Vec<(&str, Align)> = HEADINGS
            .iter()
            .enumerate()
            .map(|(at, heading)| (*heading, if at < 2 { Align::Left } else { Align::Right }))
            .collect();
        let mut grid = Grid::new(&columns);
        for one in writes.measurements.iter().filter(|one| one.operation == operation) {
            grid.row(row(one));
        }
        text.push_str(&grid.text());
        text.push('\n');
    }
    for operation in writes.operations() {
        if let Some((split, through)) = split(writes, operation) {
            let (operation, way) = (quantity::heading(operation), words(through));
            let heading = format!("{operation}: bytes of log for each operation, through {way}");
            text.push_str(&grid::wrapped(&heading, WIDTH, ""));
            let headings: Vec<String> = headings(&split);
            let mut columns = vec![("", Align::Left)];
            columns.extend(headings.iter().map(|heading| (heading.as_str(), Align::Right)));
            let mut grid = Grid::new(&columns);
            for line in &split.rows {
                grid.row(Split::cells(line));
            }
            text.push_str(&grid.text());
            text.push('\n');
        }
    }
    for remark in REMARKS {
        text.push_str(&grid::wrapped(remark, WIDTH, ""));
    }
    for warning in &writes.warnings {
        text.push_str(&grid::wrapped(&format!("warning: {warning}"), WIDTH, ""));
    }
    text
}

/// How the columns are to be read.
pub(super) const REMARKS: [&str; 4] = [
    "p50, p99: service time of one operation after the other (closed loop). WAL B, rec: log without and with full-page images' \
     bytes left out (FPI B has those: the first touch of a page after a checkpoint), commit included.",
    "HOT: heap-only updates of all, by the records of the log. index B: growth of the index files. buf: shared buffers. CPU: \
     database, and server where there is one. WAL/row: bytes of log for each byte of the rows written.",
    "A GIN index puts new entries into a list, and pays for them when the list is emptied; `postponed` in the JSON has what that \
     took.",
    "The split gives each record to the relation of its first block.",
];

/// One operation at one level, in one line, as the table of the page has it too.
pub(super) fn row(one: &Measurement) -> [String; 13] {
    let some = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), quantity::number);
    let time = |us: u64| quantity::time_us(us as f64);
    [
        one.level.clone(),
        one.through.name().to_owned(),
        quantity::count(one.operations),
        time(one.p50_us),
        time(one.p99_us),
        some(one.log_bytes_each()),
        some(one.image_bytes_each()),
        some(one.records_each()),
        one.hot_share().map_or_else(|| "–".to_owned(), quantity::share),
        quantity::number(one.index_bytes_each()),
        some(one.work.as_ref().map(|work| work.buffers)),
        some(one.processor_us()),
        one.amplification().map_or_else(|| "–".to_owned(), quantity::times),
    ]
}

/// The way whose split is shown: the API where it was measured, since that is what runs in production.
pub(super) fn split(writes: &Writes, operation: &str) -> Option<(Split, Through)> {
    [Through::Api, Through::Sql]
        .into_iter()
        .find_map(|through| Some((Split::of(writes, operation, through)?, through)))
}

/// The headings of a split without that of its first column: two for each level.
pub(super) fn headings(split: &Split) -> Vec<String> {
    split.levels.iter().flat_map(|level| [level.clone(), "FPI".to_owned()]).collect()
}

pub(super) fn words(through: Through) -> &'static str {
    match through {
        Through::Api => "the API",
        Through::Sql => "plain SQL",
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn the_tables_have_a_line_for_each_level_and_one_for_each_relation() {
        let text = table(&sample::writes());
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
        let lines = |word: &str| text.lines().filter(|line| line.contains(word)).count();
        // Two levels in both ways, and the heading of the split.
        assert_eq!((lines("before"), lines("optimized")), (3, 3));
        assert_eq!((lines("customer (rows)"), lines("idx_customer_workspace_status")), (1, 1));
        let index = text.lines().find(|line| line.contains("idx_customer_workspace_status")).unwrap();
        let cells: Vec<&str> = index.split_whitespace().skip(1).collect();
        assert_eq!(cells, ["–", "–", "90", "8,000"]);
        let sum = text.lines().find(|line| line.contains("all of the log")).unwrap();
        assert_eq!(sum.split_whitespace().skip(4).collect::<Vec<_>>(), ["240", "0", "330", "8,000"]);
    }

    #[test]
    fn what_could_not_be_read_is_a_dash_and_no_zero() {
        let mut writes = sample::writes();
        writes.measurements.iter_mut().for_each(|one| one.log = None);
        let text = table(&writes);
        assert!(!text.contains("all of the log"));
        let line = text.lines().find(|line| line.trim_start().starts_with("before")).unwrap();
        assert_eq!(line.matches('–').count(), 5, "{line}");
    }
}
