//! `callbench capacity`: the highest rate at which objectives hold.

use std::io::IsTerminal as _;
use std::path::Path;

use anyhow::bail;
use chrono::Utc;
use loadgen::Target;
use loadgen::curves::{Found, Sought};
use reports::curves::{End, SCHEMA};
use tokio_util::sync::CancellationToken;

use crate::cli::Capacity;
use crate::commands::subject::{self, Needs, Scene};
use crate::live::{Finished, Live};
use crate::offered::offered;
use crate::results;
use crate::stop::INTERRUPTED;

pub(crate) async fn run(home: &Path, asked: Capacity, stop: &CancellationToken) -> anyhow::Result<u8> {
    let sought = sought(&asked)?;
    let needs = Needs {
        variants: &[asked.variant],
        writes: sought.scenario.writes(),
        pool_size: u32::from(asked.max_in_flight).clamp(4, 32),
        crowd: &asked.crowd.others,
    };
    let live = Live::open(&asked.kept.live)?;
    let outcome = async {
        let found = subject::with(home, &asked.subject, &needs, stop, async |scene| {
            search(&asked, &sought, scene, &live, stop).await
        })
        .await?;
        keep_and_print(&found, &asked, &live)
    }
    .await;
    live.close(outcome, stop).await
}

fn sought(asked: &Capacity) -> anyhow::Result<Sought> {
    let mut scenarios = asked.described.catalogue()?.read(&asked.scenarios)?;
    let (Some(scenario), true) = (scenarios.pop(), scenarios.is_empty()) else {
        bail!(
            "a capacity is that of one scenario; give several a weight to make one mix of them: first_page=70 detail=30"
        );
    };
    Ok(Sought {
        scenario,
        objectives: asked.objectives.clone(),
        from: asked.from,
        max: asked.max_rate,
        precision: asked.precision,
        step: asked.step_duration,
        confirm: asked.confirm_duration,
        warm_up: asked.warm_up,
        max_in_flight: usize::from(asked.max_in_flight),
        process: asked.arrivals.into(),
        page_size: asked.subject.page_size,
        workspace: asked.subject.workspace.clone(),
        seed: asked.seed,
    })
}

async fn search(
    asked: &Capacity,
    sought: &Sought,
    scene: Scene,
    live: &Live,
    stop: &CancellationToken,
) -> anyhow::Result<reports::curves::Capacity> {
    let Scene { targets, environment, .. } = scene;
    let [target] = <[Target; 1]>::try_from(targets).map_err(|_| anyhow::anyhow!("one target is searched"))?;
    let mut sought = sought.clone();
    let mut warnings = Vec::new();
    if asked.subject.target.is_some() {
        let (mut scenarios, missing) = offered(vec![sought.scenario], &target, live, stop).await?;
        sought.scenario = scenarios.remove(0);
        warnings = missing;
    }
    let started_at = Utc::now();
    let found =
        loadgen::curves::capacity(&sought, &target, &live.search(&sought, &target), stop.clone()).await?;
    let Found { settings, steps, lower, upper, end, probes, warnings: also } = found;
    warnings.extend(also);
    let found = reports::curves::Capacity {
        schema: SCHEMA,
        name: asked.kept.name.clone().unwrap_or_else(|| results::fresh_name("capacity")),
        started_at,
        finished_at: Utc::now(),
        command: results::command_line(),
        environment,
        subject: target.subject,
        scenario: sought.scenario.name.clone(),
        workspace: sought.workspace.clone(),
        page_size: sought.page_size,
        objectives: sought.objectives.iter().map(ToString::to_string).collect(),
        settings,
        steps,
        lower,
        confirmed: end == End::Confirmed,
        upper,
        end,
        answer: String::new(),
        probes,
        warnings,
    };
    Ok(found.answered())
}

/// Writes the folder of a search, prints it, returns the exit code.
fn keep_and_print(found: &reports::curves::Capacity, asked: &Capacity, live: &Live) -> anyhow::Result<u8> {
    let written = reports::curves::store::capacity(found, &asked.kept.runs.join(&found.name))?;
    let exit_code = if found.end == End::Interrupted { INTERRUPTED } else { found.exit_code() };
    let kept = Finished {
        name: &found.name,
        verdict: results::verdict(exit_code),
        exit_code,
        result: &written.result,
        report: &written.page,
    };
    results::print_kept(kept, live.print(), || {
        reports::curves::terminal::capacity(found, std::io::stdout().is_terminal())
    })?;
    Ok(exit_code)
}
