//! What is to be done for a load, and in which order: runs of rows, indexes, keys, vacuum, for any number of connections.
//!
//! A table is indexed as soon as all its rows are there, while other tables are still being copied, and vacuumed when
//! its keys are back. So no connection waits while there is something that it could do. Nothing here talks to a database.

use std::collections::VecDeque;
use std::ops::Range;

use super::set_aside::Index;
use crate::entities::Table;

/// What one transaction loads, which is also what an interruption can lose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grain {
    /// A chunk of a table, about ten megabytes. All connections share a table.
    Chunk,
    /// A table, which is emptied first, by one connection: so its rows can be frozen (`COPY … FREEZE`) and need no vacuum,
    /// and where `wal_level` is `minimal` they write no log. For a server that is there for this load alone.
    Table,
}

/// Rows that are loaded in one transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) table: Table,
    pub(crate) chunks: Range<u64>,
    /// The run is the whole table: it is emptied in the same transaction, so that its rows can be frozen, and need no
    /// write-ahead log where `wal_level` is `minimal` (documentation of `COPY`, and "Populating a Database").
    pub(crate) is_whole: bool,
}

/// The next thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Task {
    Copy(Run),
    Build(Index),
    /// Makes keys of the indexes of a table that are keys. That takes the table for itself, if only for a moment.
    Keys(Table, Vec<Index>),
    Vacuum(Table),
}

/// What a connection that asks for work is told.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next {
    Task(Task),
    /// Nothing yet; more when somebody else has finished something.
    Wait,
    Nothing,
}

/// The work on one table.
#[derive(Debug)]
pub(crate) struct Work {
    pub(crate) table: Table,
    /// Rows of the whole table, about: larger tables go first.
    pub(crate) rows: u64,
    /// Runs that are still to be loaded.
    pub(crate) runs: VecDeque<Run>,
    /// Indexes that are still to be built.
    pub(crate) builds: Vec<Index>,
    /// Everything that was set aside, for the keys and comments.
    pub(crate) indexes: Vec<Index>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Copying,
    Building,
    Keys,
    Vacuum,
    Done,
}

#[derive(Debug)]
struct Progressing {
    work: Work,
    stage: Stage,
    /// Tasks of the stage that somebody is at.
    running: usize,
    /// The one task of the stage `Keys` or `Vacuum` was given out.
    given: bool,
}

/// The work on all tables.
#[derive(Debug)]
pub(crate) struct Schedule {
    tables: Vec<Progressing>,
}

impl Schedule {
    pub(crate) fn new(mut works: Vec<Work>) -> Self {
        works.sort_by_key(|work| std::cmp::Reverse(work.rows));
        let mut tables: Vec<Progressing> = works
            .into_iter()
            .map(|mut work| {
                let rows = work.rows;
                work.builds.sort_by_key(|index| effort(index, rows));
                Progressing { work, stage: Stage::Copying, running: 0, given: false }
            })
            .collect();
        tables.iter_mut().for_each(Progressing::step_on);
        Self { tables }
    }

    /// Gives out the next task: rows before indexes, indexes before the rest, the longest first.
    pub(crate) fn next(&mut self) -> Next {
        let copying = self
            .tables
            .iter_mut()
            .find(|table| !table.work.runs.is_empty() && table.running < table.work.table.chunks_at_once());
        if let Some(table) = copying
            && let Some(run) = table.work.runs.pop_front()
        {
            table.running += 1;
            return Next::Task(Task::Copy(run));
        }
        let building = self.tables.iter_mut().filter(|table| table.stage == Stage::Building);
        let longest = building
            .filter_map(|table| Some((effort(table.work.builds.last()?, table.work.rows), table)))
            .max_by_key(|(effort, _)| *effort);
        if let Some((_, table)) = longest
            && let Some(index) = table.work.builds.pop()
        {
            table.running += 1;
            return Next::Task(Task::Build(index));
        }
        let last = self
            .tables
            .iter_mut()
            .find(|table| matches!(table.stage, Stage::Keys | Stage::Vacuum) && !table.given);
        if let Some(table) = last {
            table.given = true;
            table.running += 1;
            return Next::Task(match table.stage {
                Stage::Keys => Task::Keys(table.work.table, std::mem::take(&mut table.work.indexes)),
                _ => Task::Vacuum(table.work.table),
            });
        }
        if self.tables.iter().all(|table| table.stage == Stage::Done) { Next::Nothing } else { Next::Wait }
    }

