//! `callbench load`: one server under load, ours or somebody's.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use chrono::Utc;
use cluster::Mode;
use loadgen::arrivals::Pattern;
use loadgen::conform::Examination;
use loadgen::scenarios::{Catalogue, Scenario};
use loadgen::{Load as Offered, Open, Plan, Shard, Target};
use reports::conformance::SCENARIOS;
use reports::run::{OnOverload, Run, Subject};
use tokio_util::sync::CancellationToken;

use crate::cli::Load;
use crate::commands::{bench, serve};
use crate::dataset;
use crate::environment;
use crate::live::Live;
use crate::place::Place;
use crate::reference::Reference;
use crate::results::{self, Limits};

/// How long a scenario is measured, unless that is given or up to a replay.
const DURATION: Duration = Duration::from_secs(30);

pub(crate) async fn run(home: &Path, load: Load, stop: &CancellationToken) -> anyhow::Result<u8> {
    let limits = load.output.budgets.as_deref().map(|file| Limits::read(Some(file))).transpose()?;
    let plan = bench::plan(&load.pressure, OnOverload::Offer, load.duration, DURATION)?;
    let catalogue = Catalogue::with_files(load.files.iter().map(PathBuf::as_path))?;
    let scenarios = if load.scenarios.is_empty() {
        replayed(&catalogue, &plan)?
    } else {
        catalogue.read(&load.scenarios)?
    };
    let shard = match load.shard {
        Some(shard) => Some(shard),
        None => of_job(std::env::var("JOB_COMPLETION_INDEX").ok(), std::env::var("CALLBENCH_SHARDS").ok())?,
    };
    if shard.is_some() && (load.target.is_none() || load.start_at.is_none()) {
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
        workspace: load.workspace.clone(),
        warm_up: load.warm_up,
        probes: !load.output.no_probes,
        ..plan
    };
    plan.validate()?;
    let live = Live::open(&load.output.live)?;
    let outcome = async {
        let run = match &load.target {
            Some(target) => theirs(&load, target, &plan, &live, stop).await?,
            None => ours(home, &load, &plan, &live, stop).await?,
        };
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

/// A server that is already running; its database is looked at only if its URL was given.
async fn theirs(
    load: &Load,
    base_url: &str,
    plan: &Plan,
    live: &Live,
    stop: &CancellationToken,
) -> anyhow::Result<Run> {
    if let Some(url) = &load.place.database_url {
        migrations::connect(url, "callbench").await?;
    }
    let target = Target {
        subject: Subject { name: "target".to_owned(), level: None, description: base_url.to_owned() },
        base_url: base_url.to_owned(),
        token: load.token.clone(),
        workspace: load.workspace.clone(),
        crowd: load.others.clone(),
        page_size: plan.page_size,
        database_url: load.place.database_url.clone(),
        server_pid: None,
        control: false,
    };
    let (plan, warnings) = offered(load, base_url, plan, live, stop).await?;
    let mut run = measure(load, &plan, target, live, stop).await?;
    run.warnings.splice(0..0, warnings);
    Ok(run)
}

/// The plan without the operations that a server does not offer, and a sentence for each of them. What a file describes is
/// taken as it is.
async fn offered(
    load: &Load,
    base_url: &str,
    plan: &Plan,
    live: &Live,
    stop: &CancellationToken,
) -> anyhow::Result<(Plan, Vec<String>)> {
    let parts = || plan.scenarios.iter().flat_map(|scenario| &scenario.parts);
    let names = parts().map(|part| part.operation.name().to_owned());
    let known: Vec<String> = names.filter(|name| SCENARIOS.contains(&name.as_str())).collect();
    if known.is_empty() {
        return Ok((plan.clone(), Vec::new()));
    }
    let examination = Examination {
        base_url: base_url.to_owned(),
        token: load.token.clone(),
        workspace: load.workspace.clone(),
        other_token: None,
        other_workspace: None,
        employee_token: None,
        writes: false,
        only: Vec::new(),
        scenarios: known,
    };
    let found = tokio::select! {
        () = stop.cancelled() => bail!("interrupted"),
        found = loadgen::conform::conform(&examination, &|_| {}, stop) => found?,
    };
    let mut plan = plan.clone();
    let mut warnings = Vec::new();
    for scenario in &mut plan.scenarios {
        scenario.parts.retain(|part| match found.lacks(part.operation.name()) {
            None => true,
            Some(reason) => {
                let name = part.operation.name();
                let sentence = format!("{name} is left out, because the server does not offer it: {reason}");
                live.warn(&sentence);
                warnings.push(sentence);
                false
            }
        });
    }
    plan.scenarios.retain(|scenario| !scenario.parts.is_empty());
    if plan.scenarios.is_empty() {
        bail!(
            "the server offers none of the scenarios; `callbench conform {base_url}` says what it answers differently"
        );
    }
    Ok((plan, warnings))
}

/// The reference server, started for the purpose.
async fn ours(
    home: &Path,
    load: &Load,
    plan: &Plan,
    live: &Live,
    stop: &CancellationToken,
) -> anyhow::Result<Run> {
    let place = Place::open(home, &load.place, Mode::Serving).await?;
    let outcome = async {
        place.refuse_while_loading()?;
        let level = serve::level_of(load.variant);
        let database_url = if place.is_private() {
            dataset::require(&place).await?;
            dataset::at_level(&place, level, stop).await?
        } else {
            place.url().to_owned()
        };
        let writes = plan.scenarios.iter().any(Scenario::writes);
        let copy = if writes && place.is_private() {
            Some(dataset::copy_for_writing(&place, &database_url).await?)
        } else {
            None
        };
        let database_url = copy.clone().unwrap_or(database_url);
        let server = Reference::start(load.variant, &database_url, bench::pool_size(plan)).await?;
        let target = Target {
            subject: Subject {
                name: load.variant.to_string(),
                level: place.is_private().then(|| level.to_string()),
                description: format!("the reference server, variant {}", load.variant),
            },
            base_url: server.base_url().to_owned(),
            token: load.token.clone(),
            workspace: load.workspace.clone(),
            crowd: load.others.clone(),
            page_size: plan.page_size,
            database_url: Some(database_url),
            server_pid: server.pid(),
            control: false,
        };
        let run = measure(load, plan, target, live, stop).await;
        server.stop().await?;
        if let Some(copy) = copy {
            dataset::drop_copy(&copy).await?;
        }
        let mut run = run?;
        run.dataset = dataset::describe(&place).await?;
        anyhow::Ok(run)
    }
    .await;
    place.close().await?;
    outcome
}

async fn measure(
    load: &Load,
    plan: &Plan,
    target: Target,
    live: &Live,
    stop: &CancellationToken,
) -> anyhow::Result<Run> {
    let started_at = Utc::now();
    let facts = match &target.database_url {
        Some(url) => Some(
            loadgen::probes::facts(url).await.context("the settings of the database could not be read")?,
        ),
        None => None,
    };
    let targets = [target];
    let measured = loadgen::measure(plan, &targets, &live.rounds(plan, &targets), stop.clone()).await?;
    let [target] = targets;
    let mut kept = reports::run::Plan::from(plan);
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
        environment: environment::capture(facts),
        dataset: None,
        plan: kept,
        subjects: vec![target.subject],
        windows: measured.windows,
        work: measured.work,
        probes: measured.probes,
        checks: measured.checks,
        warnings: measured.warnings,
        verdicts: Vec::new(),
    })
}
