//! `callbench growth`: times and buffers against the number of customers.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, bail};
use chrono::{DateTime, Utc};
use cluster::{Mode, databases};
use datagen::Spec;
use indicatif::HumanBytes;
use loadgen::curves::Points;
use loadgen::scenarios::Scenario;
use loadgen::{Load, Measured, Plan};
use migrations::Level;
use reports::curves::{Axis, Curve, SCHEMA};
use reports::run::{Check, Environment, Subject};
use tokio_util::sync::CancellationToken;

use crate::cli::Growth;
use crate::commands::subject::{self, Asking, Needs, Scene};
use crate::commands::{depth, serve};
use crate::dataset;
use crate::environment;
use crate::place::Place;
use crate::progress::LoadProgress;
use crate::results;

/// Connections of a server that is asked one thing at a time.
const POOL_SIZE: u32 = 4;

/// Workspaces of each dataset; all but the largest share a fifth as many customers.
const WORKSPACES: u32 = 5;

/// Room beside the rows: indexes of the levels above `before`, write-ahead log, sort files.
const DISK_FACTOR: f64 = 1.5;

/// What has been measured so far.
#[derive(Default)]
struct Grown {
    points: Points,
    checks: Vec<Check>,
    warnings: Vec<String>,
    subjects: Vec<Subject>,
    environment: Option<Environment>,
}

pub(crate) async fn run(home: &Path, asked: Growth, stop: &CancellationToken) -> anyhow::Result<u8> {
    let started_at = Utc::now();
    let plan = plan(&asked)?;
    let mut sizes = asked.customers.clone();
    sizes.sort_unstable();
    sizes.dedup();
    let as_of = dataset::today();
    refuse_full_disk(home, &asked, &sizes, as_of)?;
    let mut grown = Grown::default();
    let mut complete = true;
    for customers in sizes {
        complete = match at_size(home, &asked, &plan, customers, as_of, &mut grown, stop).await {
            // What was measured before is kept.
            Err(_) if stop.is_cancelled() && grown.environment.is_some() => false,
            outcome => outcome?,
        };
        if !complete {
            break;
        }
    }
    let names: Vec<String> = asked.variants.iter().map(ToString::to_string).collect();
    let curve = Curve {
        schema: SCHEMA,
        name: depth::name(&asked.kept, Axis::Customers),
        started_at,
        finished_at: Utc::now(),
        command: results::command_line(),
        complete,
        environment: grown.environment.unwrap_or_else(|| environment::capture(None)),
        axis: Axis::Customers,
        workspace: plan.workspace.clone(),
        page_size: plan.page_size,
        subjects: grown.subjects,
        series: grown.points.series(&names),
        checks: grown.checks,
        warnings: grown.warnings,
    };
    depth::keep_and_print(&curve, &asked.kept)
}

fn plan(asked: &Growth) -> anyhow::Result<Plan> {
    let scenarios = asked.described.catalogue()?.read(&asked.scenarios)?;
    if let Some(writing) = scenarios.iter().find(|scenario| scenario.writes()) {
        bail!(
            "{} changes rows, and a size has to stay as it is while it is measured; choose scenarios that read",
            writing.name
        );
    }
    let plan = Plan {
        scenarios,
        rounds: asked.rounds,
        window: asked.window,
        warm_up: Duration::from_millis(500),
        load: Load::Closed { users: 1 },
        page_size: asked.page_size,
        workspace: datagen::LARGEST_SLUG.to_owned(),
        ..Plan::default()
    };
    plan.validate()?;
    Ok(plan)
}

fn spec(asked: &Growth, customers: u64, as_of: DateTime<Utc>) -> Spec {
    let calls = customers.saturating_mul(asked.calls_per_customer);
    Spec::custom(customers, calls, WORKSPACES, datagen::DEFAULT_SEED, as_of)
}

/// Levels other than the one that is seeded: each is a copy of it.
fn clones(asked: &Growth) -> u64 {
    let mut levels: Vec<Level> = asked.variants.iter().map(|variant| serve::level_of(*variant)).collect();
    levels.retain(|level| *level != Level::Before);
    levels.sort_unstable();
    levels.dedup();
    levels.len() as u64
}

