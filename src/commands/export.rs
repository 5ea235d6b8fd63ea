//! `callbench seed --export`: the same rows as files, with a script that loads them.

use std::path::Path;

use anyhow::Context as _;
use datagen::Spec;
use datagen::export::{Exported, Format, Manifest, Options, export};
use indicatif::{HumanBytes, HumanCount};
use tokio_util::sync::CancellationToken;

use crate::cli::{ExportFormat, Seed};
use crate::dataset;
use crate::progress::{self, SeedProgress};

pub(crate) async fn run(
    folder: &Path,
    seed: &Seed,
    spec: &Spec,
    stop: &CancellationToken,
) -> anyhow::Result<u8> {
    let tables = seed.tables()?;
    if seed.dry_run {
        let spec = Spec { only: tables, ..spec.clone() };
        let plan = datagen::plan(&spec, seed.level, &dataset::loading(true, 1))?;
        if seed.json {
            println!("{}", serde_json::to_string_pretty(&progress::plan_as_json(&spec, &plan))?);
        } else {
            progress::print_plan(&spec, &plan);
        }
        return Ok(0);
    }
    let mut options = Options {
        format: match seed.format {
            ExportFormat::Binary => Format::Binary,
            ExportFormat::Csv => Format::Csv,
        },
        tables,
        drop: seed.drop,
        exact_date: seed.as_of.is_some(),
        stop: stop.clone(),
        ..Options::new(folder)
    };
    if let Some(threads) = seed.connections {
        options.threads = usize::from(threads);
    }
    if !seed.json {
        println!("Dataset: {spec}");
    }
    let (spec, level) = (spec.clone(), seed.level);
    let exporting = move || export(&spec, level, &options, &SeedProgress::new([]));
    let exported = tokio::task::spawn_blocking(exporting).await.context("the export broke off")??;
    if seed.json {
        println!("{}", serde_json::to_string_pretty(&exported.manifest)?);
    } else {
        print(folder, &exported);
    }
    Ok(0)
}

fn print(folder: &Path, Exported { manifest, phases }: &Exported) {
    if phases.is_empty() {
        println!("The export is already there: {manifest}");
    } else {
        println!("{:<32} {:>9} {:>14} {:>12} {:>9}", "phase", "seconds", "rows", "rows/s", "MB/s");
    }
    for phase in phases {
        let [rows, bytes] = [phase.rows, phase.bytes].map(Option::unwrap_or_default);
        let per_second = |count: u64| count as f64 / phase.seconds.max(1e-9);
        println!(
            "{:<32} {:>9.1} {:>14} {:>12.0} {:>9.1}",
            phase.name,
            phase.seconds,
            HumanCount(rows).to_string(),
            per_second(rows),
            per_second(bytes) / 1e6,
        );
    }
    println!(
        "{} rows, {} in {} files in {}",
        HumanCount(manifest.rows()),
        HumanBytes(manifest.bytes()),
        files(manifest),
        folder.display()
    );
    println!("Load them with: {} DATABASE_URL", folder.join("load.sh").display());
}

fn files(manifest: &Manifest) -> usize {
    manifest.tables.iter().map(|table| table.parts.len()).sum()
}
