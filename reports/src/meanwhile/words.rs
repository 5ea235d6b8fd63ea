//! The figures of all subjects as they are printed, one row for each, so that terminal and page can't disagree.

use super::{Meanwhile, PARTIES, Party, mean};
use crate::quantity;

/// What stands for a figure that is absent.
const ABSENT: &str = "–";

/// A row: what it is, and a cell for each subject.
pub(crate) struct Row {
    pub(crate) label: &'static str,
    pub(crate) cells: Vec<String>,
}

/// A row's label, and how its cell is printed for one subject.
type Figure = (&'static str, fn(&Meanwhile<'_>) -> Option<String>);

const FIGURES: [Figure; 10] = [
    ("WAL of the cluster", |of| Some(format!("{}/s", quantity::bytes(of.wal_bytes_per_second()?)))),
    ("found in the cache", |of| of.hit_share().map(quantity::share)),
    ("heap-only updates (HOT)", |of| of.hot_share().map(quantity::share)),
    ("lock waits", lock_waits),
    ("deadlocks", deadlocks),
    ("temporary files", |of| Some(quantity::bytes(of.temporary_bytes()? as f64))),
    ("connections, most", |of| of.connections().map(quantity::count)),
    ("CPU: client, server, database", |of| {
        parties(|party| mean(&of.cores(party)).map(|cores| format!("{:.1} %", cores * 100.0)))
    }),
    ("memory, most: client, server, database", |of| {
        parties(|party| of.resident_bytes(party).map(|bytes| quantity::bytes(bytes as f64)))
    }),
    ("context switches: client, server, database", |of| {
        parties(|party| mean(&of.switches(party)).map(quantity::per_second))
    }),
];

/// All rows of which any subject has the figure.
pub(crate) fn rows(all: &[Meanwhile<'_>]) -> Vec<Row> {
    FIGURES
        .into_iter()
        .filter_map(|(label, print)| {
            let cells: Vec<Option<String>> = all.iter().map(print).collect();
            cells.iter().any(Option::is_some).then(|| Row {
                label,
                cells: cells.into_iter().map(|cell| cell.unwrap_or_else(|| ABSENT.into())).collect(),
            })
        })
        .collect()
}

/// What looking cost, as a sentence.
pub(crate) fn cost(of: &Meanwhile<'_>) -> String {
    let mut costs: Vec<_> = of.probes.costs.iter().collect();
    costs.sort_by(|a, b| b.own_ms.total_cmp(&a.own_ms));
    let each: Vec<String> =
        costs.iter().map(|cost| format!("{} {}", cost.probe, quantity::time_ms(cost.own_ms))).collect();
    let skipped = match of.probes.skipped {
        0 => String::new(),
        skipped => format!("; {} skipped", quantity::plural(skipped, "sample")),
    };
    format!(
        "the probes of {} took {} in {}: {}{skipped}",
        of.probes.subject,
        quantity::time_ms(of.own_ms()),
        quantity::seconds(of.sampled_s()),
        each.join(", ")
    )
}

fn lock_waits(of: &Meanwhile<'_>) -> Option<String> {
    let waits = of.lock_waits()?;
    let longest =
        waits.longest_ms.map_or_else(String::new, |ms| format!(", longest {}", quantity::time_ms(ms)));
    Some(format!(
        "{} of {}{longest}",
        quantity::count(waits.seen_in),
        quantity::plural(waits.samples, "sample")
    ))
}

/// The database's count beside the failures that clients saw: a server may have tried again by itself, or not.
fn deadlocks(of: &Meanwhile<'_>) -> Option<String> {
    let failed = match of.failed {
        0 => String::new(),
        failed => format!(" ({} failed)", quantity::plural(failed, "request")),
    };
    Some(format!("{}{failed}", quantity::count(of.deadlocks()?)))
}

/// A figure of each of the three, in one cell.
fn parties(figure: impl Fn(Party) -> Option<String>) -> Option<String> {
    let figures: Vec<Option<String>> = PARTIES.iter().map(|(_, party)| figure(*party)).collect();
    figures.iter().any(Option::is_some).then(|| {
        figures
            .into_iter()
            .map(|figure| figure.unwrap_or_else(|| ABSENT.into()))
            .collect::<Vec<_>>()
            .join(", ")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::Run;
    use crate::sample;

    #[test]
    fn rows_that_no_subject_has_are_left_out_and_a_gap_is_a_dash() {
        let mut run = sample::unjudged();
        for sample in &mut run.probes[0].database {
            sample.wal = None;
        }
        let labels = |run: &Run| rows(&Meanwhile::all(run)).iter().map(|row| row.label).collect::<Vec<_>>();
        assert!(labels(&run).contains(&"WAL of the cluster"));
        assert_eq!(rows(&Meanwhile::all(&run))[0].cells[0], ABSENT);
        for sample in &mut run.probes[1].database {
            sample.wal = None;
        }
        assert!(!labels(&run).contains(&"WAL of the cluster"));
        for probes in &mut run.probes {
            probes.database.clear();
            for sample in &mut probes.processes {
                (sample.server, sample.database) = (None, None);
            }
        }
        let all = Meanwhile::all(&run);
        assert!(rows(&all).iter().all(|row| row.cells.iter().all(|cell| cell.ends_with(", –, –"))));
        assert_eq!(rows(&all).len(), 3, "CPU, memory and switches of the client are left");
    }

    #[test]
    fn the_cost_names_the_dearest_probe_first() {
        let run = sample::unjudged();
        let sentence = cost(&Meanwhile::all(&run)[0]);
        assert!(sentence.starts_with("the probes of naive took "), "{sentence}");
        assert!(sentence.contains(": /proc "), "{sentence}");
    }
}
