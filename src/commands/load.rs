//! `callbench load`: one server under load, ours or somebody's.

use std::path::Path;
use std::time::Duration;

use anyhow::bail;
use chrono::Utc;
use loadgen::arrivals::Pattern;
use loadgen::scenarios::{Catalogue, Scenario};
use loadgen::{Load as Offered, Open, Plan, Shard};
use reports::run::{OnOverload, Run};
use tokio_util::sync::CancellationToken;

use crate::cli::Load;
use crate::commands::bench;
use crate::commands::subject::{self, Needs, Scene};
use crate::live::Live;
use crate::offered::offered;
use crate::results::{self, Limits};

/// How long a scenario is measured, unless that is given or up to a replay.
const DURATION: Duration = Duration::from_secs(30);

pub(crate) async fn run(home: &Path, load: Load, stop: &CancellationToken) -> anyhow::Result<u8> {
    let limits = load.output.budgets.as_deref().map(|file| Limits::read(Some(file))).transpose()?;
    let plan = bench::plan(&load.pressure, OnOverload::Offer, load.duration, DURATION)?;
    let catalogue = load.described.catalogue()?;
    let scenarios = if load.scenarios.is_empty() {
        replayed(&catalogue, &plan)?
    } else {
        catalogue.read(&load.scenarios)?
    };
    let shard = match load.shard {
        Some(shard) => Some(shard),
        None => of_job(std::env::var("JOB_COMPLETION_INDEX").ok(), std::env::var("CALLBENCH_SHARDS").ok())?,
    };
    if shard.is_some() && (load.subject.target.is_none() || load.start_at.is_none()) {
        bail!(
            "shards need --target and --start-at: all of them ask one server, from one moment on \
             (CALLBENCH_SHARDS makes this process a shard)"
        );
    }
    let plan = Plan {
        scenarios,
        shard,
        start_at: load.start_at,
        seed: load.seed,
        rounds: 1,
        page_size: load.subject.page_size,
        workspace: load.subject.workspace.clone(),
        warm_up: load.warm_up,
        probes: !load.output.no_probes,
        ..plan
    };
    plan.validate()?;
    let needs = Needs {
        variants: &[load.variant],
        writes: plan.scenarios.iter().any(Scenario::writes),
        pool_size: bench::pool_size(&plan),
        crowd: &load.crowd.others,
    };
    let live = Live::open(&load.output.live)?;
    let outcome = async {
        let run = subject::with(home, &load.subject, &needs, stop, async |scene| {
            measure(&load, &plan, scene, &live, stop).await
        })
        .await?;
        results::judge_and_keep(run, limits.as_ref(), &load.output, &live)
    }
    .await;
    live.close(outcome, stop).await
}

/// The shard of a pod of an Indexed Job. The index alone says nothing, since any Indexed Job sets it.
fn of_job(index: Option<String>, of: Option<String>) -> anyhow::Result<Option<Shard>> {
    match (index, of) {
        (_, None) => Ok(None),
        (None, Some(of)) => {
            bail!("CALLBENCH_SHARDS is {of}, but JOB_COMPLETION_INDEX is not set; set both, or give --shard")
        }
        (Some(index), Some(of)) => crate::cli::shard(&format!("{index}/{of}")).map(Some).map_err(|wrong| {
            anyhow::anyhow!("JOB_COMPLETION_INDEX is {index} and CALLBENCH_SHARDS is {of}: {wrong}")
        }),
    }
}

/// What a replay names: one scenario, or the mix that was recorded; nothing without one.
fn replayed(catalogue: &Catalogue, plan: &Plan) -> anyhow::Result<Vec<Scenario>> {
    let Offered::Open(Open { pattern: Pattern::Replayed { replay, .. }, .. }) = &plan.load else {
        return Ok(Vec::new());
    };
    match replay.scenarios() {
        [] => Ok(Vec::new()),
        [one] => Ok(vec![catalogue.find(one)?]),
        several => {
            let weighted = |name: &String| format!("{name}={}", replay.only(name).arrivals());
            let words: Vec<String> = several.iter().map(weighted).collect();
            let mut mix = catalogue.read(&words)?;
            "replay".clone_into(&mut mix[0].name);
            Ok(mix)
        }
    }
}

/// Measures, and puts together what is kept.
async fn measure(
    load: &Load,
    plan: &Plan,
    scene: Scene,
    live: &Live,
    stop: &CancellationToken,
) -> anyhow::Result<Run> {
    let Scene { targets, environment, dataset } = scene;
    let (scenarios, mut warnings) = match (&load.subject.target, &*targets) {
        (Some(_), [target]) => offered(plan.scenarios.clone(), target, live, stop).await?,
        _ => (plan.scenarios.clone(), Vec::new()),
    };
    let plan = Plan { scenarios, ..plan.clone() };
    let started_at = Utc::now();
    let measured = loadgen::measure(&plan, &targets, &live.rounds(&plan, &targets), stop.clone()).await?;
    warnings.extend(measured.warnings);
    let mut kept = plan.kept(&targets);
    if let Some(shard) = &mut kept.shard {
        shard.late_ms = measured.late_ms;
    }
    Ok(Run {
        schema: reports::run::SCHEMA,
        name: results::run_name(&load.output, "load"),
        started_at,
        finished_at: Utc::now(),
        command: results::command_line(),
        complete: measured.complete,
        environment,
        dataset,
        plan: kept,
        subjects: targets.into_iter().map(|target| target.subject).collect(),
        windows: measured.windows,
        work: measured.work,
        probes: measured.probes,
        checks: measured.checks,
        warnings,
        verdicts: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pod_of_a_job_is_a_shard_only_where_it_is_told_how_many_there_are() {
        let of =
            |index: Option<&str>, of: Option<&str>| of_job(index.map(str::to_owned), of.map(str::to_owned));
        assert_eq!(of(None, None).unwrap(), None);
        assert_eq!(of(Some("2"), None).unwrap(), None);
        assert_eq!(of(Some("2"), Some("3")).unwrap(), Some(Shard { index: 2, of: 3 }));
        let wrong = of(None, Some("3")).unwrap_err().to_string();
        assert!(wrong.contains("JOB_COMPLETION_INDEX is not set"), "{wrong}");
        for (index, shards) in [("3", "3"), ("x", "3"), ("0", ""), ("0", "0")] {
            let wrong = of(Some(index), Some(shards)).unwrap_err().to_string();
            assert!(wrong.contains(&format!("is {index} and CALLBENCH_SHARDS is {shards}: ")), "{wrong}");
        }
    }
}
