//! The reference server on a large tenant: how fast it is beside the bare statement, whether depth matters, and what the
//! worst filters cost.
//!
//! Needs a database with a dataset, at the level that the variant is measured on, and `pgbench`:
//!
//! ```text
//! callbench seed --scale enterprise --level optimized && callbench db start
//! cargo bench --bench customer_api -- --database-url "$(callbench db url --scale enterprise)"
//! ```
//!
//! The server is the release binary as a child process; the client is a bare socket on the same machine, because a whole
//! HTTP client would take more of the two cores than the server does. All requests are warm: each is sent before it is
//! timed. Times are service times, in milliseconds.

use std::io::Write as _;

use anyhow::{Context as _, bail};
use clap::Parser;
use server::Variant;

mod client;
mod depth;
mod filters;
mod reference;
mod tenant;
mod throughput;

use client::Client;
use reference::Reference;
use tenant::Tenant;

/// What to measure, and where.
#[derive(Debug, Parser)]
struct Options {
    /// The database, with a dataset in it.
    #[arg(long, env = "CALLBENCH_DATABASE_URL")]
    database_url: Option<String>,
    /// The variant of the server.
    #[arg(long, default_value_t = Variant::Rollup)]
    variant: Variant,
    /// Slug of the workspace.
    #[arg(long, default_value = datagen::LARGEST_SLUG)]
    workspace: String,
    /// Rows of a page.
    #[arg(long, default_value_t = 50)]
    page_size: u32,
    /// Only these parts.
    #[arg(long, value_delimiter = ',', default_values = ["throughput", "depth", "filters"])]
    only: Vec<String>,
    /// Seconds of each of the nine rounds of throughput, of each side.
    #[arg(long, default_value_t = 5)]
    seconds: u32,
    /// Passed by cargo; means nothing here.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> anyhow::Result<()> {
    let is_for_this = std::env::args().any(|word| word.starts_with("--database-url"));
    let options = match Options::try_parse() {
        Ok(options) => options,
        Err(error) if error.use_stderr() && !is_for_this => {
            // `cargo bench -- --test` and the like speak to criterion's benches.
            eprintln!("customer_api: skipped; what was asked for is not for it (see --help)");
            return Ok(());
        }
        Err(error) => error.exit(),
    };
    let Some(database_url) = &options.database_url else {
        // `cargo bench` runs every bench; this one has nothing to run on.
        eprintln!("customer_api: skipped; give it a dataset with --database-url (see the head of the file)");
        return Ok(());
    };
    let parts = ["throughput", "depth", "filters"];
    if let Some(unknown) = options.only.iter().find(|part| !parts.contains(&part.as_str())) {
        bail!("there is no part `{unknown}`; the parts are {}", parts.join(", "));
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(measure(&options, database_url))
}

async fn measure(options: &Options, database_url: &str) -> anyhow::Result<()> {
    let tenant = Tenant::of(database_url, &options.workspace).await?;
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "variant {}, workspace {} with {} customers, pages of {}, PostgreSQL {}, warm",
        options.variant, options.workspace, tenant.customers, options.page_size, tenant.server_version
    )?;
    let server = Reference::start(options.variant, database_url).await?;
    let connect = || Client::connect(server.address());
    let mut client = connect().await?;
    let list =
        format!("/api/v1/customers/?workspace_id={}&page_size={}", options.workspace, options.page_size);
    let first = client.get(&list).await.context("the first page")?;
    writeln!(out, "first page: {} rows, {} bytes", first.rows()?, first.body.len())?;
    for part in &options.only {
        match part.as_str() {
            "throughput" => {
                throughput::measure(&mut out, options, database_url, &tenant, &server, &list).await?;
            }
            // A new connection for each part: the server closes one that was idle for long.
            "depth" => depth::measure(&mut out, &mut connect().await?, &list).await?,
            _ => filters::measure(&mut out, &mut connect().await?, &list, &tenant).await?,
        }
    }
    server.stop().await
}

/// The value at a quantile of sorted samples: the smallest that at least this share of them does not exceed.
fn quantile(sorted: &[f64], q: f64) -> f64 {
    let rank = (q * sorted.len() as f64).ceil().max(1.0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rank within the samples")]
    sorted.get(rank as usize - 1).copied().unwrap_or(f64::NAN)
}

/// Service times of this many requests, in milliseconds, sorted. The first one is not counted.
async fn times(client: &mut Client, path: &str, requests: usize) -> anyhow::Result<Vec<f64>> {
    client.get(path).await?;
    let mut times = Vec::with_capacity(requests);
    for _ in 0..requests {
        let begun = std::time::Instant::now();
        client.get(path).await?;
        times.push(begun.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    Ok(times)
}
