//! The result in a terminal: the same figures as the page, as text of at most 110 columns.

pub(crate) mod grid;
mod meanwhile;
pub(crate) mod paint;

use grid::{Align, Grid};

use crate::budgets::words;
use crate::comparison::{CONFIDENCE, Comparison};
use crate::html::{PERCENTILES, headline, load, standing};
use crate::latency::Latency;
use crate::quantity;
use crate::run::{Outcome, Run, Verdict};
use crate::stats::quantile::minimum_samples;
use crate::summary::{self, Summary};

/// Columns that no line exceeds, unless a single word is longer.
pub const WIDTH: usize = 110;

/// The whole result; `color` adds ANSI colours to the words of verdicts.
#[must_use]
pub fn table(run: &Run, color: bool) -> String {
    let sections = [
        Some(head(run, color)),
        budgets(&run.verdicts, color),
        checks(run, color),
        warnings(run),
        times(run),
        compared(run),
        work(run),
        meanwhile::section(run),
        seeding(run),
    ];
    let mut text = sections.into_iter().flatten().collect::<Vec<_>>().join("\n");
    text.push('\n');
    text
}

fn head(run: &Run, color: bool) -> String {
    let facts = format!("{}, {}; {}", run.name, quantity::moment(run.started_at), load(run));
    format!(
        "{}  {}\n{}",
        paint::standing(standing(run), color),
        headline(run),
        grid::wrapped(&facts, WIDTH, "")
    )
}

/// The table of budgets, and the reasons of what did not pass; `None` without a verdict.
pub(crate) fn budgets(verdicts: &[Verdict], color: bool) -> Option<String> {
    if verdicts.is_empty() {
        return None;
    }
    let mut grid = Grid::new(&[
        ("verdict", Align::Left),
        ("subject", Align::Left),
        ("operation", Align::Left),
        ("rule", Align::Left),
        ("measured", Align::Right),
        ("interval", Align::Right),
        ("headroom", Align::Right),
    ]);
    // Several rules often share one reason, such as an invalid window: it is said once.
    let mut reasons: Vec<(&str, &str, Vec<String>)> = Vec::new();
    for verdict in verdicts {
        grid.row([
            words::outcome(verdict.outcome).into(),
            verdict.subject.clone(),
            verdict.operation.clone(),
            words::rule(verdict),
            words::measured(verdict),
            words::interval(verdict),
            words::headroom(verdict),
        ]);
        if verdict.outcome != Outcome::Pass {
            let (operation, reason, rule) = (&verdict.operation, &verdict.reason, words::rule(verdict));
            match reasons.iter_mut().find(|(of, why, _)| of == operation && why == reason) {
                Some((_, _, rules)) => rules.push(rule),
                None => reasons.push((operation, reason, vec![rule])),
            }
        }
    }
    let reasons: Vec<String> = reasons
        .into_iter()
        .map(|(of, reason, rules)| {
            grid::wrapped(&format!("{of} {}: {reason}", rules.join(", ")), WIDTH, "  ")
        })
        .collect();
    Some(format!("Budgets\n{}{}", paint::outcomes(&grid.text(), color), reasons.concat()))
}

fn checks(run: &Run, color: bool) -> Option<String> {
    (!run.checks.is_empty()).then(|| {
        let lines: String = run
            .checks
            .iter()
            .map(|check| {
                let word = if check.passed { "pass" } else { "fail" };
                let text = grid::wrapped(&format!("{word}  {} ({})", check.name, check.detail), WIDTH, "  ");
                paint::outcomes(&text, color)
            })
            .collect();
        format!("Checks\n{lines}")
    })
}

fn warnings(run: &Run) -> Option<String> {
    let mut sentences = run.warnings.clone();
    for summary in summary::all(run) {
        sentences.extend(summary.invalid().iter().map(ToString::to_string));
    }
    (!sentences.is_empty()).then(|| {
        let lines: String =
            sentences.iter().map(|sentence| grid::wrapped(&format!("! {sentence}"), WIDTH, "  ")).collect();
        format!("Warnings\n{lines}")
    })
}

