//! Write amplification as text of at most 110 columns: levels against operations, then the log by index.

use super::split::Split;
use super::{Measurement, Through, Writes};
use crate::labs::wal::Updates;
use crate::quantity;
use crate::summary::percentile;
use crate::terminal::grid::{self, Align, Grid};
use crate::terminal::{WIDTH, budgets};

/// The headings of [`row`].
pub(super) const HEADINGS: [&str; 13] = [
    "level", "via", "p50", "p99", "max", "WAL kB", "FPI kB", "rec", "HOT", "idx kB", "buf", "CPU us",
    "of row",
];

/// Levels against operations, then each operation at each level, then the log of each by table and index.
#[must_use]
pub fn table(writes: &Writes, color: bool) -> String {
    let mut text = overview(writes);
    for operation in writes.operations() {
        text.push_str(&heading(writes, operation));
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
            let headings = split.headings(false);
            let mut columns = vec![("", Align::Left)];
            columns.extend(headings.iter().map(|heading| (heading.as_str(), Align::Right)));
            let mut grid = Grid::new(&columns);
            for line in &split.rows {
                grid.row(Split::cells(line, false));
            }
            text.push_str(&grid.text());
            text.push('\n');
        }
    }
    text.push_str(&budgets(&writes.verdicts, color).unwrap_or_default());
    for remark in REMARKS {
        text.push_str(&grid::wrapped(remark, WIDTH, ""));
    }
    for warning in &writes.warnings {
        text.push_str(&grid::wrapped(&format!("warning: {warning}"), WIDTH, ""));
    }
    text
}

/// An operation in a line: its times and its log at each level, side by side.
fn overview(writes: &Writes) -> String {
    let Some(through) = [Through::Api, Through::Sql]
        .into_iter()
        .find(|through| writes.measurements.iter().any(|one| one.through == *through))
    else {
        return String::new();
    };
    let headings: Vec<String> = writes
        .levels
        .iter()
        .flat_map(|level| [level.name.clone(), "p99".to_owned(), "WAL kB".to_owned()])
        .collect();
    let mut columns = vec![("", Align::Left)];
    columns.extend(headings.iter().map(|heading| (heading.as_str(), Align::Right)));
    let mut grid = Grid::new(&columns);
    for operation in writes.operations() {
        let mut cells = vec![quantity::heading(operation)];
        for level in &writes.levels {
            cells.extend(match writes.of(operation, through).find(|one| one.level == level.name) {
                Some(one) => {
                    let [p50, p99] = [0.5, 0.99].map(|quantile| percentile(&one.service, quantile));
                    [p50, p99, kb(one.log_bytes_each())]
                }
                None => ["–", "–", "–"].map(str::to_owned),
            });
        }
        grid.row(cells);
    }
    let caption =
        format!("Levels against operations, through {}: median, p99, and log of one", words(through));
    format!("{caption}\n{}\n", grid.text())
}

/// An operation, how often it was done, and how many rows it writes.
pub(super) fn heading(writes: &Writes, operation: &str) -> String {
    let name = quantity::heading(operation);
    let measured: Vec<&Measurement> =
        writes.measurements.iter().filter(|one| one.operation == operation).collect();
    let (least, most) =
        (measured.iter().map(|one| one.operations).min(), measured.iter().map(|one| one.operations).max());
    let rows = measured.first().map_or(0, |one| one.rows / one.operations.max(1));
    match (least, most) {
        (Some(least), Some(most)) if least != most => {
            let (least, most) = (quantity::count(least), quantity::count(most));
            format!("{name}: {least} to {most} of {}", quantity::plural(rows, "row"))
        }
        (Some(count), _) => {
            format!("{name}: {} of {}", quantity::count(count), quantity::plural(rows, "row"))
        }
        _ => name,
    }
}

/// How the columns are to be read.
pub(super) const REMARKS: [&str; 5] = [
    "All figures are those of one operation. p50, p99, max: service time of one after the other (closed loop); in \
     parentheses where there were too few for an upper bound.",
    "WAL: log without full-page images, commit included; of row: the same for each byte of the rows written. FPI: \
     full-page images, which the first touch of a page after a checkpoint leaves.",
    "rec: records. HOT: heap-only updates of all, by the records of the log and by the counters of the tables; these in \
     parentheses where they differ, or could not be read. idx: growth of the index files. buf: buffers touched in the cache. \
     CPU: of the database, and of the server where there is one; in parentheses below ten ticks of the clock.",
    "A GIN index puts new entries into a list and pays for them when it is emptied, which was done after the operations: \
     `later` has what that took.",
    "The split gives each record to the relation of its first block. 1 kB is 1,000 bytes.",
];

