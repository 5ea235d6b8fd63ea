//! `callbench demo`: the whole walk in the private cluster, with nothing to decide.

use std::path::Path;
use std::time::Duration;

use loadgen::Plan;
use tokio_util::sync::CancellationToken;

use crate::cli::{self, Demo};
use crate::commands::bench;
use crate::dataset;
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
    let chosen = cli::Place { database_url: None, scale };
    let place = Place::open(home, &chosen).await?;
    let outcome = async {
        dataset::ensure(&place, scale, stop).await?;
        bench::compare(&place, &plan, &limits, &demo.output, "demo", stop).await
    }
    .await;
    place.close().await?;
    outcome
}
