//! What a request did, as the evidence that advice is drawn from.

use std::time::Duration;

use crate::profile::advice::{self, Evidence, Plan, PoolUse, Request};
use crate::profile::groups::Group;
use crate::profile::plans::{Explained, Plans};
use crate::profile::recorder::Notes;

/// The plan of the statement with this text, where it was asked for and can be read.
pub(super) fn plan_of(plans: Option<&Plans>, sql: &str) -> Option<Plan> {
    Plan::read(explained(plans, sql)?.plan.as_ref()?)
}

/// Its plan for the values, where that is another.
fn custom_plan_of(plans: Option<&Plans>, sql: &str) -> Option<Plan> {
    Plan::read(explained(plans, sql)?.custom_plan.as_ref()?)
}

fn explained<'a>(plans: Option<&'a Plans>, sql: &str) -> Option<&'a Explained> {
    plans?.explained.iter().find(|explained| explained.sql == sql)
}

/// What to change, most costly first.
pub(super) fn recommendations(
    notes: &Notes,
    groups: &[Group<'_>],
    total: Duration,
    plans: Option<&Plans>,
) -> Vec<String> {
    let pools: Vec<PoolUse<'_>> = notes
        .waits
        .iter()
        .map(|wait| PoolUse { name: wait.pool, size: wait.size, wait_ms: milliseconds(wait.full) })
        .collect();
    let request = Request {
        records: notes.records.unwrap_or(0),
        total_ms: milliseconds(total),
        pools: &pools,
        indexes: plans.map_or(&[], |plans| plans.indexes.as_slice()),
    };
    let unused: Vec<Vec<&str>> =
        groups.iter().map(|group| group.unused_columns().into_iter().collect()).collect();
    let evidence: Vec<Evidence<'_>> = groups
        .iter()
        .zip(&unused)
        .map(|(group, unused)| {
            let (plan, custom_plan) = (plan_of(plans, &group.sql), custom_plan_of(plans, &group.sql));
            Evidence {
                sql: &group.sql,
                layer: group.layer(),
                times: group.count(),
                time_ms: milliseconds(group.time()),
                rows: group.rows(),
                plan,
                custom_plan,
                unused_columns: unused,
            }
        })
        .collect();
    advice::advise(&request, &evidence).into_iter().map(|finding| finding.sentence).collect()
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
