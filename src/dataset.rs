//! The dataset of a place: is it there, is it whole, and at which levels.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use chrono::{DateTime, NaiveTime, Utc};
use cluster::databases;
use datagen::{Grain, Loading, Plan, Present, Seeded, Spec};
use indicatif::{HumanBytes, HumanCount};
use migrations::Level;
use reports::run::{Dataset, Phase, TableRows};
use sqlx::PgConnection;
use tokio_util::sync::CancellationToken;

use crate::cli;
use crate::place::Place;
use crate::progress::{SeedProgress, Steps};
use crate::stop::Interrupted;

/// The name of this program in `pg_stat_activity`.
const APPLICATION: &str = "callbench";

/// How long a process waits while another one clones.
const PATIENCE: Duration = Duration::from_mins(10);

/// Room that a load needs beside its rows: write-ahead log and the sort files of index builds.
const DISK_FACTOR: f64 = 1.3;

/// Refuses a database on another machine, without a connection to it.
pub(crate) fn refuse_other_machine(url: &str) -> anyhow::Result<()> {
    if !databases::is_local(url)? {
        bail!(
            "the database is on another machine, and a load is heavy on it; nothing was changed; allow it with \
             --force, or seed a database on this machine"
        );
    }
    Ok(())
}

/// Refuses a load that does not fit the disk, where the disk can be looked at: that of the private cluster, or that of a
/// server on this machine which tells where its data lie.
async fn refuse_full_disk(place: &Place, plan: &Plan, present_bytes: u64) -> anyhow::Result<()> {
    let folder = match place.data_folder() {
        Some(folder) => folder,
        None => match data_folder_of_server(place).await? {
            Some(folder) => folder,
            None => return Ok(()),
        },
    };
    let free = databases::free_bytes(&folder)?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an estimate in bytes")]
    let needed = ((plan.disk_bytes() as f64 * DISK_FACTOR) as u64).saturating_sub(present_bytes);
    if needed > free {
        bail!(
            "the dataset needs about {} and the disk of {} has {} free; free some, choose a smaller --scale, or \
             another folder with --home",
            HumanBytes(needed),
            folder.display(),
            HumanBytes(free),
        );
    }
    Ok(())
}

/// The data folder of a server on this machine; `None` if it does not tell, or lies elsewhere.
async fn data_folder_of_server(place: &Place) -> anyhow::Result<Option<PathBuf>> {
    if !databases::is_local(place.url())? {
        return Ok(None);
    }
    let mut conn = migrations::connect(place.url(), APPLICATION).await?;
    // Only superusers and members of pg_read_all_settings are told.
    let folder: Option<String> =
        sqlx::query_scalar("SELECT setting FROM pg_settings WHERE name = 'data_directory'")
            .fetch_optional(&mut conn)
            .await
            .context("the settings of the server could not be read")?;
    Ok(folder.map(PathBuf::from).filter(|folder| folder.is_dir()))
}

/// Today at midnight, UTC: the default "now" of the rows.
pub(crate) fn today() -> DateTime<Utc> {
    Utc::now().date_naive().and_time(NaiveTime::MIN).and_utc()
}

/// The specification of a named scale.
pub(crate) fn spec(scale: cli::Scale, seed: u64, as_of: DateTime<Utc>) -> anyhow::Result<Spec> {
    let scale = match scale {
        cli::Scale::Tiny => datagen::Scale::Tiny,
        cli::Scale::Dev => datagen::Scale::Dev,
        cli::Scale::Demo => datagen::Scale::Demo,
        cli::Scale::Enterprise => datagen::Scale::Enterprise,
        cli::Scale::Custom => {
            bail!("the sizes of a custom dataset are given by --customers, --calls and --workspaces")
        }
    };
    Ok(Spec::of(scale, seed, as_of))
}

/// How rows are loaded into a place: fast and without a log where the server is ours, chunk by chunk elsewhere.
pub(crate) fn loading(is_private: bool, connections: usize) -> Loading {
    Loading { connections, grain: if is_private { Grain::Table } else { Grain::Chunk } }
}

/// Seeds the scale, unless the place already holds it.
pub(crate) async fn ensure(place: &Place, scale: cli::Scale, stop: &CancellationToken) -> anyhow::Result<()> {
    let spec = spec(scale, datagen::DEFAULT_SEED, today())?;
    let mut options = datagen::Options { stop: stop.clone(), ..datagen::Options::default() };
    let loading = loading(place.is_private(), options.connections);
    options.grain = loading.grain;
    let plan = datagen::plan(&spec, Level::Before, &loading)?;
    match seed(place, &spec, Level::Before, &plan, &options).await? {
        Seeded::AlreadyThere(present) => eprintln!("Dataset found: {}", present.spec),
        Seeded::Loaded(present) => {
            let rows: u64 = present.tables.iter().map(|table| table.rows).sum();
            eprintln!("Dataset loaded: {} rows in {:.1} s", HumanCount(rows), present.seconds());
        }
    }
    Ok(())
}

/// Seeds a place, with the plan checked against the free disk first.
pub(crate) async fn seed(
    place: &Place,
    spec: &Spec,
    level: Level,
    plan: &Plan,
    options: &datagen::Options,
) -> anyhow::Result<Seeded> {
    if present(place).await?.is_none_or(|present| !present.is_complete()) {
        refuse_full_disk(place, plan, databases::size_bytes(place.url()).await?).await?;
    }
    let progress = SeedProgress::new(plan.phases());
    Ok(datagen::seed(&place.bulk_url(), spec, level, options, &progress).await?)
}

/// What the place holds, complete or not.
pub(crate) async fn present(place: &Place) -> anyhow::Result<Option<Present>> {
    let mut conn = migrations::connect(place.url(), APPLICATION).await?;
    Ok(datagen::present(&mut conn).await?)
}

