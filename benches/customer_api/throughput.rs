//! Requests per second of the first page over two connections, beside `pgbench -M prepared` with the same statement.

use std::io::Write;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use tokio::process::Command;

use crate::client::Client;
use crate::reference::Reference;
use crate::tenant::Tenant;
use crate::{Options, quantile};

const CONNECTIONS: usize = 2;
/// Many and short: the machine's own speed drifts from minute to minute.
const ROUNDS: usize = 9;

pub(crate) async fn measure(
    out: &mut impl Write,
    options: &Options,
    database_url: &str,
    tenant: &Tenant,
    server: &Reference,
    list: &str,
) -> anyhow::Result<()> {
    let statement =
        server::first_page_statement(options.variant).context("the variant has no statement of its own")?;
    let script = std::env::temp_dir().join(format!("callbench-page-{}.sql", std::process::id()));
    std::fs::write(&script, statement.replace("$1", " :workspace ").replace("$2", " :size ") + ";\n")?;
    let window = Duration::from_secs(options.seconds.into());
    let mut shares = Vec::new();
    writeln!(out, "\nthroughput, {CONNECTIONS} connections, rounds of {} s", options.seconds)?;
    let outcome = async {
        for round in 1..=ROUNDS {
            let bare = pgbench(database_url, &script, tenant, options).await?;
            let (rate, times) = http(server.address(), list, window).await?;
            shares.push(rate / bare);
            writeln!(
                out,
                "round {round}: pgbench {bare:.0}/s, over HTTP {rate:.0}/s, share {:.2}; HTTP p50 {:.2}, p99 {:.2} ms",
                rate / bare,
                quantile(&times, 0.5),
                quantile(&times, 0.99),
            )?;
        }
        anyhow::Ok(())
    }
    .await;
    std::fs::remove_file(&script)?;
    outcome?;
    shares.sort_by(f64::total_cmp);
    let (resident, peak) = server.memory_mib()?;
    writeln!(out, "share of pgbench, median of {ROUNDS} rounds: {:.2}", quantile(&shares, 0.5))?;
    writeln!(out, "resident memory of the server: {resident:.0} MiB, at most {peak:.0} MiB")?;
    Ok(())
}

/// Transactions per second of the bare statement, under the settings of the server's connections.
async fn pgbench(
    database_url: &str,
    script: &std::path::Path,
    tenant: &Tenant,
    options: &Options,
) -> anyhow::Result<f64> {
    let output = Command::new("pgbench")
        .args(["--no-vacuum", "--protocol=prepared", "--client=2", "--jobs=1"])
        .arg(format!("--time={}", options.seconds))
        .arg(format!("--define=workspace={}", tenant.id))
        .arg(format!("--define=size={}", options.page_size))
        .arg("--file")
        .arg(script)
        .arg(database_url)
        .env(
            "PGOPTIONS",
            "-c plan_cache_mode=force_generic_plan -c jit=off -c max_parallel_workers_per_gather=0",
        )
        .output()
        .await
        .context("pgbench could not be started")?;
    let said = String::from_utf8_lossy(&output.stdout);
    let tps = said.lines().find_map(|line| line.strip_prefix("tps = ")?.split(' ').next()?.parse().ok());
    match tps {
        Some(tps) if output.status.success() => Ok(tps),
        _ => bail!("pgbench failed: {}", String::from_utf8_lossy(&output.stderr)),
    }
}

/// Requests per second in a closed loop, and their sorted service times in milliseconds.
async fn http(address: &str, list: &str, window: Duration) -> anyhow::Result<(f64, Vec<f64>)> {
    let loops = (0..CONNECTIONS).map(|_| async move {
        let mut client = Client::connect(address).await?;
        client.get(list).await?;
        let mut times = Vec::new();
        let begun = Instant::now();
        while begun.elapsed() < window {
            let sent = Instant::now();
            client.get(list).await?;
            times.push(sent.elapsed().as_secs_f64() * 1e3);
        }
        anyhow::Ok((times, begun.elapsed()))
    });
    let mut rate = 0.0;
    let mut all = Vec::new();
    for outcome in futures_util::future::join_all(loops).await {
        let (times, took) = outcome?;
        rate += times.len() as f64 / took.as_secs_f64();
        all.extend(times);
    }
    all.sort_by(f64::total_cmp);
    Ok((rate, all))
}
