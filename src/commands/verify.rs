//! `callbench db verify`: is everything as it was loaded, and if not, what changed.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::bail;
use cluster::{Mode, databases};
use datagen::verify::{Change, Check, Figure, Group, Options, TableFinding, Verdict, Verification};
use indicatif::HumanCount;
use migrations::Level;
use tokio_util::sync::CancellationToken;

use crate::cli::Verify;
use crate::ending::first_failure;
use crate::place::Place;
use crate::progress::SeedProgress;
use crate::results;

/// Exit code where rows differ or a check failed.
const DIFFERENT: u8 = 1;

pub(crate) async fn run(home: &Path, verify: Verify, stop: &CancellationToken) -> anyhow::Result<u8> {
    let mut options = Options { quick: verify.quick, stop: stop.clone(), ..Options::default() };
    if let Some(connections) = verify.connections {
        options.connections = usize::from(connections);
    }
    let place = Place::open(home, &verify.place, Mode::Serving).await?;
    let outcome = found(&place, verify.level, &options).await;
    let found = first_failure(outcome, place.close().await)?;
    if verify.json {
        results::put(&format!("{}\n", as_json(&found)?))?;
    } else {
        results::put(&as_text(&found))?;
    }
    Ok(if found.passed() { 0 } else { DIFFERENT })
}

async fn found(place: &Place, level: Level, options: &Options) -> anyhow::Result<Verification> {
    let url = place.level_url(level)?;
    if level != Level::Before && !databases::exists(&url).await? {
        bail!(
            "there is no clone of this dataset at level {level}; callbench bench makes one, or leave out --level to \
             verify the dataset itself"
        );
    }
    Ok(datagen::verify::verify(&url, options, &SeedProgress::new([])).await?)
}

fn as_json(found: &Verification) -> serde_json::Result<String> {
    let mut json = serde_json::to_value(found)?;
    json["passed"] = found.passed().into();
    json["sentence"] = found.sentence().into();
    serde_json::to_string_pretty(&json)
}

/// A line for each table, a line for each group of checks, details only of what is wrong, and the sentence.
fn as_text(found: &Verification) -> String {
    let mut text = String::new();
    let mut line = |words: String| {
        text.push_str(words.trim_end());
        text.push('\n');
    };
    line(format!("Dataset: {}, as of {}", found.spec, found.spec.as_of.format("%Y-%m-%d %H:%M UTC")));
    line(format!(
        "Database {} at {}, rows of {}",
        found.database,
        found.level.as_ref().map_or_else(|| "no level".to_owned(), |level| format!("level {level}")),
        found.taken_at.format("%Y-%m-%d %H:%M:%S UTC"),
    ));
    line(String::new());
    line(format!("{:<24} {:>14} {:>14}  outcome", "table", "rows", "loaded"));
    for table in &found.tables {
        let verdict = if table.is_equal { "ok".to_owned() } else { difference(table) };
        line(format!(
            "{:<24} {:>14} {:>14}  {verdict}",
            table.table,
            HumanCount(table.held.rows).to_string(),
            HumanCount(table.expected.rows).to_string()
        ));
        table_details(table).into_iter().for_each(&mut line);
    }
    line(String::new());
    for (group, name) in [
        (Group::References, "references"),
        (Group::Totals, "totals"),
        (Group::Distributions, "distributions"),
        (Group::Health, "health"),
    ] {
        let of_group = || found.checks.iter().filter(move |check| check.group == group);
        let judged = of_group().filter(|check| check.verdict != Verdict::Noted).count();
        let failed = of_group().filter(|check| check.verdict == Verdict::Failed).count();
        if judged > 0 {
            let outcome = if failed == 0 { "ok".to_owned() } else { format!("{failed} FAILED") };
            line(format!("{name:<24} {:>14} {:>14}  {outcome}", format!("{judged} checks"), ""));
        }
        for check in of_group().filter(|check| check.verdict != Verdict::Passed) {
            check_details(check).into_iter().for_each(&mut line);
        }
    }
    line(String::new());
    line(found.sentence());
    text
}

fn difference(table: &TableFinding) -> String {
    if table.is_other_generator() {
        "not what this callbench generates".to_owned()
    } else {
        table.changes.as_ref().map_or_else(|| "differ".to_owned(), datagen::verify::Changes::words)
    }
}

fn table_details(table: &TableFinding) -> Vec<String> {
    let mut lines = Vec::new();
    if table.is_equal {
        return lines;
    }
    lines.push(format!("  checksum {}, expected {}", table.held.checksum, table.expected.checksum));
    let Some(changes) = &table.changes else { return lines };
    if changes.is_estimated {
        lines.push("  too many rows may differ to compare them all: the numbers are estimated".to_owned());
    }
    let named = |verb: &str, change: &Change| {
        (!change.examples.is_empty())
            .then(|| format!("  {verb}, for example: {}", change.examples.join(", ")))
    };
    lines.extend(named("added", &changes.added));
    if let (Some(from), Some(to)) = (changes.added_from, changes.added_to) {
        let time = "%Y-%m-%d %H:%M:%S%.6f UTC";
        lines.push(format!("  added, by created_at: {} to {}", from.format(time), to.format(time)));
    }
    lines.extend(named("removed", &changes.removed));
    lines.extend(named("changed", &changes.changed));
    if !changes.columns.is_empty() {
        let columns: Vec<String> =
            changes.columns.iter().map(|(name, rows)| format!("{name} in {}", HumanCount(*rows))).collect();
        lines.push(format!("  changed columns: {}", columns.join(", ")));
    }
    lines
}

fn check_details(check: &Check) -> Vec<String> {
    let mut words = format!("  {}: {}", check.name, figure(check.observed));
    if check.verdict == Verdict::Failed {
        if let Some(expected) = check.expected {
            let least = if matches!(expected, Figure::Correlation(_)) { "at least " } else { "" };
            let _ = write!(words, ", expected {least}{}", figure(expected));
        }
        if let Some(tolerance) = check.tolerance {
            let _ = write!(words, " ± {}", figure(tolerance));
        }
    }
    let mut lines = vec![words];
    if !check.examples.is_empty() {
        lines.push(format!("    for example: {}", check.examples.join(", ")));
    }
    lines
}

fn figure(figure: Figure) -> String {
    match figure {
        Figure::Count(count) => HumanCount(count).to_string(),
        Figure::Share(share) => format!("{:.3} %", share * 100.0),
        Figure::Correlation(correlation) => format!("{correlation:.3}"),
    }
}
