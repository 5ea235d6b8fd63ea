//! `callbench indexes`: what each index costs and earns.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, bail};
use chrono::Utc;
use cluster::Mode;
use loadgen::labs::indexes::{Inventory, densities, inventory};
use reports::labs::indexes::{Extrapolation, PriceList, SCHEMA, store, terminal};
use tokio_util::sync::CancellationToken;

use crate::cli::Indexes;
use crate::dataset;
use crate::environment;
use crate::place::Place;
use crate::results;
use crate::scratch;

pub(crate) async fn run(home: &Path, asked: Indexes, stop: &CancellationToken) -> anyhow::Result<u8> {
    let place = Place::open(home, &asked.place, Mode::Serving).await?;
    let outcome = measure(&place, &asked, stop).await;
    place.close().await?;
    keep_and_print(&outcome?, &asked)
}

async fn measure(place: &Place, asked: &Indexes, stop: &CancellationToken) -> anyhow::Result<PriceList> {
    let started_at = Utc::now();
    // A URL is taken as it is.
    let url = if place.is_private() {
        place.refuse_while_loading()?;
        scratch::sweep(place).await?;
        dataset::at_level(place, asked.level, stop).await?
    } else {
        place.url().to_owned()
    };
    let facts =
        loadgen::probes::facts(&url).await.context("the settings of the database could not be read")?;
    let mut warnings = Vec::new();
    let Inventory { mut indexes, counted_since } = tokio::select! {
        () = stop.cancelled() => bail!("interrupted"),
        looked = look(&url, asked, &mut warnings) => looked?,
    };
    if indexes.is_empty() {
        warnings.push("no table of a user has an index here".to_owned());
    }
    indexes.sort_by_key(|index| std::cmp::Reverse(index.bytes));
    let mut list = PriceList {
        schema: SCHEMA,
        name: asked.name.clone().unwrap_or_else(|| results::fresh_name("indexes")),
        started_at,
        finished_at: Utc::now(),
        command: results::command_line(),
        environment: environment::capture(Some(facts)),
        level: place.is_private().then(|| asked.level.to_string()),
        counted_since,
        rule: Extrapolation::RULE.to_owned(),
        indexes,
        ablation: None,
        checks: Vec::new(),
        warnings,
    };
    list.sort();
    Ok(list)
}

/// The catalogue's view, and how full the pages are if that was asked for.
async fn look(url: &str, asked: &Indexes, warnings: &mut Vec<String>) -> anyhow::Result<Inventory> {
    let mut found = inventory(url).await?;
    found.only(&asked.only)?;
    if asked.density {
        let densities = densities(url, false).await?;
        if densities.is_empty() {
            warnings.push(
                "how full the pages are is not known: the extension pgstattuple is not there (CREATE EXTENSION pgstattuple), or \
                 the user has not the role pg_stat_scan_tables"
                    .to_owned(),
            );
        }
        for index in &mut found.indexes {
            index.density = densities.get(&index.name).copied();
        }
    }
    Ok(found)
}

fn keep_and_print(list: &PriceList, asked: &Indexes) -> anyhow::Result<u8> {
    let written = store::write(list, &asked.runs.join(&list.name))?;
    if asked.json {
        print!("{}", fs::read_to_string(&written.result).context("the result could not be read back")?);
    } else {
        print!("{}", terminal::table(list));
        println!("\nPage: {}", written.page.display());
    }
    Ok(list.exit_code())
}
