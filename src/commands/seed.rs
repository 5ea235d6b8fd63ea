//! `callbench seed`: a realistic dataset by COPY.

use std::path::Path;

use anyhow::{Context as _, bail};
use cluster::Mode;
use datagen::{Profile, Seeded, Spec};
use tokio_util::sync::CancellationToken;

use crate::cli::{self, Seed};
use crate::dataset;
use crate::ending::first_failure;
use crate::environment;
use crate::place::Place;
use crate::progress;

pub(crate) async fn run(home: &Path, seed: Seed, stop: &CancellationToken) -> anyhow::Result<u8> {
    let mut chosen = seed.place.clone();
    let as_of = seed.as_of.unwrap_or_else(dataset::today);
    let profile = match &seed.profile {
        Some(file) => profile(file)?,
        None => Profile::default(),
    };
    if seed.print_profile {
        print!("{}", profile.to_commented_toml());
        return Ok(0);
    }
    let spec = match (seed.customers, seed.calls, seed.workspaces) {
        (Some(customers), Some(calls), Some(workspaces)) => {
            chosen.scale = cli::Scale::Custom;
            Spec::custom(customers, calls, workspaces, seed.seed, as_of)
        }
        _ => dataset::spec(chosen.scale, seed.seed, as_of)?,
    };
    let spec = Spec { profile, transcripts: seed.transcripts, ..spec };
    if let Some(folder) = &seed.export {
        return super::export::run(folder, &seed, &spec, stop).await;
    }
    let spec = Spec { only: seed.tables()?, ..spec };
    if let Some(table) = spec.only.iter().find(|table| !table.exists_at(seed.level)) {
        bail!("there is no table `{table}` at level {}; choose another --level", seed.level);
    }
    let defaults = datagen::Options::default();
    let connections = seed.connections.map_or(defaults.connections, usize::from);
    let loading = dataset::loading(chosen.database_url.is_none(), connections);
    let options = datagen::Options {
        connections,
        drop: seed.drop,
        force: seed.force,
        grain: loading.grain,
        exact_date: seed.as_of.is_some(),
        stop: stop.clone(),
    };
    let plan = datagen::plan(&spec, seed.level, &loading)?;
    if !seed.json {
        progress::print_plan(&spec, &plan);
    }
    if seed.dry_run {
        if seed.json {
            println!("{}", serde_json::to_string_pretty(&progress::plan_as_json(&spec, &plan))?);
        }
        return Ok(0);
    }
    if let Some(url) = chosen.database_url.as_deref().filter(|_| !seed.force) {
        dataset::refuse_other_machine(url)?;
    }
    let place = Place::open(home, &chosen, Mode::Loading).await?;
    let outcome = dataset::seed(&place, &spec, seed.level, &plan, &options).await;
    let (found, present) = match first_failure(outcome, place.close().await)? {
        Seeded::AlreadyThere(present) => (true, present),
        Seeded::Loaded(present) => (false, present),
    };
    if seed.json {
        let peak_memory_bytes = environment::peak_memory_bytes();
        println!(
            "{}",
            serde_json::json!({ "found": found, "dataset": present, "peak_memory_bytes": peak_memory_bytes })
        );
    } else if found {
        println!("The dataset is already there: {}", present.spec);
    } else {
        progress::print_phases(&present, options.connections);
    }
    Ok(0)
}

fn profile(file: &Path) -> anyhow::Result<Profile> {
    let text = std::fs::read_to_string(file)
        .with_context(|| format!("the profile `{}` can't be read", file.display()))?;
    Profile::from_toml(&text).with_context(|| file.display().to_string())
}
