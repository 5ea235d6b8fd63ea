//! `callbench bench`: the variants of the reference server against each other, in interleaved rounds; or what criterion has
//! estimated of single functions.

mod estimates;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use chrono::Utc;
use cluster::Mode;
use loadgen::arrivals::{Pattern, Replay};
use loadgen::{Load, Open, Plan, Target};
use migrations::Level;
use reports::run::{OnOverload, Run, Subject};
use server::Variant;
use tokio_util::sync::CancellationToken;

use crate::cli::{Bench, Output, Pressure};
use crate::commands::serve::level_of;
use crate::dataset;
use crate::ending::first_failure;
use crate::environment;
use crate::live::Live;
use crate::place::Place;
use crate::reference::Reference;
use crate::results::{self, Limits};

/// Length of a window, unless it is given or that of a replay.
const WINDOW: Duration = Duration::from_secs(5);

/// The variants that the demo compares, the one to beat first.
pub(crate) const VARIANTS: [Variant; 2] = [Variant::Naive, Variant::Live];

pub(crate) async fn run(home: &Path, bench: Bench, stop: &CancellationToken) -> anyhow::Result<u8> {
    if let Some(folder) = &bench.criterion {
        return estimates::report(folder.as_deref(), &bench.output, stop).await;
    }
    if let Some(twice) = bench
        .variants
        .iter()
        .enumerate()
        .find_map(|(at, variant)| bench.variants[..at].contains(variant).then_some(variant))
    {
        bail!(
            "the variant {twice} is named twice in --variants; equal variants are compared anyway, as the noise floor"
        );
    }
    let limits = Limits::read(bench.output.budgets.as_deref())?;
    let plan = plan(&bench.pressure, OnOverload::Reduce, bench.window, WINDOW)?;
    let plan =
        Plan { rounds: bench.rounds, page_size: bench.page_size, probes: !bench.output.no_probes, ..plan };
    plan.validate()?;
    let live = Live::open(&bench.output.live)?;
    let outcome = async {
        let place = Place::open(home, &bench.place, Mode::Serving).await?;
        let walk = Walk { limits: &limits, output: &bench.output, command: "bench", live: &live };
        let outcome = async {
            dataset::require(&place).await?;
            compare(&place, &bench.variants, &plan, &walk, stop).await
        }
        .await;
        first_failure(outcome, place.close().await)
    }
    .await;
    live.close(outcome, stop).await
}

/// What a comparison is judged by, and where it goes.
pub(crate) struct Walk<'a> {
    pub(crate) limits: &'a Limits,
    pub(crate) output: &'a Output,
    /// The name of the command.
    pub(crate) command: &'static str,
    pub(crate) live: &'a Live,
}

/// The load that was asked for, on both pages of the list, in windows of the length that was asked for, or else that of
/// the replay, or else `usual`.
pub(crate) fn plan(
    pressure: &Pressure,
    on_overload: OnOverload,
    window: Option<Duration>,
    usual: Duration,
) -> anyhow::Result<Plan> {
    let load = load(pressure, on_overload)?;
    Ok(Plan {
        window: window.or(load.length()).unwrap_or(usual),
        load,
        timeout: pressure.timeout,
        workspace: datagen::LARGEST_SLUG.to_owned(),
        ..Plan::default()
    })
}

fn load(pressure: &Pressure, on_overload: OnOverload) -> anyhow::Result<Load> {
    if let Some(users) = pressure.users {
        return Ok(Load::Closed { users: usize::from(users) });
    }
    Ok(Load::Open(Open {
        pattern: pattern(pressure)?,
        max_in_flight: usize::from(pressure.max_in_flight),
        when_busy: pressure.when_busy.into(),
        on_overload,
    }))
}

fn pattern(pressure: &Pressure) -> anyhow::Result<Pattern> {
    Ok(match &pressure.replay {
        Some(file) => Pattern::Replayed { replay: Arc::new(Replay::open(file)?), speed: pressure.speed },
        None => Pattern::Drawn { rate: pressure.rate, process: pressure.arrivals.into() },
    })
}

/// Brings each level up, serves each variant on its level, measures, judges, writes and prints.
pub(crate) async fn compare(
    place: &Place,
    variants: &[Variant],
    plan: &Plan,
    walk: &Walk<'_>,
    stop: &CancellationToken,
) -> anyhow::Result<u8> {
    place.refuse_while_loading()?;
    let started_at = Utc::now();
    let mut levels = Vec::new();
    for &variant in variants {
        levels.push(dataset::at_level(place, level_of(variant), stop).await?);
    }
    if place.is_private() {
        // Dirty pages of the load and of the index builds are written now, not while we measure.
        dataset::checkpoint(place).await?;
    }

    let mut servers = Vec::new();
    let mut targets = Vec::new();
    for (&variant, database_url) in variants.iter().zip(&levels) {
        let server = Reference::start(variant, database_url, pool_size(plan)).await?;
        let is_control = variants.last() == Some(&variant);
        targets.push(target(variant, is_control, &server, database_url, plan));
        servers.push(server);
    }
    let measured = loadgen::measure(plan, &targets, &walk.live.rounds(plan, &targets), stop.clone()).await;
    let mut measured = measured.map_err(Into::into);
    for server in servers {
        measured = first_failure(measured, server.stop().await);
    }
    let measured = measured?;

    let run = Run {
        schema: reports::run::SCHEMA,
        name: results::run_name(walk.output, walk.command),
        started_at,
        finished_at: Utc::now(),
        command: results::command_line(),
        complete: measured.complete,
        environment: environment::capture(facts(place).await?),
        dataset: dataset::describe(place).await?,
        plan: plan.kept(&targets),
        subjects: targets.into_iter().map(|target| target.subject).collect(),
        windows: measured.windows,
        work: measured.work,
        probes: measured.probes,
        checks: measured.checks,
        warnings: measured.warnings,
        verdicts: Vec::new(),
    };
    results::judge_and_keep(run, Some(walk.limits), walk.output, walk.live)
}

fn target(variant: Variant, is_control: bool, server: &Reference, database_url: &str, plan: &Plan) -> Target {
    let level = level_of(variant);
    let token = datagen::entities::staff::ADMIN_TOKEN;
    let target = Target::new(&variant.to_string(), server.base_url(), token, &plan.workspace);
    Target {
        subject: Subject {
            level: Some(level.to_string()),
            description: describe(variant, level).to_owned(),
            ..target.subject
        },
        page_size: plan.page_size,
        database_url: Some(database_url.to_owned()),
        server_pid: server.pid(),
        control: is_control,
        ..target
    }
}

fn describe(variant: Variant, level: Level) -> &'static str {
    match (variant, level) {
        (Variant::Naive, _) => {
            "OFFSET, COUNT(*) and a query per related value (N+1), on the single-column indexes of production"
        }
        (Variant::Live, _) => {
            "one statement a page by keyset, aggregates computed from the calls at read time"
        }
        (Variant::Rollup, _) => {
            "one statement a page by keyset, lifetime totals from a table that triggers keep"
        }
    }
}

/// A connection for each request that may be in flight, within what one server should hold.
pub(crate) fn pool_size(plan: &Plan) -> u32 {
    u32::try_from(plan.workers().clamp(4, 32)).unwrap_or(32)
}

async fn facts(place: &Place) -> anyhow::Result<Option<reports::run::DatabaseFacts>> {
    Ok(Some(
        loadgen::probes::facts(place.url())
            .await
            .context("the settings of the database could not be read")?,
    ))
}
