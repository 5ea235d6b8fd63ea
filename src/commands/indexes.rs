//! `callbench indexes`: what each index costs and earns.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, bail};
use chrono::Utc;
use cluster::Mode;
use loadgen::labs::indexes::{Ablated, Ablating, Statements, ablate, densities, inventory};
use reports::labs::indexes::{Extrapolation, Index, PriceList, SCHEMA, store, terminal};
use sqlx::Connection as _;
use tokio_util::sync::CancellationToken;

use crate::cli::Indexes;
use crate::dataset;
use crate::ending::first_failure;
use crate::environment;
use crate::live::{Finished, Print};
use crate::place::Place;
use crate::results;
use crate::scratch::{self, Scratch};
use crate::stop::Interrupted;

pub(crate) async fn run(home: &Path, asked: Indexes, stop: &CancellationToken) -> anyhow::Result<u8> {
    if asked.ablate && asked.place.database_url.is_some() {
        bail!(
            "--ablate drops indexes and writes, so it works on a copy of a dataset of the private cluster alone, and not on the \
             database of --database-url; choose a dataset with --scale"
        );
    }
    // Read before anything runs, so that a mistake costs no time.
    let reads = match &asked.reads {
        None => Statements::reads()?,
        Some(file) => {
            let name = file.display().to_string();
            let text =
                fs::read_to_string(file).with_context(|| format!("the reads in {name} can't be read"))?;
            Statements::parse_reads(&name, &text)?
        }
    };
    let place = Place::open(home, &asked.place, Mode::Serving).await?;
    let outcome = measure(&place, &asked, reads, stop).await;
    keep_and_print(&first_failure(outcome, place.close().await)?, &asked)
}

async fn measure(
    place: &Place,
    asked: &Indexes,
    reads: Statements,
    stop: &CancellationToken,
) -> anyhow::Result<PriceList> {
    let started_at = Utc::now();
    // A URL is taken as it is.
    let url = if place.is_private() {
        place.refuse_while_loading()?;
        scratch::sweep(place, stop).await?;
        dataset::at_level(place, asked.level, stop).await?
    } else {
        place.url().to_owned()
    };
    let facts =
        loadgen::probes::facts(&url).await.context("the settings of the database could not be read")?;
    let mut found = tokio::select! {
        () = stop.cancelled() => return Err(Interrupted.into()),
        found = inventory(&url) => found?,
    };
    let mut warnings = Vec::new();
    if found.indexes.is_empty() {
        warnings.push("no table of a user has an index here".to_owned());
    }
    found.only(&asked.only)?;
    let ablated = if asked.ablate {
        let ablated = in_a_copy(place, &url, asked, reads, &mut found.indexes, stop).await?;
        warnings.extend(ablated.warnings.iter().cloned());
        Some(ablated)
    } else {
        if asked.density {
            tokio::select! {
                () = stop.cancelled() => return Err(Interrupted.into()),
                filled = fill_densities(&url, false, &mut found.indexes) => {
                    if !filled? {
                        warnings.push(NO_DENSITY.to_owned());
                    }
                }
            }
        }
        None
    };
    let (ablation, checks) = ablated.map(|found| (found.ablation, found.checks)).unzip();
    let mut list = PriceList {
        schema: SCHEMA,
        name: asked.name.clone().unwrap_or_else(|| results::fresh_name("indexes")),
        started_at,
        finished_at: Utc::now(),
        command: results::command_line(),
        environment: environment::capture(Some(facts)),
        level: place.is_private().then(|| asked.level.to_string()),
        counted_since: found.counted_since,
        rule: Extrapolation::RULE.to_owned(),
        indexes: found.indexes,
        ablation,
        checks: checks.unwrap_or_default(),
        warnings,
    };
    list.sort();
    Ok(list)
}

/// Why there are no densities.
const NO_DENSITY: &str = "how full the pages are is not known: the extension pgstattuple is not there (CREATE EXTENSION \
    pgstattuple), or the user has not the role pg_stat_scan_tables";

/// Tells how full the pages are; false if that can't be found out.
async fn fill_densities(url: &str, create: bool, indexes: &mut [Index]) -> anyhow::Result<bool> {
    let densities = densities(url, create).await?;
    for index in indexes {
        index.density = densities.get(&index.name).copied();
    }
    Ok(!densities.is_empty())
}

/// Leaves out each index in turn, in a copy that is dropped again.
async fn in_a_copy(
    place: &Place,
    url: &str,
    asked: &Indexes,
    reads: Statements,
    indexes: &mut [Index],
    stop: &CancellationToken,
) -> anyhow::Result<Ablated> {
    // A copy takes a while.
    let mut connection = migrations::connect(url, "callbench").await?;
    loadgen::labs::workspace(&mut connection, &asked.workspace).await?;
    connection.close().await?;
    let copy = Scratch::of(place, url, stop).await?;
    let measured = async {
        fill_densities(copy.url(), true, indexes).await?;
        let tell =
            |what: &str, took: std::time::Duration| eprintln!("{what:<44} {:>7.1} s", took.as_secs_f64());
        let ablating = Ablating {
            url: copy.url(),
            indexes,
            workspace: &asked.workspace,
            reads,
            rounds: asked.rounds,
            timeout: asked.timeout,
            tell: &tell,
        };
        Ok(ablate(&ablating).await?)
    };
    let outcome = tokio::select! {
        () = stop.cancelled() => Err(Interrupted.into()),
        ablated = measured => ablated,
    };
    first_failure(outcome, copy.remove().await)
}

fn keep_and_print(list: &PriceList, asked: &Indexes) -> anyhow::Result<u8> {
    let written = store::write(list, &asked.runs.join(&list.name))?;
    let exit_code = list.exit_code();
    let kept = Finished {
        name: &list.name,
        verdict: results::verdict(exit_code),
        exit_code,
        result: &written.result,
        report: &written.page,
    };
    results::print_kept(kept, Print::json(asked.json), || terminal::table(list))?;
    Ok(exit_code)
}
