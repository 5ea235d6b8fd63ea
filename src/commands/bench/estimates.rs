//! `callbench bench --criterion`: the estimates that `cargo bench` has left.

use std::env;
use std::path::{Path, PathBuf};

use chrono::Utc;
use reports::benches::{Benches, criterion, store, terminal};
use tokio_util::sync::CancellationToken;

use crate::cli::Output;
use crate::live::{Finished, Live};
use crate::results;

/// Reads them, keeps them under the folder of results, prints them. Nothing is judged, so the exit code is 0.
pub(super) async fn report(
    folder: Option<&Path>,
    output: &Output,
    stop: &CancellationToken,
) -> anyhow::Result<u8> {
    let folder = folder.map_or_else(folder_of_criterion, Path::to_owned);
    let benches = Benches::new(
        results::run_name(output, "criterion"),
        Utc::now(),
        results::command_line(),
        folder.display().to_string(),
        criterion::read(&folder)?,
    );
    let live = Live::open(&output.live)?;
    let outcome = keep_and_print(&benches, output, &live);
    live.close(outcome, stop).await
}

/// Where criterion itself puts its folder when it is told nothing else.
fn folder_of_criterion() -> PathBuf {
    let named = |variable| env::var_os(variable).map(PathBuf::from);
    named("CRITERION_HOME").unwrap_or_else(|| {
        named("CARGO_TARGET_DIR").unwrap_or_else(|| PathBuf::from("target")).join("criterion")
    })
}

fn keep_and_print(benches: &Benches, output: &Output, live: &Live) -> anyhow::Result<u8> {
    let written = store::write(benches, &output.runs.join(&benches.name))?;
    let kept = Finished {
        name: &benches.name,
        verdict: "not_judged",
        exit_code: 0,
        result: &written.result,
        report: &written.page,
    };
    results::print_kept(kept, live.print(), || terminal::table(benches))?;
    Ok(0)
}
