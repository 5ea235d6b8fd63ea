//! How long the whole of a load takes when its parts overlap: the order of work is played through with expected times.

use std::collections::HashMap;

use super::{Loading, PlannedTable};
use crate::loader::schedule::{Grain, Next, Run, Schedule, Task, Work};
use crate::loader::set_aside::Index;

/// Seconds from the first row to the last vacuum.
pub(super) fn wall_seconds(tables: &[PlannedTable], loading: &Loading) -> f64 {
    let connections = loading.connections.max(1);
    // Chunk by chunk a table is shared by all connections; whole, it belongs to one.
    let runs = if loading.grain == Grain::Table { 1 } else { connections as u64 };
    let mut index_seconds: HashMap<&str, f64> = HashMap::new();
    let works = tables.iter().map(|planned| {
        index_seconds.extend(planned.indexes.iter().map(|index| (index.name.as_str(), index.seconds)));
        let indexes: Vec<Index> =
            planned.indexes.iter().map(|index| Index::planned(planned.table, &index.name)).collect();
        let run = |chunk| Run { table: planned.table, chunks: chunk..chunk + 1, is_whole: false };
        Work {
            table: planned.table,
            rows: planned.rows,
            runs: (0..runs).map(run).collect(),
            builds: indexes.clone(),
            indexes,
        }
    });
    let mut schedule = Schedule::new(works.collect());
    let seconds = |task: &Task| {
        let of = |table| tables.iter().find(|planned| planned.table == table);
        match task {
            Task::Copy(run) => of(run.table).map_or(0.0, |planned| planned.copy_seconds),
            Task::Build(index) => index_seconds.get(index.name.as_str()).copied().unwrap_or_default(),
            Task::Keys(..) => 0.0,
            Task::Vacuum(table) => of(*table).map_or(0.0, |planned| planned.vacuum_seconds),
        }
    };
    let mut now = 0.0;
    let mut running: Vec<(f64, Task)> = Vec::new();
    loop {
        while running.len() < connections {
            let Next::Task(task) = schedule.next() else { break };
            running.push((now + seconds(&task), task));
        }
        let first = (0..running.len()).min_by(|&a, &b| running[a].0.total_cmp(&running[b].0));
        let Some(first) = first else { return now };
        let (end, task) = running.swap_remove(first);
        now = end;
        schedule.done(&task);
    }
}
