//! `callbench conform`: what a server answers differently from the contract.

use std::io::IsTerminal as _;
use std::path::Path;

use anyhow::Context as _;
use cluster::Mode;
use loadgen::conform::{Examination, Progress, conform};
use reports::conformance::Conformance;
use tokio_util::sync::CancellationToken;

use crate::cli::Conform;
use crate::commands::serve;
use crate::dataset;
use crate::ending::first_failure;
use crate::place::Place;
use crate::progress::CheckProgress;
use crate::reference::Reference;
use crate::results;
use crate::stop::{INTERRUPTED, Interrupted};

/// Connections of a server that is asked one thing at a time.
const POOL_SIZE: u32 = 4;

pub(crate) async fn run(home: &Path, asked: Conform, stop: &CancellationToken) -> anyhow::Result<u8> {
    let conformance = match &asked.url {
        Some(base_url) => examine(&asked, base_url, stop).await?,
        None => ours(home, &asked, stop).await?,
    };
    if asked.json {
        let document =
            serde_json::to_string_pretty(&conformance).context("the result could not be written")?;
        results::put(&format!("{document}\n"))?;
    } else {
        results::put(&reports::conformance::terminal::table(&conformance, std::io::stdout().is_terminal()))?;
    }
    Ok(if stop.is_cancelled() { INTERRUPTED } else { conformance.exit_code() })
}

/// The reference server, started for the purpose.
async fn ours(home: &Path, asked: &Conform, stop: &CancellationToken) -> anyhow::Result<Conformance> {
    let place = Place::open(home, &asked.place, Mode::Serving).await?;
    let outcome = async {
        place.refuse_while_loading()?;
        dataset::require(&place).await?;
        let level = asked.level.unwrap_or_else(|| serve::level_of(asked.variant));
        // A URL is taken as it is.
        let database_url = if place.is_private() {
            dataset::at_level(&place, level, stop).await?
        } else {
            place.url().to_owned()
        };
        let running = Reference::start(asked.variant, &database_url, POOL_SIZE).await?;
        let conformance = examine(asked, running.base_url(), stop).await;
        first_failure(conformance, running.stop().await)
    }
    .await;
    first_failure(outcome, place.close().await)
}

async fn examine(asked: &Conform, base_url: &str, stop: &CancellationToken) -> anyhow::Result<Conformance> {
    let examination = Examination {
        base_url: base_url.to_owned(),
        token: asked.token.clone(),
        workspace: asked.workspace.clone(),
        other_token: asked.other_token.clone(),
        other_workspace: asked.other_workspace.clone(),
        employee_token: asked.employee_token.clone(),
        writes: asked.writes,
        only: asked.only.clone(),
        scenarios: Vec::new(),
    };
    let progress = CheckProgress::new();
    let on = |made: &Progress<'_>| progress.on(made);
    let conformance = conform(&examination, &on, stop);
    // What only reads can be left at any moment; what writes ends its check first, and deletes what it has made.
    let conformance = tokio::select! {
        () = stop.cancelled(), if !asked.writes => return Err(Interrupted.into()),
        conformance = conformance => conformance,
    };
    progress.finish();
    Ok(conformance?)
}
