//! `callbench writes`: what a write costs at each level, by table and index.

use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::path::Path;

use anyhow::{Context as _, bail};
use chrono::Utc;
use cluster::Mode;
use loadgen::Target;
use loadgen::labs::writes::{self as lab, Measured, Operation, Plan, Site};
use migrations::Level;
use reports::labs::writes::{SCHEMA, Through, Writes, store, terminal};
use server::Variant;
use tokio_util::sync::CancellationToken;

use crate::cli;
use crate::commands::serve;
use crate::commands::subject::{self, Asking, Needs, Scene};
use crate::ending::first_failure;
use crate::live::{Finished, Print};
use crate::place::Place;
use crate::results::{self, Limits};
use crate::stop::INTERRUPTED;

/// Connections of a server that is asked one thing at a time.
const POOL_SIZE: u32 = 4;

pub(crate) async fn run(home: &Path, asked: cli::Writes, stop: &CancellationToken) -> anyhow::Result<u8> {
    if asked.place.database_url.is_some() && !asked.yes_write {
        bail!(
            "customers and calls would be made, changed and removed again in the database of --database-url; allow it with \
             --yes-write, or measure in the private cluster"
        );
    }
    let limits = Limits::read(asked.budgets.as_deref())?;
    let place = Place::open(home, &asked.place, Mode::Serving).await?;
    let measured = measure(&place, &asked, stop).await;
    let closed = place.close().await;
    let (mut writes, failure) = first_failure(measured, closed)?;
    // Fewer operations than a p99 needs are a look, and no verdict.
    let needed = reports::stats::quantile::minimum_samples(0.99, 0.95);
    if asked.budgets.is_some() || asked.operations.is_none_or(|count| count >= needed) {
        writes.verdicts = limits.judge(&writes);
    }
    let code = keep_and_print(&writes, &asked)?;
    failure.map_or(Ok(code), Err)
}

/// All levels in all ways, each from the same rows: a copy is written to once. What was measured before one fails is kept, beside
/// its error.
async fn measure(
    place: &Place,
    asked: &cli::Writes,
    stop: &CancellationToken,
) -> anyhow::Result<(Writes, Option<anyhow::Error>)> {
    let operations = if asked.only.is_empty() { Operation::ALL.to_vec() } else { asked.only.clone() };
    let plan = Plan { operations, count: asked.operations, seed: asked.seed };
    let asking = Asking { token: asked.token.clone(), workspace: asked.workspace.clone(), page_size: 50 };
    let started_at = Utc::now();
    let mut environment = None;
    let mut all: Vec<Measured> = Vec::new();
    let mut failure = None;
    let sites = sites(place, asked).await?;
    for (level, variant, through) in &sites {
        let (level, variant, through) = (level.as_str(), *variant, *through);
        if stop.is_cancelled() {
            break;
        }
        let needs = Needs { variants: &[variant], writes: true, pool_size: POOL_SIZE, crowd: &[] };
        let measured = subject::serving(place, &asking, &needs, stop, async |scene: Scene| {
            environment = Some(scene.environment);
            let [target] = <[Target; 1]>::try_from(scene.targets)
                .map_err(|_| anyhow::anyhow!("one server is written to"))?;
            let database_url = target.database_url.clone().context("the server has no database")?;
            let site = Site {
                level: level.to_owned(),
                variant: variant.to_string(),
                through,
                target,
                database_url,
                is_copy: place.is_private(),
            };
            let mut tell = |operation: Operation, count: u64| {
                eprintln!("{level}, {}: {operation}, {count} times", through.name());
            };
            Ok(lab::measure(&plan, &site, &mut tell, stop).await?)
        })
        .await;
        match measured {
            Ok(measured) => all.push(measured),
            Err(error) if all.is_empty() => return Err(error),
            // A copy that is not made to its end because of Ctrl-C is no failure.
            Err(_) if stop.is_cancelled() => break,
            Err(error) => {
                failure = Some(error.context(format!("{level}, {}", through.name())));
                break;
            }
        }
    }
    let complete = all.len() == sites.len() && all.iter().all(|measured| measured.complete);
    let mut writes = Writes {
        schema: SCHEMA,
        name: asked.name.clone().unwrap_or_else(|| results::fresh_name("writes")),
        started_at,
        finished_at: Utc::now(),
        command: results::command_line(),
        complete,
        environment: environment.context("nothing was to be measured")?,
        workspace: asked.workspace.clone(),
        seed: asked.seed,
        counts: plan.counts(),
        settings: BTreeMap::new(),
        levels: Vec::new(),
        measurements: Vec::new(),
        verdicts: Vec::new(),
        warnings: failure.iter().map(|error| format!("it ended early: {error:#}")).collect(),
    };
    for Measured { level, settings, measurements, warnings: also, .. } in all {
        writes.settings.extend(settings);
        match writes.levels.iter_mut().find(|known| known.name == level.name) {
            Some(known) => known.variant = known.variant.take().or(level.variant),
            None => writes.levels.push(level),
        }
        writes.measurements.extend(measurements);
        writes.warnings.extend(also);
    }
    Ok((writes, failure))
}

/// What is measured, one after the other: each level in each way.
async fn sites(place: &Place, asked: &cli::Writes) -> anyhow::Result<Vec<(String, Variant, Through)>> {
    let ways: Vec<Through> = asked.through.iter().map(|way| Through::from(*way)).collect();
    let ways = [Through::Api, Through::Sql].into_iter().filter(|way| ways.contains(way));
    let levels = levels(place, asked).await?.into_iter();
    Ok(levels
        .flat_map(|(level, variant)| ways.clone().map(move |way| (level.clone(), variant, way)))
        .collect())
}

/// The levels by name, each with the variant that is made for it.
async fn levels(place: &Place, asked: &cli::Writes) -> anyhow::Result<Vec<(String, Variant)>> {
    if place.is_private() {
        let mut levels = if asked.levels.is_empty() { Level::ALL.to_vec() } else { asked.levels.clone() };
        levels.sort();
        levels.dedup();
        return Ok(levels.into_iter().map(|level| (level.to_string(), variant_of(level))).collect());
    }
    let mut connection = migrations::connect(place.url(), "callbench").await?;
    Ok(vec![match migrations::level(&mut connection).await? {
        Some(level) => (level.to_string(), variant_of(level)),
        // It needs nothing but the tables.
        None => ("as it is".to_owned(), Variant::Naive),
    }])
}

/// The variant of the reference server that is meant for a level.
fn variant_of(level: Level) -> Variant {
    [Variant::Naive, Variant::Live, Variant::Rollup]
        .into_iter()
        .find(|variant| serve::level_of(*variant) == level)
        .unwrap_or(Variant::Naive)
}

/// Writes the folder, prints it, returns the exit code.
fn keep_and_print(writes: &Writes, asked: &cli::Writes) -> anyhow::Result<u8> {
    let written = store::write(writes, &asked.runs.join(&writes.name))?;
    let exit_code = if writes.complete { writes.exit_code() } else { INTERRUPTED };
    let kept = Finished {
        name: &writes.name,
        verdict: results::verdict(exit_code),
        exit_code,
        result: &written.result,
        report: &written.page,
    };
    results::print_kept(kept, Print::json(asked.json), || {
        terminal::table(writes, std::io::stdout().is_terminal())
    })?;
    Ok(exit_code)
}
