//! The connections at work: each takes the next task until there is none.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures_util::future::try_join_all;
use sqlx::PgConnection;
use tokio::sync::Notify;

use super::schedule::{Next, Schedule, Task};
use super::{copy, rebuild};
use crate::entities::Table;
use crate::error::Error;
use crate::population::Population;
use crate::progress::{Phase, Progress, Unit, seconds};

/// Steps of an index build or a vacuum, as progress hears of them.
const STEPS: u64 = 1_000;
/// How long to sleep between two looks at the index builds.
const BETWEEN_LOOKS: Duration = Duration::from_millis(500);

/// What the connections share.
pub(crate) struct Workers<'a> {
    pub(crate) population: Arc<Population>,
    /// How many rows each table will have, as far as one knows.
    pub(crate) rows: HashMap<Table, u64>,
    pub(crate) progress: &'a dyn Progress,
    state: Mutex<State>,
    something_done: Notify,
    began: Instant,
}

struct State {
    schedule: Schedule,
    /// Phases that have begun and are not over.
    open: HashMap<String, Open>,
    phases: Vec<Phase>,
}

struct Open {
    began: Instant,
    unit: Unit,
    /// The server process that is at it; of rows, the first of several.
    pid: i32,
    /// Steps that were told of.
    told: u64,
    rows: u64,
    bytes: u64,
}

impl<'a> Workers<'a> {
    pub(crate) fn new(
        schedule: Schedule,
        population: Arc<Population>,
        rows: HashMap<Table, u64>,
        progress: &'a dyn Progress,
    ) -> Self {
        Self {
            population,
            rows,
            progress,
            state: Mutex::new(State { schedule, open: HashMap::new(), phases: Vec::new() }),
            something_done: Notify::new(),
            began: Instant::now(),
        }
    }

    /// Does everything, on all connections at once, and gives the phases in the order of their end; `watcher` looks how
    /// indexes come on. When one fails, the others are dropped with it, half-done COPYs and all.
    pub(crate) async fn run(
        self,
        connections: Vec<PgConnection>,
        watcher: &mut PgConnection,
    ) -> Result<Vec<Phase>, Error> {
        let is_alone = connections.len() == 1;
        let work = try_join_all(connections.into_iter().map(|conn| self.work(conn, is_alone)));
        tokio::select! {
            done = work => drop(done?),
            failed = self.watch(watcher) => failed?,
        }
        let state = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        Ok(state.phases)
    }

    async fn work(&self, mut conn: PgConnection, is_alone: bool) -> Result<(), Error> {
        rebuild::prepare(&mut conn, is_alone).await?;
        let pid = rebuild::pid(&mut conn).await?;
        loop {
            // Before the look, so that what is done between the look and the wait is not missed.
            let done = self.something_done.notified();
            let next = self.state().schedule.next();
            match next {
                Next::Task(task) => {
                    self.begin(&task, pid);
                    self.carry_out(&mut conn, &task).await?;
                    self.finish(&task);
                    self.something_done.notify_waiters();
                }
                Next::Wait => done.await,
                Next::Nothing => return Ok(()),
            }
        }
    }

    async fn carry_out(&self, conn: &mut PgConnection, task: &Task) -> Result<(), Error> {
        match task {
            Task::Copy(run) => {
                let name = name(task).unwrap_or_default();
                copy::copy(conn, run, &self.population, |rows, bytes| self.advance(&name, rows, bytes)).await
            }
            Task::Build(index) => rebuild::build(conn, index).await,
            Task::Keys(_, indexes) => rebuild::keys(conn, indexes).await,
            Task::Vacuum(table) => rebuild::vacuum(conn, *table).await,
        }
    }

    /// Tells how far the index builds are, again and again.
    async fn watch(&self, conn: &mut PgConnection) -> Result<(), Error> {
        loop {
            tokio::time::sleep(BETWEEN_LOOKS).await;
            if !self.state().open.values().any(|open| open.unit == Unit::Steps) {
                continue;
            }
            for (pid, steps) in rebuild::progress(conn, STEPS).await? {
                let mut state = self.state();
                let of_pid = |open: &Open| open.pid == pid && open.unit == Unit::Steps;
                if let Some((name, open)) = state.open.iter_mut().find(|(_, open)| of_pid(open))
                    && steps > open.told
                {
                    self.progress.advanced(name, steps - open.told, 0);
                    open.told = steps;
                }
            }
        }
    }

    /// The first task of a phase begins it.
    fn begin(&self, task: &Task, pid: i32) {
        let Some(name) = name(task) else { return };
        let mut state = self.state();
        if state.open.contains_key(&name) {
            return;
        }
        let (total, unit) = match task {
            Task::Copy(run) => (self.rows.get(&run.table).copied().unwrap_or_default(), Unit::Rows),
            _ => (STEPS, Unit::Steps),
        };
        self.progress.phase_started(&name, total, unit);
        state.open.insert(name, Open { began: Instant::now(), unit, pid, told: 0, rows: 0, bytes: 0 });
    }

    fn advance(&self, name: &str, rows: u64, bytes: u64) {
        if let Some(open) = self.state().open.get_mut(name) {
            open.rows += rows;
            open.bytes += bytes;
        }
        self.progress.advanced(name, rows, bytes);
    }

    /// The last task of a phase ends it.
    fn finish(&self, task: &Task) {
        let mut state = self.state();
        let was_last = state.schedule.done(task);
        let is_over = was_last || !matches!(task, Task::Copy(_));
        let Some(name) = name(task).filter(|_| is_over) else { return };
        let Some(open) = state.open.remove(&name) else { return };
        let is_copy = matches!(task, Task::Copy(_));
        if !is_copy {
            self.progress.advanced(&name, STEPS - open.told, 0);
        }
        let phase = Phase {
            name,
            began_seconds: seconds(open.began.duration_since(self.began)),
            seconds: seconds(open.began.elapsed()),
            rows: is_copy.then_some(open.rows),
            bytes: is_copy.then_some(open.bytes),
        };
        self.progress.phase_finished(&phase);
        state.phases.push(phase);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The name of the phase that a task belongs to. Keys take no time and are none.
fn name(task: &Task) -> Option<String> {
    match task {
        Task::Copy(run) => Some(format!("copy {}", run.table)),
        Task::Build(index) => Some(format!("index {}", index.name)),
        Task::Keys(..) => None,
        Task::Vacuum(table) => Some(format!("vacuum {table}")),
    }
}
