//! Curves as text of at most 110 columns.

use super::{Capacity, Curve, Point, Stage, Step, Verdict};
use crate::quantity;
use crate::run::CpuCost;
use crate::terminal::WIDTH;
use crate::terminal::grid::{self, Align, Grid};
use crate::terminal::paint;

/// A search: its answer, and its steps.
#[must_use]
pub fn capacity(capacity: &Capacity, color: bool) -> String {
    let mut grid = Grid::new(&[
        ("step", Align::Left),
        ("asked", Align::Right),
        ("reached", Align::Right),
        ("p50", Align::Right),
        ("p99", Align::Right),
        ("failed", Align::Right),
        ("client", Align::Right),
        ("server", Align::Right),
        ("database", Align::Right),
        ("verdict", Align::Left),
    ]);
    for step in &capacity.steps {
        grid.row(row(step));
    }
    let mut text = format!("{}  ", paint::standing(standing(capacity), color));
    text.push_str(grid::wrapped(&capacity.answer, WIDTH - 14, "").as_str());
    if !capacity.steps.is_empty() {
        text.push('\n');
        text.push_str(&grid.text());
        text.push_str(
            "  (client, server, database: cores kept busy; random arrivals are sometimes fewer than asked)\n",
        );
    }
    text.push_str(&warnings(&capacity.warnings));
    text
}

/// A step in one line, for those who wait: `160/s: reached 158/s, p50 12.0 ms, p99 450 ms: breaks (…)`.
#[must_use]
pub fn step(step: &Step) -> String {
    let [_, asked, reached, p50, p99, .., verdict] = row(step);
    let why = step.reasons.first().map_or_else(String::new, |reason| format!(" ({reason})"));
    format!("{asked}: reached {reached}, p50 {p50}, p99 {p99}: {verdict}{why}")
}

/// The word for the whole.
pub(super) fn standing(capacity: &Capacity) -> &'static str {
    match capacity.exit_code() {
        0 => "Pass",
        1 => "Fail",
        _ => "Not judged",
    }
}

/// The cells of a step, as the table of the page has them too.
pub(super) fn row(step: &Step) -> [String; 10] {
    let time = |us: Option<u64>| us.map_or_else(|| "–".into(), |us| quantity::time_us(us as f64));
    let cores = |party: fn(&CpuCost) -> Option<f64>| {
        step.cores(party).map_or_else(|| "–".into(), |cores| format!("{cores:.2}"))
    };
    [
        stage(step.stage).into(),
        quantity::per_second(step.asked_per_second),
        quantity::per_second(step.reached_per_second),
        time(step.p50_us),
        time(step.p99_us),
        quantity::count(step.failed),
        cores(|cpu| cpu.client_s),
        cores(|cpu| cpu.server_s),
        cores(|cpu| cpu.database_s),
        verdict(step.verdict).into(),
    ]
}

pub(super) fn stage(stage: Stage) -> &'static str {
    match stage {
        Stage::Ladder => "ladder",
        Stage::Narrowing => "narrow",
        Stage::Confirming => "confirm",
    }
}

pub(super) fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Holds => "holds",
        Verdict::Breaks => "breaks",
        Verdict::ClientLate => "client late",
        Verdict::TooFewRequests => "too few",
    }
}

/// A curve: its findings, and its points.
#[must_use]
pub fn curve(curve: &Curve) -> String {
    let mut text = String::new();
    for finding in curve.findings() {
        text.push_str(&grid::wrapped(&finding, WIDTH, ""));
    }
    let mut grid = Grid::new(&[
        ("operation", Align::Left),
        ("subject", Align::Left),
        (curve.axis.noun(), Align::Right),
        ("requests", Align::Right),
        ("failed", Align::Right),
        ("p50", Align::Right),
        ("p95", Align::Right),
        ("buffers/req", Align::Right),
        ("statements/req", Align::Right),
    ]);
    for series in &curve.series {
        for point in &series.points {
            grid.row([series.operation.clone(), series.subject.clone()].into_iter().chain(cells(point)));
        }
    }
    text.push('\n');
    text.push_str(&grid.text());
    for check in curve.checks.iter().filter(|check| !check.passed) {
        text.push_str(&grid::wrapped(&format!("check failed: {}: {}", check.name, check.detail), WIDTH, ""));
    }
    text.push_str(&warnings(&curve.warnings));
    text
}

/// The cells of a point, as the table of the page has them too.
pub(super) fn cells(point: &Point) -> [String; 7] {
    let number = |number: Option<f64>| number.map_or_else(|| "–".into(), quantity::number);
    [
        quantity::count(point.size),
        quantity::count(point.requests),
        quantity::count(point.failed),
        quantity::time_us(point.p50_us as f64),
        quantity::time_us(point.p95_us as f64),
        number(point.buffers),
        number(point.statements),
    ]
}

fn warnings(warnings: &[String]) -> String {
    let lines = warnings.iter().map(|warning| grid::wrapped(&format!("warning: {warning}"), WIDTH, ""));
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::super::{End, sample};
    use super::*;

    #[test]
    fn the_answer_comes_first_and_every_step_has_its_line() {
        let text = capacity(&sample::capacity(), false);
        let first = text.lines().next().unwrap();
        assert!(
            first.starts_with("PASS  `live` holds first_page at 113/s with p99 < 100ms; it broke at 123/s."),
            "{text}"
        );
        for line in ["ladder   160/s    158/s   450 ms", "confirm", "warning: something to know"] {
            assert!(text.contains(line), "{line}\n{text}");
        }
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
    }

    #[test]
    fn every_end_has_a_sentence_of_its_own_and_the_bounds_that_are_known() {
        let told = |end, lower, upper| {
            let found = super::super::Capacity { lower, upper, end, ..sample::capacity() }.answered();
            (found.answer.clone(), found.exit_code())
        };
        assert_eq!(
            told(End::Interrupted, Some(80.0), None).0,
            "The search was interrupted: it held 80/s, and nothing broke."
        );
        assert!(told(End::NothingHeld, None, Some(2.0)).0.contains("it broke at 2/s, the lowest"));
        assert!(
            told(End::ClientLate, Some(80.0), Some(160.0))
                .0
                .contains("The client was the bottleneck at 113/s")
        );
        assert!(
            told(End::Confirmed, Some(80.0), None)
                .0
                .ends_with("at 80/s with p99 < 100ms, the highest rate that was to be tried.")
        );
        let codes = [End::Confirmed, End::NothingHeld, End::ClientLate, End::TooFewRequests, End::Unsteady]
            .map(|end| told(end, None, None).1);
        assert_eq!(codes, [0, 1, 2, 2, 2]);
    }

    #[test]
    fn a_curve_says_what_grows_and_what_does_not() {
        let text = curve(&sample::depth());
        assert!(
            text.starts_with("List, median response: naive grows with page^1.00, live is flat.\n"),
            "{text}"
        );
        assert!(text.contains("List, buffers per request: naive grows with page^1.00, live is flat."));
        let mut scattered = sample::depth();
        let mut points = scattered.series[0].points.clone();
        (points[0].p50_us, points[1].p50_us, points[2].p50_us) = (1_000, 9_000, 3_000);
        scattered.series[0] = super::super::Series::new("naive", "list", points);
        let text = curve(&scattered);
        assert!(text.contains("naive shows no growth beyond its scatter (page^0.24 ±"), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
    }
}
