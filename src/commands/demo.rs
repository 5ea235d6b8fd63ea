//! `callbench demo`: the whole walk in the private cluster, with nothing to decide.

use std::path::Path;
use std::time::Duration;

use cluster::Mode;
use loadgen::Plan;
use tokio_util::sync::CancellationToken;

use crate::cli::{self, Demo};
use crate::commands::bench::{self, Walk};
use crate::dataset;
use crate::ending::first_failure;
use crate::live::Live;
use crate::place::Place;
use crate::results::Limits;

pub(crate) async fn run(home: &Path, demo: Demo, stop: &CancellationToken) -> anyhow::Result<u8> {
    let limits = Limits::read(demo.output.budgets.as_deref())?;
    let (scale, plan) = if demo.quick {
        // Pages of 10, so that 2,000 customers have a page 100; windows that hold 300 requests of each pass in all, because a
        // p99 needs 299.
        let quick = Plan { window: Duration::from_secs(1), page_size: 10, ..Plan::default() };
        (cli::Scale::Tiny, quick)
    } else {
        // A p99 needs 299 requests of a pass, and a second holds 50. A variant that needs seconds for an answer gets one
        // request a round, and six rounds.
        let window = Duration::from_secs(1);
        (cli::Scale::Demo, Plan { window, longest_window: window, ..Plan::default() })
    };
    let plan = Plan { probes: !demo.output.no_probes, ..plan };
    let live = Live::open(&demo.output.live)?;
    let outcome = async {
        let chosen = cli::Place { database_url: None, scale };
        let place = filled(Place::open(home, &chosen, Mode::Serving).await?, scale, stop).await?;
        let walk = Walk { limits: &limits, output: &demo.output, command: "demo", live: &live };
        let outcome = bench::compare(&place, &bench::VARIANTS, &plan, &walk, stop).await;
        first_failure(outcome, place.close().await)
    }
    .await;
    live.close(outcome, stop).await
}

/// The place with its rows, in the mode that is measured. Only where rows are missing is it left for a while: a load that
/// takes minutes is worth two restarts, and a second demo needs none.
async fn filled(place: Place, scale: cli::Scale, stop: &CancellationToken) -> anyhow::Result<Place> {
    let place = match dataset::present(&place).await {
        Ok(Some(present)) if present.is_complete() => place,
        Ok(_) => place.loading().await?,
        Err(error) => return left(place, error).await,
    };
    match dataset::ensure(&place, scale, stop).await {
        Ok(()) => place.serving().await,
        Err(error) => left(place, error).await,
    }
}

/// Leaves the place in order, and passes on why.
async fn left(place: Place, error: anyhow::Error) -> anyhow::Result<Place> {
    first_failure(Err(error), place.close().await)
}
