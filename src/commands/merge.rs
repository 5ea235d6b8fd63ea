//! `callbench merge`: the shards of a load as one run.

use crate::cli::Merge;
use crate::live::Print;
use crate::results::{self, Limits};

pub(crate) fn run(merge: &Merge) -> anyhow::Result<u8> {
    let limits = merge.budgets.as_deref().map(|file| Limits::read(Some(file))).transpose()?;
    let mut shards = Vec::new();
    for path in &merge.shards {
        shards.push(reports::store::read(path)?);
    }
    let mut run = reports::merge::merge(shards)?;
    run.name = merge.name.clone().unwrap_or_else(|| results::fresh_name("merge"));
    run.command = results::command_line();
    results::judge_and_keep_in(&merge.runs.join(&run.name), run, limits.as_ref(), Print::json(merge.json))
}
