//! Sizes that somebody's server has already: workspaces with different numbers of customers.

use anyhow::bail;
use loadgen::Plan;
use tokio_util::sync::CancellationToken;

use super::{Grown, needs};
use crate::cli::{Growth, Workspace};
use crate::commands::subject::{self, Asking, Scene};
use crate::live::Live;
use crate::offered::offered;
use crate::stop::Interrupted;

/// What a reader of such a curve must know.
const SHARED: &str =
    "the workspaces share the tables of one server, so what grows is the workspace and not the tables";

/// Measures each workspace. False when it was interrupted.
pub(super) async fn measure(
    base_url: &str,
    asked: &Growth,
    plan: &Plan,
    grown: &mut Grown,
    live: &Live,
    stop: &CancellationToken,
) -> anyhow::Result<bool> {
    let sizes = sizes(base_url, asked, stop).await?;
    let mut plan = plan.clone();
    if let Some((_, _, Scene { targets, .. })) = sizes.first() {
        (plan.scenarios, grown.warnings) = offered(plan.scenarios, &targets[0], live, stop).await?;
    }
    live.warn(SHARED);
    grown.warnings.push(SHARED.to_owned());
    for (customers, workspace, scene) in sizes {
        plan.workspace.clone_from(&workspace.name);
        if !grown.measure(scene, &plan, customers, live, stop).await? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The workspaces by their number of customers: as it was given, or as the server says.
async fn sizes<'a>(
    base_url: &str,
    asked: &'a Growth,
    stop: &CancellationToken,
) -> anyhow::Result<Vec<(u64, &'a Workspace, Scene)>> {
    let mut sizes: Vec<(u64, &Workspace, Scene)> = Vec::new();
    for workspace in &asked.workspaces {
        let asking = Asking {
            token: workspace.token.as_ref().unwrap_or(&asked.token).clone(),
            workspace: workspace.name.clone(),
            page_size: asked.page_size,
        };
        let scene = subject::theirs(&asking, &needs(asked), base_url, asked.database_url.as_deref()).await?;
        let customers = if let Some(customers) = workspace.customers {
            customers
        } else {
            tokio::select! {
                () = stop.cancelled() => return Err(Interrupted.into()),
                counted = loadgen::curves::customers(&scene.targets[0]) => counted?,
            }
        };
        if let Some((_, other, _)) = sizes.iter().find(|(known, ..)| *known == customers) {
            bail!(
                "{} and {} both have {customers} customers, and a curve needs different sizes; leave one of them out",
                other.name,
                workspace.name
            );
        }
        sizes.push((customers, workspace, scene));
    }
    if let [(_, only, _)] = &*sizes {
        bail!(
            "{} is one size, and a curve needs several; name workspaces of other sizes with --workspace",
            only.name
        );
    }
    sizes.sort_by_key(|(customers, ..)| *customers);
    Ok(sizes)
}