    /// Takes note that a task is done. True if it was the last one of its kind for its table: all rows are there, or all
    /// indexes.
    pub(crate) fn done(&mut self, task: &Task) -> bool {
        let of_task = |table: &&mut Progressing| match task {
            Task::Copy(run) => table.work.table == run.table,
            Task::Build(index) => table.work.table.name() == index.table,
            Task::Keys(of, _) | Task::Vacuum(of) => table.work.table == *of,
        };
        let Some(table) = self.tables.iter_mut().find(of_task) else { return false };
        let before = table.stage;
        table.running -= 1;
        table.step_on();
        table.stage != before
    }
}

impl Progressing {
    /// Goes to the next stage that has something to do.
    fn step_on(&mut self) {
        while self.running == 0 {
            let (is_over, next) = match self.stage {
                Stage::Copying => (self.work.runs.is_empty(), Stage::Building),
                Stage::Building => (self.work.builds.is_empty(), Stage::Keys),
                Stage::Keys => (self.given, Stage::Vacuum),
                Stage::Vacuum => (self.given, Stage::Done),
                Stage::Done => return,
            };
            if !is_over {
                return;
            }
            self.stage = next;
            self.given = false;
        }
    }
}

/// How long an index of a table of so many rows takes, compared with others. A GIN index takes an entry for every key
/// of a document.
fn effort(index: &Index, rows: u64) -> u64 {
    if index.is_slow { rows.saturating_mul(8) } else { rows }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    fn index(table: Table, number: usize, is_slow: bool) -> Index {
        Index {
            table: table.name().to_owned(),
            name: format!("{table}_{number}"),
            build: String::new(),
            attach: None,
            comment: None,
            remove: String::new(),
            is_slow,
        }
    }

    fn work(table: Table, rows: u64, runs: u64, indexes: usize) -> Work {
        let indexes: Vec<Index> = (0..indexes).map(|number| index(table, number, number == 1)).collect();
        Work {
            table,
            rows,
            runs: (0..runs).map(|chunk| Run { table, chunks: chunk..chunk + 1, is_whole: false }).collect(),
            builds: indexes.clone(),
            indexes,
        }
    }

    #[test]
    fn one_connection_copies_the_largest_first_then_builds_the_slowest_then_cleans_up() {
        let mut schedule = Schedule::new(vec![work(Table::Label, 10, 1, 1), work(Table::Call, 1_000, 2, 2)]);
        let mut order = Vec::new();
        while let Next::Task(task) = schedule.next() {
            order.push(match &task {
                Task::Copy(run) => format!("copy {} {}", run.table, run.chunks.start),
                Task::Build(index) => format!("build {}", index.name),
                Task::Keys(table, indexes) => format!("keys {table} {}", indexes.len()),
                Task::Vacuum(table) => format!("vacuum {table}"),
            });
            schedule.done(&task);
        }
        assert_eq!(
            order,
            [
                "copy call 0",
                "copy call 1",
                "copy label 0",
                "build call_1",
                "build call_0",
                "build label_0",
                "keys call 2",
                "vacuum call",
                "keys label 1",
                "vacuum label",
            ]
        );
        assert_eq!(schedule.next(), Next::Nothing);
    }

    #[test]
    fn a_table_is_indexed_while_another_is_still_being_copied() {
        let mut schedule =
            Schedule::new(vec![work(Table::Call, 1_000, 1, 1), work(Table::Customer, 100, 1, 1)]);
        let Next::Task(calls) = schedule.next() else { panic!("calls are to be copied") };
        let Next::Task(customers) = schedule.next() else { panic!("customers are to be copied") };
        assert_eq!(schedule.next(), Next::Wait);
        assert!(schedule.done(&customers));
        let Next::Task(Task::Build(index)) = schedule.next() else { panic!("customers can be indexed") };
        assert_eq!(index.table, "customer");
        assert_eq!(schedule.next(), Next::Wait);
        assert!(schedule.done(&calls));
    }

    #[test]
    fn chunks_that_hold_much_memory_are_not_all_made_at_once() {
        let mut schedule =
            Schedule::new(vec![work(Table::CallStats, 1_000, 20, 0), work(Table::Label, 10, 1, 0)]);
        let mut running = Vec::new();
        while let Next::Task(task) = schedule.next() {
            running.push(task);
        }
        let of_totals = |task: &Task| matches!(task, Task::Copy(run) if run.table == Table::CallStats);
        assert_eq!(running.iter().filter(|task| of_totals(task)).count(), Table::CallStats.chunks_at_once());
        assert_eq!(running.len(), Table::CallStats.chunks_at_once() + 1);
        schedule.done(&running[0]);
        let Next::Task(next) = schedule.next() else { panic!("another chunk can be made") };
        assert!(of_totals(&next));
    }

    #[test]
    fn a_load_of_which_only_the_vacuum_was_missing_vacuums() {
        let mut schedule = Schedule::new(vec![work(Table::Call, 1_000, 0, 0)]);
        let Next::Task(keys) = schedule.next() else { panic!("keys are looked after") };
        assert_eq!(keys, Task::Keys(Table::Call, Vec::new()));
        schedule.done(&keys);
        assert_eq!(schedule.next(), Next::Task(Task::Vacuum(Table::Call)));
    }

    proptest! {
        /// Tasks end in any order, on any number of connections.
        #[test]
        fn everything_is_done_once_and_in_order(
            sizes in prop::collection::vec((0_u64..5, 0_usize..4), 1..6),
            connections in 1_usize..5,
            picks in prop::collection::vec(any::<prop::sample::Index>(), 200),
        ) {
            let tables = &Table::ALL[..sizes.len()];
            let works = tables.iter().zip(&sizes).map(|(&table, &(runs, indexes))| {
                work(table, runs * 10, runs, indexes)
            });
            let mut schedule = Schedule::new(works.collect());
            let mut running: Vec<Task> = Vec::new();
            let mut copied: HashSet<(Table, u64)> = HashSet::new();
            let mut built: HashSet<String> = HashSet::new();
            let mut vacuumed: HashSet<Table> = HashSet::new();
            let size = |table: Table| {
                sizes[tables.iter().position(|&other| other == table).unwrap()]
            };
            for pick in picks {
                while running.len() < connections {
                    let Next::Task(task) = schedule.next() else { break };
                    let rows_there = |table: Table| {
                        copied.iter().filter(|(of, _)| *of == table).count() as u64 == size(table).0
                    };
                    match &task {
                        Task::Copy(_) | Task::Vacuum(_) => {}
                        Task::Build(index) => {
                            prop_assert!(rows_there(*tables.iter().find(|table| table.name() == index.table).unwrap()));
                        }
                        Task::Keys(table, indexes) => {
                            prop_assert!(rows_there(*table));
                            prop_assert_eq!(indexes.len(), size(*table).1);
                            prop_assert!(indexes.iter().all(|index| built.contains(&index.name)));
                        }
                    }
                    running.push(task);
                }
                if running.is_empty() { break }
                let task = running.swap_remove(pick.index(running.len()));
                schedule.done(&task);
                match task {
                    Task::Copy(run) => prop_assert!(copied.insert((run.table, run.chunks.start))),
                    Task::Build(index) => prop_assert!(built.insert(index.name)),
                    Task::Keys(..) => {}
                    Task::Vacuum(table) => prop_assert!(vacuumed.insert(table)),
                }
            }
            prop_assert_eq!(schedule.next(), Next::Nothing);
            prop_assert_eq!(copied.len() as u64, sizes.iter().map(|size| size.0).sum::<u64>());
            prop_assert_eq!(built.len(), sizes.iter().map(|size| size.1).sum::<usize>());
            prop_assert_eq!(vacuumed.len(), sizes.len());
        }
    }
}