/// Refuses sizes that the disk can't hold before the first is seeded: with `--keep` all of them together, else the greatest.
fn refuse_full_disk(home: &Path, asked: &Growth, sizes: &[u64], as_of: DateTime<Utc>) -> anyhow::Result<()> {
    let mut each = Vec::new();
    for customers in sizes {
        let loading = dataset::loading(true, 1);
        let plan = datagen::plan(&spec(asked, *customers, as_of), Level::Before, &loading)?;
        each.push(plan.disk_bytes().saturating_mul(1 + clones(asked)));
    }
    let bytes = if asked.keep { each.iter().sum() } else { each.iter().max().copied().unwrap_or(0) };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an estimate in bytes")]
    let needed = (bytes as f64 * DISK_FACTOR) as u64;
    std::fs::create_dir_all(home).with_context(|| format!("{} can't be created", home.display()))?;
    let free = databases::free_bytes(home)?;
    if needed > free {
        bail!(
            "these sizes need about {} and the disk of {} has {} free; ask for fewer --customers, fewer \
             --calls-per-customer, or another folder with --home",
            HumanBytes(needed),
            home.display(),
            HumanBytes(free)
        );
    }
    Ok(())
}

/// Seeds one size, measures it, and drops it again. False when it was interrupted.
async fn at_size(
    home: &Path,
    asked: &Growth,
    plan: &Plan,
    customers: u64,
    as_of: DateTime<Utc>,
    grown: &mut Grown,
    stop: &CancellationToken,
) -> anyhow::Result<bool> {
    let name = format!("callbench_growth_{customers}");
    let place = Place::own(home, name.clone(), Mode::Loading).await?;
    let spec = spec(asked, customers, as_of);
    let options = datagen::Options { stop: stop.clone(), drop: true, ..datagen::Options::default() };
    let loading = dataset::loading(true, options.connections);
    let options = datagen::Options { grain: loading.grain, ..options };
    let seeding = datagen::plan(&spec, Level::Before, &loading)?;
    let seeded = dataset::seed(&place, &spec, Level::Before, &seeding, &options).await;
    if let Err(error) = seeded {
        drop_all(&place, asked).await?;
        place.close().await?;
        return Err(error);
    }
    let place = place.serving().await?;
    let outcome = measure(&place, asked, plan, customers, grown, stop).await;
    drop_all(&place, asked).await?;
    place.close().await?;
    outcome
}

/// Drops the databases of a size, unless they are to be kept.
async fn drop_all(place: &Place, asked: &Growth) -> anyhow::Result<()> {
    if asked.keep {
        return Ok(());
    }
    for variant in &asked.variants {
        databases::drop(&place.level_url(serve::level_of(*variant))?).await?;
    }
    databases::drop(place.url()).await?;
    Ok(())
}

async fn measure(
    place: &Place,
    asked: &Growth,
    plan: &Plan,
    customers: u64,
    grown: &mut Grown,
    stop: &CancellationToken,
) -> anyhow::Result<bool> {
    let asking = Asking {
        token: datagen::entities::staff::ADMIN_TOKEN.to_owned(),
        workspace: plan.workspace.clone(),
        page_size: plan.page_size,
    };
    let needs = Needs { variants: &asked.variants, writes: false, pool_size: POOL_SIZE, crowd: &[] };
    subject::serving(place, &asking, &needs, stop, async |scene| {
        let Scene { targets, environment, .. } = scene;
        eprintln!("measure {customers} customers");
        let progress = LoadProgress::new(plan, &targets);
        let measured = loadgen::measure(plan, &targets, &progress, stop.clone()).await?;
        let complete = measured.complete;
        grown.environment = Some(environment);
        grown.subjects = targets.into_iter().map(|target| target.subject).collect();
        grown.add(measured, &plan.scenarios, customers);
        Ok(complete)
    })
    .await
}

impl Grown {
    fn add(&mut self, measured: Measured, scenarios: &[Scenario], customers: u64) {
        // The parts of a mix are windows too; the curve is that of the whole.
        let is_whole = |operation: &str| scenarios.iter().any(|scenario| scenario.name == operation);
        self.points
            .add(&measured, |operation| is_whole(operation).then(|| (operation.to_owned(), customers)));
        let with_size = |sentence: String| format!("at {customers} customers: {sentence}");
        self.warnings.extend(measured.warnings.into_iter().map(with_size));
        self.checks.extend(
            measured
                .checks
                .into_iter()
                .map(|check| Check { name: format!("{} ({customers} customers)", check.name), ..check }),
        );
    }
}
