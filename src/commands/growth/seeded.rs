//! Sizes that are seeded for the purpose, each into databases of its own in the private cluster.

use std::path::Path;

use anyhow::{Context as _, bail};
use chrono::{DateTime, Utc};
use cluster::{Mode, databases};
use datagen::Spec;
use indicatif::HumanBytes;
use loadgen::Plan;
use migrations::Level;
use tokio_util::sync::CancellationToken;

use super::{Grown, needs};
use crate::cli::Growth;
use crate::commands::serve;
use crate::commands::subject::{self, Asking};
use crate::dataset;
use crate::ending::first_failure;
use crate::live::Live;
use crate::place::Place;

/// Workspaces of each dataset; all but the largest share a fifth as many customers.
const WORKSPACES: u32 = 5;

/// Room beside the rows: indexes of the levels above `before`, write-ahead log, sort files.
const DISK_FACTOR: f64 = 1.5;

/// A size, and the day on which its rows end.
#[derive(Clone, Copy)]
struct Size {
    customers: u64,
    as_of: DateTime<Utc>,
}

/// Measures each size. False when it was interrupted.
pub(super) async fn measure(
    home: &Path,
    asked: &Growth,
    plan: &Plan,
    grown: &mut Grown,
    live: &Live,
    stop: &CancellationToken,
) -> anyhow::Result<bool> {
    let sizes = sizes(asked)?;
    let as_of = dataset::today();
    refuse_full_disk(home, asked, &sizes, as_of)?;
    for customers in sizes {
        if !at_size(home, asked, plan, Size { customers, as_of }, grown, live, stop).await? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The sizes in their order, each once.
fn sizes(asked: &Growth) -> anyhow::Result<Vec<u64>> {
    let mut sizes = asked.customers.clone();
    sizes.sort_unstable();
    sizes.dedup();
    if let [only] = *sizes {
        bail!(
            "{only} customers are one size, and a curve needs several; give others as well: --customers {only},{}",
            only.saturating_mul(10)
        );
    }
    Ok(sizes)
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
    Size { customers, as_of }: Size,
    grown: &mut Grown,
    live: &Live,
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
        let failed = first_failure(Err(error), drop_all(&place, asked).await);
        return first_failure(failed, place.close().await);
    }
    let place = place.serving().await?;
    let asking = Asking {
        token: datagen::entities::staff::ADMIN_TOKEN.to_owned(),
        workspace: plan.workspace.clone(),
        page_size: plan.page_size,
    };
    let outcome = subject::serving(&place, &asking, &needs(asked), stop, async |scene| {
        grown.measure(scene, plan, customers, live, stop).await
    })
    .await;
    let outcome = first_failure(outcome, drop_all(&place, asked).await);
    first_failure(outcome, place.close().await)
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