fn times(run: &Run) -> Option<String> {
    let summaries = summary::all(run);
    if summaries.is_empty() {
        return None;
    }
    let mut columns = vec![
        ("operation", Align::Left),
        ("subject", Align::Left),
        ("requests", Align::Right),
        ("offered", Align::Right),
        ("errors", Align::Right),
        ("client CPU", Align::Right),
        ("", Align::Left),
    ];
    columns.extend(PERCENTILES.map(|(_, label)| (label, Align::Right)));
    columns.push(("max", Align::Right));
    let mut grid = Grid::new(&columns);
    for summary in &summaries {
        let timings = &summary.timings;
        let parts: [(&str, &Latency); 3] =
            [("response", &timings.response), ("service", &timings.service), ("lag", &timings.lag)];
        for (place, (part, latency)) in parts.into_iter().enumerate() {
            let mut cells = if place == 0 { facts(summary) } else { vec![String::new(); 6] };
            cells.push(part.into());
            cells.extend(PERCENTILES.map(|(quantile, _)| summary::percentile(latency, quantile)));
            cells.push(time(latency.max_us()));
            grid.row(cells);
        }
    }
    let skipped: String = summaries
        .iter()
        .filter(|summary| summary.skipped > 0)
        .map(|summary| {
            let skipped = quantity::plural(summary.skipped, "arrival");
            let case = summary.case;
            grid::wrapped(
                &format!("{} under {}: {skipped} skipped, all workers busy", case.subject, case.operation),
                WIDTH,
                "  ",
            )
        })
        .collect();
    let failed: String = summaries
        .iter()
        .filter(|summary| !summary.errors.is_empty())
        .map(|summary| {
            let kinds: Vec<String> = summary
                .errors
                .iter()
                .map(|(kind, count)| format!("{} x {kind}", quantity::count(*count)))
                .collect();
            let case = summary.case;
            grid::wrapped(
                &format!("{} under {} failed: {}", case.subject, case.operation, kinds.join(", ")),
                WIDTH,
                "  ",
            )
        })
        .collect();
    let few = summaries.iter().any(|summary| summary.requests < minimum_samples(0.99, CONFIDENCE));
    let note = if few {
        "  (in parentheses: fewer requests than the percentile needs for an upper bound)\n"
    } else {
        ""
    };
    Some(format!("Times\n{}{note}{skipped}{failed}", grid.text()))
}

fn facts(summary: &Summary<'_>) -> Vec<String> {
    vec![
        summary::short(summary.case.operation).into(),
        summary.case.subject.into(),
        quantity::count(summary.requests),
        summary.offered_per_second().map_or_else(|| "closed".into(), quantity::per_second),
        quantity::share(summary.error_share()),
        summary
            .cores(|cpu| cpu.client_s)
            .map_or_else(|| "–".into(), |cores| format!("{:.1} %", cores * 100.0)),
    ]
}

fn compared(run: &Run) -> Option<String> {
    let base = run.subjects.first()?;
    let mut grid = Grid::new(&[
        ("operation", Align::Left),
        ("subject", Align::Left),
        ("", Align::Left),
        ("ratio", Align::Left),
        ("interval", Align::Left),
        ("noise floor", Align::Right),
        ("rounds", Align::Right),
    ]);
    let mut any = false;
    for summary in summary::all(run).iter().filter(|summary| summary.case.subject != base.name) {
        let base = summary::Case { subject: &base.name, operation: summary.case.operation };
        for (quantile, label) in PERCENTILES {
            let Some(comparison) = Comparison::of(run, summary.case, base, quantile, CONFIDENCE) else {
                continue;
            };
            any = true;
            let interval = comparison.interval().map_or_else(
                || "too few rounds".into(),
                |(low, high)| format!("{} to {}", quantity::times(low), quantity::times(high)),
            );
            grid.row([
                summary::short(summary.case.operation).into(),
                summary.case.subject.into(),
                label.into(),
                comparison.words(),
                interval,
                comparison
                    .noise
                    .map_or_else(|| "not measured".into(), |noise| quantity::spread(noise.spread)),
                comparison.ratio.rounds().to_string(),
            ]);
        }
    }
    any.then(|| format!("Compared with {}\n{}", base.name, grid.text()))
}