/// A dataset that is missing, incomplete or at another level than `before` can't be measured.
pub(crate) async fn require(place: &Place) -> anyhow::Result<Present> {
    match present(place).await? {
        None => bail!("the database holds no dataset; load one with: callbench seed"),
        Some(present) if !present.is_complete() => {
            bail!(
                "the dataset is incomplete, because its load was interrupted; go on with it by the same command: callbench \
                 seed"
            )
        }
        Some(present) if !present.spec.only.is_empty() => {
            bail!(
                "the dataset has some of its tables only ({}); load all of it with: callbench seed --drop",
                present.spec
            )
        }
        Some(present) => Ok(present),
    }
}

/// The URL of the dataset at a level: the base for `before`, a clone of it beside it for the others.
///
/// A clone of another load than the base's is replaced; one whose migration was interrupted goes on.
pub(crate) async fn at_level(
    place: &Place,
    level: Level,
    stop: &CancellationToken,
) -> anyhow::Result<String> {
    let present = require(place).await?;
    let url = place.level_url(level)?;
    if level != Level::Before && !is_clone_of(&url, &present).await? {
        tokio::select! {
            () = stop.cancelled() => return Err(Interrupted.into()),
            cloned = replace(place, &url, level, &present) => cloned?,
        }
    }
    migrate(&url, level, stop).await?;
    Ok(url)
}

/// Clones the base to `url`, one process at a time: the second finds the clone of the first.
async fn replace(place: &Place, url: &str, level: Level, base: &Present) -> anyhow::Result<()> {
    // The lock lies in the maintenance database, because nobody may be connected to a database that is cloned.
    let mut turn = migrations::connect(&databases::with_database(url, "postgres")?, APPLICATION).await?;
    migrations::lock(&mut turn, PATIENCE).await?;
    if is_clone_of(url, base).await? {
        return Ok(());
    }
    let begun = Instant::now();
    databases::drop(url).await?;
    place.refuse_copy_beyond_disk(place.url()).await?;
    let name = url.rsplit('/').next().and_then(|name| name.split('?').next()).unwrap_or_default();
    databases::clone(place.url(), name).await?;
    eprintln!("{:<44} {:>7.1} s", format!("clone for level {level}"), begun.elapsed().as_secs_f64());
    Ok(())
}

async fn is_clone_of(url: &str, base: &Present) -> anyhow::Result<bool> {
    if !databases::exists(url).await? {
        return Ok(false);
    }
    let mut conn = migrations::connect(url, APPLICATION).await?;
    let present = datagen::present(&mut conn).await?;
    Ok(present.is_some_and(|clone| clone.spec == base.spec && clone.completed_at == base.completed_at))
}

/// Migrates and tells each step; gives up when asked to stop (what is done stays done).
pub(crate) async fn migrate(url: &str, level: Level, stop: &CancellationToken) -> anyhow::Result<()> {
    let mut conn = migrations::connect(url, APPLICATION).await?;
    let mut steps = Steps::new();
    let mut tell = |event| steps.on(&event);
    tokio::select! {
        () = stop.cancelled() => Err(Interrupted.into()),
        outcome = migrations::migrate(&mut conn, url, level, &mut tell) => Ok(outcome?),
    }
}

/// Writes all dirty pages of the server out.
pub(crate) async fn checkpoint(place: &Place) -> anyhow::Result<()> {
    let mut conn = migrations::connect(place.url(), APPLICATION).await?;
    sqlx::raw_sql("CHECKPOINT").execute(&mut conn).await.context("the checkpoint failed")?;
    Ok(())
}

/// The dataset as the report shows it; `None` where the rows are not callbench's.
pub(crate) async fn describe(place: &Place) -> anyhow::Result<Option<Dataset>> {
    let mut conn = migrations::connect(place.url(), APPLICATION).await?;
    let Some(present) = datagen::present(&mut conn).await? else { return Ok(None) };
    let sizes = sizes(&mut conn).await?;
    let mut tables: Vec<TableRows> = present
        .tables
        .iter()
        .filter_map(|table| {
            let (_, table_bytes, index_bytes) = sizes.iter().find(|size| size.0 == table.table).cloned()?;
            let workspace_rows = match table.table.as_str() {
                "customer" => Some(present.spec.customers),
                "call" => Some(present.spec.calls),
                _ => None,
            };
            Some(TableRows {
                table: table.table.clone(),
                rows: table.rows,
                workspace_rows,
                table_bytes,
                index_bytes,
            })
        })
        .collect();
    tables.sort_by_key(|table| std::cmp::Reverse(table.rows));
    let phases = datagen::condensed(&present.phases)
        .into_iter()
        .map(|phase| Phase {
            name: phase.name,
            began_seconds: Some(phase.began_seconds),
            seconds: phase.seconds,
            rows: phase.rows,
            bytes: phase.bytes,
        })
        .collect();
    Ok(Some(Dataset {
        scale: present.spec.scale,
        seed: present.spec.seed,
        version: present.version,
        as_of: present.spec.as_of,
        tables,
        phases,
    }))
}

/// Bytes of each table of the service, with TOAST, and of its indexes.
async fn sizes(conn: &mut PgConnection) -> anyhow::Result<Vec<(String, u64, u64)>> {
    let rows: Vec<(String, i64, i64)> = sqlx::query_as(
        "SELECT relname::text, pg_table_size(oid), pg_indexes_size(oid)
         FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace",
    )
    .fetch_all(conn)
    .await
    .context("the sizes of the tables could not be read")?;
    Ok(rows
        .into_iter()
        .map(|(table, bytes, index_bytes)| (table, bytes.unsigned_abs(), index_bytes.unsigned_abs()))
        .collect())
}