/// One operation at one level, in one line, as the table of the page has it too.
pub(super) fn row(one: &Measurement) -> [String; 13] {
    let some = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), quantity::number);
    [
        one.level.clone(),
        one.through.name().to_owned(),
        percentile(&one.service, 0.5),
        percentile(&one.service, 0.99),
        quantity::time_us(one.max_us as f64),
        kb(one.log_bytes_each()),
        kb(one.image_bytes_each()),
        some(one.records_each()),
        hot(one),
        kb(Some(one.index_bytes_each())),
        some(one.work.as_ref().map(|work| work.buffers)),
        processor(one),
        one.amplification().map_or_else(|| "–".to_owned(), quantity::times),
    ]
}

fn kb(bytes: Option<f64>) -> String {
    bytes.map_or_else(|| "–".to_owned(), |bytes| quantity::number(bytes / 1e3))
}

/// The share of heap-only updates by the log, and by the counters of the tables in parentheses where these say something else.
fn hot(one: &Measurement) -> String {
    let share = |share: Option<f64>| share.map_or_else(|| "–".to_owned(), quantity::share);
    let (log, counted) = (share(one.hot_share()), share(one.counted_updates.and_then(Updates::hot_share)));
    if log == counted { log } else { format!("{log} ({counted})") }
}

/// In parentheses where the clock, which ticks a hundred times a second, has hardly moved.
fn processor(one: &Measurement) -> String {
    let Some(us) = one.processor_us() else { return "–".to_owned() };
    let words = quantity::number(us);
    if us * (one.operations as f64) < LEAST_PROCESSOR_US { format!("({words})") } else { words }
}

/// Ten ticks.
const LEAST_PROCESSOR_US: f64 = 100_000.0;

/// The way whose split is shown: the API where it was measured, since that is what runs in production.
pub(super) fn split(writes: &Writes, operation: &str) -> Option<(Split, Through)> {
    [Through::Api, Through::Sql]
        .into_iter()
        .find_map(|through| Some((Split::of(writes, operation, through)?, through)))
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
        let text = table(&sample::writes(), false);
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
        let lines = |word: &str| text.lines().filter(|line| line.contains(word)).count();
        // Two levels in both ways, the heading of the split, and that of the overview.
        assert_eq!((lines("before"), lines("optimized")), (4, 4));
        assert_eq!((lines("customer (rows)"), lines("idx_customer_workspace_status")), (1, 1));
        let index = text.lines().find(|line| line.contains("idx_customer_workspace_status")).unwrap();
        let cells: Vec<&str> = index.split_whitespace().skip(1).collect();
        assert_eq!(cells, ["–", "–", "90", "8,000"]);
        let sum = text.lines().find(|line| line.contains("all of the log")).unwrap();
        assert_eq!(sum.split_whitespace().skip(4).collect::<Vec<_>>(), ["240", "0", "330", "8,000"]);
    }

    #[test]
    fn what_few_operations_do_not_bear_stands_in_parentheses() {
        let mut one = sample::writes().measurements.remove(0);
        let [_, _, p50, p99, .., cpu, _] = row(&one);
        // 300 us of the server and 450 us of the database, ten times.
        assert_eq!([p50.as_str(), &p99, &cpu], ["5.00 ms", "(10.0 ms)", "(750)"]);
        one.operations = 1_000;
        (0..400).for_each(|_| one.service.record(std::time::Duration::from_millis(5)));
        let [_, _, _, p99, .., cpu, _] = row(&one);
        assert_eq!([p99.as_str(), &cpu], ["6.00 ms", "750"]);
    }

    #[test]
    fn heap_only_updates_are_told_twice_where_the_counters_say_something_else() {
        let one = |hot| Measurement { counted_updates: hot, ..sample::writes().measurements[0].clone() };
        let of_log = quantity::share(one(None).hot_share().unwrap());
        let log = one(None).log.unwrap().updates();
        assert_eq!(row(&one(Some(log)))[8], of_log);
        assert_eq!(row(&one(None))[8], format!("{of_log} (–)"));
        let half = Updates { all: 10, hot: 5 };
        assert_eq!(row(&one(Some(half)))[8], format!("{of_log} (50 %)"));
    }

    #[test]
    fn what_could_not_be_read_is_a_dash_and_no_zero() {
        let mut writes = sample::writes();
        writes.measurements.iter_mut().for_each(|one| one.log = None);
        let text = table(&writes, false);
        assert!(!text.contains("all of the log"));
        let line = text
            .lines()
            .find(|line| line.trim_start().starts_with("before") && line.contains("api"))
            .unwrap();
        assert_eq!(line.matches('–').count(), 5, "{line}");
    }
}
