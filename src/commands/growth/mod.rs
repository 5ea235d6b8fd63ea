//! `callbench growth`: times and buffers against the number of customers.

mod seeded;
mod workspaces;

use std::path::Path;
use std::time::Duration;

use anyhow::bail;
use chrono::Utc;
use loadgen::curves::Points;
use loadgen::{Load, Plan};
use reports::curves::{Axis, Curve, SCHEMA};
use reports::run::{Check, Environment, Subject};
use tokio_util::sync::CancellationToken;

use crate::cli::Growth;
use crate::commands::depth;
use crate::commands::subject::{Needs, Scene};
use crate::environment;
use crate::live::Live;
use crate::results;
use crate::stop::is_interruption;

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
    let plan = plan(&asked)?;
    if asked.target.is_none() && asked.database_url.is_some() {
        eprintln!(
            "note: the sizes are seeded in the private cluster; --database-url is for the database of a --target"
        );
    }
    let live = Live::open(&asked.kept.live)?;
    let outcome = async {
        let curve = grow(home, &asked, plan, &live, stop).await?;
        depth::keep_and_print(&curve, &asked.kept, &live)
    }
    .await;
    live.close(outcome, stop).await
}

/// Measures one size after the other.
async fn grow(
    home: &Path,
    asked: &Growth,
    plan: Plan,
    live: &Live,
    stop: &CancellationToken,
) -> anyhow::Result<Curve> {
    let started_at = Utc::now();
    let mut grown = Grown::default();
    let outcome = match &asked.target {
        Some(base_url) => workspaces::measure(base_url, asked, &plan, &mut grown, live, stop).await,
        None => seeded::measure(home, asked, &plan, &mut grown, live, stop).await,
    };
    let complete = match outcome {
        // What was measured before is kept.
        Err(error) if stop.is_cancelled() && grown.environment.is_some() => {
            if !is_interruption(&error) {
                let sentence = format!("{error:#}");
                live.warn(&sentence);
                grown.warnings.push(sentence);
            }
            false
        }
        outcome => outcome?,
    };
    let names: Vec<String> = grown.subjects.iter().map(|subject| subject.name.clone()).collect();
    let workspaces: Vec<&str> = asked.workspaces.iter().map(|one| one.name.as_str()).collect();
    Ok(Curve {
        schema: SCHEMA,
        name: depth::name(&asked.kept, Axis::Customers),
        started_at,
        finished_at: Utc::now(),
        command: results::command_line(),
        complete,
        environment: grown.environment.unwrap_or_else(|| environment::capture(None)),
        axis: Axis::Customers,
        workspace: if workspaces.is_empty() { plan.workspace } else { workspaces.join(", ") },
        page_size: plan.page_size,
        subjects: grown.subjects,
        series: grown.points.series(&names),
        checks: grown.checks,
        warnings: grown.warnings,
    })
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

/// What is asked of a server, one request after another.
fn needs(asked: &Growth) -> Needs<'_> {
    Needs { variants: &asked.variants, writes: false, pool_size: depth::POOL_SIZE, crowd: &[] }
}

impl Grown {
    /// Measures one size. False when it was interrupted.
    async fn measure(
        &mut self,
        scene: Scene,
        plan: &Plan,
        customers: u64,
        live: &Live,
        stop: &CancellationToken,
    ) -> anyhow::Result<bool> {
        let Scene { targets, environment, .. } = scene;
        eprintln!("measure {customers} customers");
        let measured = loadgen::measure(plan, &targets, &live.rounds(plan, &targets), stop.clone()).await?;
        self.environment = Some(environment);
        self.subjects = targets.into_iter().map(|target| target.subject).collect();
        // The parts of a mix are windows too; the curve is that of the whole.
        let is_whole = |operation: &str| plan.scenarios.iter().any(|scenario| scenario.name == operation);
        self.points
            .add(&measured, |operation| is_whole(operation).then(|| (operation.to_owned(), customers)));
        let with_size = |sentence: String| format!("at {customers} customers: {sentence}");
        self.warnings.extend(measured.warnings.into_iter().map(with_size));
        let with_size =
            |check: Check| Check { name: format!("{} ({customers} customers)", check.name), ..check };
        self.checks.extend(measured.checks.into_iter().map(with_size));
        Ok(measured.complete)
    }
}