fn work(run: &Run) -> Option<String> {
    let summaries = summary::all(run);
    if summaries.iter().all(|summary| summary.work.is_none()) {
        return None;
    }
    let mut grid = Grid::new(&[
        ("operation", Align::Left),
        ("subject", Align::Left),
        ("statements", Align::Right),
        ("rows", Align::Right),
        ("buffers", Align::Right),
        ("read", Align::Right),
        ("WAL", Align::Right),
        ("in the database", Align::Right),
    ]);
    for summary in &summaries {
        let Some(work) = summary.work else { continue };
        grid.row([
            summary::short(summary.case.operation).into(),
            summary.case.subject.into(),
            quantity::number(work.statements_per_request),
            quantity::number(work.rows_per_request),
            quantity::number(work.buffers_per_request),
            quantity::number(work.buffers_read_per_request),
            quantity::bytes(work.wal_bytes_per_request),
            quantity::time_us(work.database_ms_per_request * 1e3),
        ]);
    }
    Some(format!("Work per request\n{}", grid.text()))
}

fn seeding(run: &Run) -> Option<String> {
    let dataset = run.dataset.as_ref().filter(|dataset| !dataset.phases.is_empty())?;
    let mut grid = Grid::new(&[
        ("phase", Align::Left),
        ("time", Align::Right),
        ("rows", Align::Right),
        ("rows/s", Align::Right),
    ]);
    for phase in &dataset.phases {
        let rate = phase.rows.filter(|_| phase.seconds > 0.0).map(|rows| rows as f64 / phase.seconds);
        grid.row([
            phase.name.clone(),
            quantity::seconds(phase.seconds),
            phase.rows.map_or_else(|| "–".into(), quantity::count),
            rate.map_or_else(|| "–".into(), quantity::number),
        ]);
    }
    grid.row(["in all".into(), quantity::seconds(dataset.seeding_seconds()), String::new(), String::new()]);
    Some(format!("Seeding\n{}", grid.text()))
}

fn time(us: Option<u64>) -> String {
    us.map_or_else(|| "–".into(), |us| quantity::time_us(us as f64))
}

#[cfg(test)]
mod tests {
    use super::paint::{GREEN, PLAIN, RED, YELLOW};
    use super::*;
    use crate::sample;

    #[test]
    fn no_line_is_wider_than_110_columns() {
        let mut run = sample::run();
        run.warnings.push("word ".repeat(60));
        run.verdicts[0].outcome = Outcome::Inconclusive;
        run.verdicts[0].reason = "reason ".repeat(40);
        for line in table(&run, false).lines() {
            assert!(line.chars().count() <= WIDTH, "{} columns: {line}", line.chars().count());
        }
    }

    #[test]
    fn colours_only_add_to_the_words() {
        let run = sample::run();
        let mut painted = table(&run, true);
        assert!(painted.contains("\u{1b}[32mpass\u{1b}[0m"));
        for code in [GREEN, RED, YELLOW, PLAIN] {
            painted = painted.replace(code, "");
        }
        assert_eq!(painted, table(&run, false));
    }

    #[test]
    fn everything_that_the_run_holds_has_its_table() {
        let text = table(&sample::run(), false);
        for heading in [
            "PASS",
            "Budgets",
            "Checks",
            "Warnings",
            "Times",
            "Compared with naive",
            "Work per request",
            "The database and the machine meanwhile",
            "Seeding",
        ] {
            assert!(text.lines().any(|line| line.starts_with(heading)), "{heading}");
        }
        assert!(text.contains("757") && text.contains("x faster"));
    }

    #[test]
    fn skipped_arrivals_stand_below_the_times_of_the_others() {
        let mut run = sample::run();
        assert!(!table(&run, false).contains("skipped"));
        for window in run.windows.iter_mut().filter(|window| window.subject == "live" && window.pass == 1) {
            window.skipped = if window.operation == "first_page" { 200 } else { 0 };
        }
        let text = table(&run, false);
        assert!(text.contains("live under first_page: 1,200 arrivals skipped, all workers busy"), "{text}");
        assert_eq!(text.matches("skipped").count(), 1);
    }

    #[test]
    fn a_run_that_measured_nothing_prints_its_headline() {
        let mut run = sample::unjudged();
        run.windows.clear();
        run.work.clear();
        run.complete = false;
        let text = table(&run, false);
        assert!(text.starts_with("NOT JUDGED  The run was interrupted"), "{text}");
        assert!(!text.contains("Times"));
    }
}
