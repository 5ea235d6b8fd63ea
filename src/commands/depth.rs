//! `callbench depth`: times and buffers against the number of the page.

use std::path::Path;
use std::sync::Arc;

use chrono::Utc;
use loadgen::operations::Depths;
use loadgen::{Plan, curves};
use reports::curves::{Axis, Curve, SCHEMA};
use tokio_util::sync::CancellationToken;

use crate::cli::{Depth, Kept};
use crate::commands::subject::{self, Needs, Scene};
use crate::live::{Finished, Live};
use crate::offered::refuse_without_links;
use crate::results;
use crate::stop::{INTERRUPTED, Interrupted};

/// Connections of a server that is asked one thing at a time.
pub(super) const POOL_SIZE: u32 = 4;

pub(crate) async fn run(home: &Path, asked: Depth, stop: &CancellationToken) -> anyhow::Result<u8> {
    let needs = Needs { variants: &asked.variants, writes: false, pool_size: POOL_SIZE, crowd: &[] };
    let live = Live::open(&asked.kept.live)?;
    let outcome = async {
        let curve = subject::with(home, &asked.subject, &needs, stop, async |scene| {
            measure(&asked, scene, &live, stop).await
        })
        .await?;
        keep_and_print(&curve, &asked.kept, &live)
    }
    .await;
    live.close(outcome, stop).await
}

async fn measure(
    asked: &Depth,
    scene: Scene,
    live: &Live,
    stop: &CancellationToken,
) -> anyhow::Result<Curve> {
    let Scene { targets, environment, .. } = scene;
    if asked.subject.target.is_some() {
        for target in &targets {
            refuse_without_links(target, stop).await?;
        }
    }
    let started_at = Utc::now();
    let depths = Arc::new(Depths::default());
    eprintln!("walk to page {}", asked.pages.iter().max().copied().unwrap_or(1));
    let (pages, mut warnings) = tokio::select! {
        () = stop.cancelled() => return Err(Interrupted.into()),
        reached = depths.reachable(&targets, &asked.pages) => reached?,
    };
    for sentence in &warnings {
        live.warn(sentence);
    }
    let plan = Plan {
        page_size: asked.subject.page_size,
        workspace: asked.subject.workspace.clone(),
        ..curves::depth_plan(&pages, &depths, asked.rounds, asked.window)
    };
    let measured = loadgen::measure(&plan, &targets, &live.rounds(&plan, &targets), stop.clone()).await?;
    let names: Vec<String> = targets.iter().map(|target| target.subject.name.clone()).collect();
    warnings.extend(measured.warnings.iter().cloned());
    Ok(Curve {
        schema: SCHEMA,
        name: name(&asked.kept, Axis::Page),
        started_at,
        finished_at: Utc::now(),
        command: results::command_line(),
        complete: measured.complete,
        environment,
        axis: Axis::Page,
        workspace: plan.workspace.clone(),
        page_size: plan.page_size,
        subjects: targets.iter().map(|target| target.subject.clone()).collect(),
        series: curves::depth_series(&measured, &pages, &names),
        checks: measured.checks,
        warnings,
    })
}

/// The name of a curve: the one that was given, or the command and the time.
pub(super) fn name(kept: &Kept, axis: Axis) -> String {
    kept.name.clone().unwrap_or_else(|| results::fresh_name(axis.command()))
}

/// Writes the folder of a curve, prints it, returns the exit code.
pub(super) fn keep_and_print(curve: &Curve, kept: &Kept, live: &Live) -> anyhow::Result<u8> {
    let written = reports::curves::store::curve(curve, &kept.runs.join(&curve.name))?;
    let exit_code = if curve.complete { curve.exit_code() } else { INTERRUPTED };
    let kept = Finished {
        name: &curve.name,
        // Nothing but the rows is held against anything.
        verdict: if exit_code == 0 { "not_judged" } else { results::verdict(exit_code) },
        exit_code,
        result: &written.result,
        report: &written.page,
    };
    results::print_kept(kept, live.print(), || reports::curves::terminal::curve(curve))?;
    Ok(exit_code)
}
