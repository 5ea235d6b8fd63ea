//! `callbench db`: the private PostgreSQL, and the schema of any database.

use std::path::Path;

use anyhow::bail;
use cluster::{Cluster, Mode, Options, Status, databases};
use migrations::Level;
use tokio_util::sync::CancellationToken;

use crate::cli::{Db, Scale};
use crate::dataset;
use crate::ending::first_failure;
use crate::place::{self, Place};
use crate::results;

pub(crate) async fn run(home: &Path, db: Db, stop: &CancellationToken) -> anyhow::Result<u8> {
    match db {
        Db::Start { port } => start(home, port).await?,
        Db::Stop => {
            let stopped = cluster::stop(&Options::new(home)).await?;
            println!("{}", if stopped { "stopped" } else { "it was not running" });
        }
        Db::Url { scale, level } => url(home, scale, level).await?,
        Db::Status { json } => status(home, json).await?,
        Db::Migrate { to, place } => {
            let place = Place::open(home, &place, Mode::Serving).await?;
            let outcome = migrate(&place, to, stop).await;
            first_failure(outcome, place.close().await)?;
            println!("at level {to}");
        }
        Db::Verify(verify) => return super::verify::run(home, verify, stop).await,
    }
    Ok(0)
}

/// A dataset whose load broke off has its indexes set aside; they come back with the next load, not by a migration.
async fn migrate(place: &Place, to: Level, stop: &CancellationToken) -> anyhow::Result<()> {
    if dataset::present(place).await?.is_some_and(|present| !present.is_complete()) {
        bail!(
            "the dataset is incomplete, because its load was interrupted; go on with it first: callbench seed"
        );
    }
    dataset::migrate(place.url(), to, stop).await
}

async fn start(home: &Path, port: Option<u16>) -> anyhow::Result<()> {
    let options = Options { port, stay: true, ..Options::new(home) };
    let cluster = Cluster::start(&options).await?;
    for note in cluster.notes() {
        eprintln!("note: {note}");
    }
    println!("{}", cluster.url("postgres"));
    cluster.release().await?;
    Ok(())
}

async fn url(home: &Path, scale: Scale, level: Level) -> anyhow::Result<()> {
    let status = cluster::status(&Options::new(home)).await?;
    if !status.running {
        bail!("the private PostgreSQL is not running; start it with: callbench db start");
    }
    let cluster = Cluster::start(&Options::new(home)).await?;
    let url = place::level_url(&cluster.url(&place::database_name(scale)), level)?;
    let exists = databases::exists(&url).await;
    cluster.release().await?;
    if !exists? {
        bail!(
            "there is no such dataset yet; load one with: callbench seed (levels above before: callbench bench)"
        );
    }
    println!("{url}");
    Ok(())
}

fn as_json(status: &Status) -> serde_json::Value {
    serde_json::json!({
        "running": status.running,
        "staying": status.staying,
        "port": status.port,
        "pid": status.pid,
        "users": status.users,
        "version": status.binaries.as_ref().map(|binaries| binaries.version.clone()),
        "bin": status.binaries.as_ref().map(|binaries| binaries.folder.clone()),
        "data": status.data_folder,
        "log": status.log,
        "size_bytes": status.size_bytes,
    })
}

fn as_text(status: &Status) -> String {
    let unknown = || "none".to_owned();
    let state = match (status.running, status.staying) {
        (false, _) => "not running".to_owned(),
        (true, true) => "running until `callbench db stop`".to_owned(),
        (true, false) => format!("running for {} process(es)", status.users.len()),
    };
    let port = status.port.map_or_else(unknown, |port| port.to_string());
    let version = match &status.binaries {
        Some(binaries) => format!("PostgreSQL {} in {}", binaries.version, binaries.folder.display()),
        None => "no PostgreSQL 15 or newer found".to_owned(),
    };
    format!(
        "state    {state}\nprogram  {version}\nport     {port}\ndata     {} ({})\nlog      {}\n",
        status.data_folder.display(),
        indicatif::HumanBytes(status.size_bytes),
        status.log.display(),
    )
}

async fn status(home: &Path, json: bool) -> anyhow::Result<()> {
    let status = cluster::status(&Options::new(home)).await?;
    if json {
        results::put(&format!("{}\n", serde_json::to_string_pretty(&as_json(&status))?))?;
    } else {
        results::put(&as_text(&status))?;
    }
    Ok(())
}
