//! From a specification to a database that holds it: the whole way, with its refusals.

use std::collections::HashMap;
use std::sync::Arc;

use sqlx::{Connection as _, PgConnection};
use tokio_util::sync::CancellationToken;

use crate::entities::Table;
use crate::error::{Error, LOCK_PATIENCE};
use crate::ledger::{self, LoadedTable, Present, Runs};
use crate::loader::schedule::{Grain, Run, Schedule, Work};
use crate::loader::set_aside::{SetAside, run};
use crate::loader::workers::Workers;
use crate::loader::{rebuild, session};
use crate::plan;
use crate::population::Population;
use crate::progress::Progress;
use crate::spec::{DATASET_VERSION, Spec};

/// How to seed.
#[derive(Debug, Clone)]
pub struct Options {
    /// Connections that load at the same time.
    pub connections: usize,
    /// Allows to overwrite what the tables hold, if it is not what is asked for.
    pub drop: bool,
    /// Allows to load into a database that holds something else beside our tables; and, with `drop`, to overwrite rows
    /// that this crate has not written.
    pub force: bool,
    /// What one transaction loads.
    pub grain: Grain,
    /// A data set of another date is another data set. Otherwise one that differs only in its date is taken as it is.
    pub exact_date: bool,
    /// Ends the load early, with [`Error::Interrupted`].
    pub stop: CancellationToken,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            connections: std::thread::available_parallelism().map_or(2, usize::from),
            drop: false,
            force: false,
            grain: Grain::Chunk,
            exact_date: false,
            stop: CancellationToken::new(),
        }
    }
}

/// What came of it.
#[derive(Debug, Clone, PartialEq)]
pub enum Seeded {
    /// The data set was there already; nothing was written.
    AlreadyThere(Present),
    /// The data set was loaded.
    Loaded(Present),
}

impl Seeded {
    /// What the database holds now.
    #[must_use]
    pub fn present(&self) -> &Present {
        match self {
            Self::AlreadyThere(present) | Self::Loaded(present) => present,
        }
    }
}

/// Loads the data set into the database at `url`, with the schema at `level`, unless it is there already.
///
/// Whatever interrupts it, the database knows that the data set is incomplete, and the next call with the same
/// specification goes on with what is missing. Two calls at once wait for each other for a few seconds, then the second
/// gives up.
pub async fn seed(
    url: &str,
    spec: &Spec,
    level: migrations::Level,
    options: &Options,
    progress: &dyn Progress,
) -> Result<Seeded, Error> {
    spec.check()?;
    // Dropping the load closes its connections: the server ends half-done COPYs and index builds.
    tokio::select! {
        biased;
        () = options.stop.cancelled() => Err(Error::Interrupted),
        done = seed_uninterrupted(url, spec, level, options, progress) => done,
    }
}

async fn seed_uninterrupted(
    url: &str,
    spec: &Spec,
    level: migrations::Level,
    options: &Options,
    progress: &dyn Progress,
) -> Result<Seeded, Error> {
    let mut control = session::open(url).await?;
    migrations::lock(&mut control, LOCK_PATIENCE).await?;
    session::end_orphans(&mut control).await?;
    let found = ledger::read(&mut control).await?;
    let (spec, set_aside) = match found {
        Some((present, set_aside)) if is_wanted(&present, spec, options) => {
            if present.is_complete() {
                return Ok(Seeded::AlreadyThere(present));
            }
            // Begun on another day, perhaps: the rows that are missing are those of that day.
            refuse_other_level(&mut control, level).await?;
            ledger::go_on(&mut control).await?;
            (present.spec, set_aside)
        }
        found => {
            make_room(&mut control, found, spec, options).await?;
            migrations::migrate(&mut control, url, level, &mut |_| {}).await?;
            (spec.clone(), take_apart(&mut control, spec).await?)
        }
    };
    let connections = session::open_all(url, options.connections.max(1)).await?;
    let load = Load { control, spec, set_aside, grain: options.grain, progress };
    load.run(connections).await.map(Seeded::Loaded)
}

fn is_wanted(present: &Present, spec: &Spec, options: &Options) -> bool {
    present.version == DATASET_VERSION && present.spec.is_same(spec, options.exact_date)
}

/// Sees to it that the tables are empty and the schema whole, or refuses.
async fn make_room(
    control: &mut PgConnection,
    found: Option<(Present, SetAside)>,
    spec: &Spec,
    options: &Options,
) -> Result<(), Error> {
    match found {
        Some((present, _)) if !options.drop => Err(other_spec(control, &present, spec).await?),
        // What a load that broke off has left is put together again while it is empty; the migrations find a whole
        // schema.
        Some((_, set_aside)) => empty(control, Some(set_aside)).await,
        None => {
            if options.force {
                migrations::move_in(control).await?;
            }
            match table_with_rows(control).await? {
                None => Ok(()),
                Some(_) if options.drop && options.force => empty(control, None).await,
                Some(table) => Err(Error::NotEmpty { database: database_name(control).await?, table }),
            }
        }
    }
}

/// A half-loaded data set has its indexes set aside, and can't be migrated.
async fn refuse_other_level(control: &mut PgConnection, asked: migrations::Level) -> Result<(), Error> {
    let found = migrations::level(control).await?;
    if found == Some(asked) {
        return Ok(());
    }
    let found = found.map_or_else(|| "none".to_owned(), |level| level.to_string());
    Err(Error::OtherLevel { database: database_name(control).await?, found, asked: asked.to_string() })
}

async fn other_spec(conn: &mut PgConnection, present: &Present, spec: &Spec) -> Result<Error, Error> {
    let version = |version| {
        if version == DATASET_VERSION { String::new() } else { format!(", rows of version {version}") }
    };
    let date = |dated: &Spec| {
        if present.spec.is_same(spec, false) { format!(", as of {}", dated.as_of) } else { String::new() }
    };
    let state = if present.is_complete() { "" } else { ", incomplete" };
    Ok(Error::OtherSpec {
        database: database_name(conn).await?,
        found: format!("{}{}{}{state}", present.spec, date(&present.spec), version(present.version)),
        asked: format!("{spec}{}", date(spec)),
    })
}

/// In one transaction: the ledger says what is coming, and what is in its way goes.
async fn take_apart(control: &mut PgConnection, spec: &Spec) -> Result<SetAside, Error> {
    let failed = |error| Error::database("setting indexes aside", error);
    let tables = tables_to_load(control, spec).await?;
    let tables: Vec<&str> = tables.iter().map(|table| table.name()).collect();
    ledger::create(control).await?;
    let mut transaction = control.begin().await.map_err(failed)?;
    let set_aside = SetAside::find(&mut transaction, &tables).await?;
    ledger::begin(&mut transaction, spec, &set_aside).await?;
    set_aside.take(&mut transaction, &tables).await?;
    truncate(&mut transaction, &tables).await?;
    transaction.commit().await.map_err(failed)?;
    Ok(set_aside)
}

/// A load whose schema and ledger are ready, begun or gone on with.
struct Load<'a> {
    /// Holds the lock; is never in the middle of a long statement.
    control: PgConnection,
    spec: Spec,
    set_aside: SetAside,
    grain: Grain,
    progress: &'a dyn Progress,
}

impl Load<'_> {
    async fn run(mut self, connections: Vec<PgConnection>) -> Result<Present, Error> {
        let population = {
            let spec = self.spec.clone();
            // A hundred thousand workspaces take a moment.
            tokio::task::spawn_blocking(move || Population::new(&spec))
                .await
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))
        };
        let tables = tables_to_load(&mut self.control, &self.spec).await?;
        let rows: HashMap<Table, u64> =
            tables.iter().map(|&table| (table, plan::rows(&population, table))).collect();
        let loaded = ledger::runs(&mut self.control).await?;
        let mut works = Vec::new();
        for &table in &tables {
            works.push(self.work(table, rows[&table], &population, &loaded).await?);
        }
        let workers = Workers::new(Schedule::new(works), Arc::new(population), rows, self.progress);
        let phases = workers.run(connections, &mut self.control).await?;

        let failed = |error| Error::database("completing the data set", error);
        let loaded = ledger::runs(&mut self.control).await?;
        let nothing = |table: Table| LoadedTable {
            table: table.name().to_owned(),
            rows: 0,
            bytes: 0,
            checksum: format!("{:016x}", 0),
        };
        let loaded: Vec<LoadedTable> = tables
            .iter()
            .map(|&table| ledger::loaded(&loaded, table).unwrap_or_else(|| nothing(table)))
            .collect();
        let names: Vec<&str> = tables.iter().map(|table| table.name()).collect();
        let mut transaction = self.control.begin().await.map_err(failed)?;
        self.set_aside.give_back_the_rest(&mut transaction, &names).await?;
        ledger::complete(&mut transaction, &loaded, &phases).await?;
        transaction.commit().await.map_err(failed)?;
        let present = ledger::present(&mut self.control).await?;
        let _ = self.control.close().await;
        present.ok_or_else(|| Error::Ledger("its row is gone".to_owned()))
    }

    /// What is still to be done for a table.
    async fn work(
        &mut self,
        table: Table,
        rows: u64,
        population: &Population,
        loaded: &Runs,
    ) -> Result<Work, Error> {
        let chunks = table.chunks(population);
        let runs = match loaded.get(table.name()) {
            None if self.grain == Grain::Table && chunks > 0 => {
                [Run { table, chunks: 0..chunks, is_whole: true }].into()
            }
            loaded => {
                let is_loaded = |chunk: u64| {
                    loaded.is_some_and(|runs| runs.iter().any(|run| run.chunks.contains(&chunk)))
                };
                let missing = (0..chunks).filter(|&chunk| !is_loaded(chunk));
                missing.map(|chunk| Run { table, chunks: chunk..chunk + 1, is_whole: false }).collect()
            }
        };
        let indexes: Vec<_> =
            self.set_aside.indexes.iter().filter(|index| index.table == table.name()).cloned().collect();
        let mut builds = Vec::new();
        for index in &indexes {
            if !rebuild::exists(&mut self.control, index).await? {
                builds.push(index.clone());
            }
        }
        Ok(Work { table, rows, runs, builds, indexes })
    }
}

/// The first of our tables that holds rows. Tables of a database that was never migrated are for the migrations to
/// refuse.
async fn table_with_rows(control: &mut PgConnection) -> Result<Option<String>, Error> {
    if !is_migrated(control).await? {
        return Ok(None);
    }
    for table in existing_tables(control).await? {
        let holds_rows: bool =
            sqlx::query_scalar(sqlx::AssertSqlSafe(format!("SELECT EXISTS (SELECT FROM public.{table})")))
                .fetch_one(&mut *control)
                .await
                .map_err(|error| Error::database("looking for rows", error))?;
        if holds_rows {
            return Ok(Some(table.name().to_owned()));
        }
    }
    Ok(None)
}

/// Empties all tables, and brings back what a load that broke off had set aside.
async fn empty(control: &mut PgConnection, set_aside: Option<SetAside>) -> Result<(), Error> {
    if !is_migrated(control).await? {
        return Ok(());
    }
    let tables = existing_tables(control).await?;
    let tables: Vec<&str> = tables.iter().map(|table| table.name()).collect();
    if set_aside.is_some() {
        run(control, "writing the ledger", "UPDATE callbench.dataset SET completed_at = NULL").await?;
    }
    // With triggers off: all that they would do is done here, in one statement.
    let failed = |error| Error::database("emptying the tables", error);
    let found = SetAside::find(control, &tables).await?;
    let mut transaction = control.begin().await.map_err(failed)?;
    found.switch_triggers(&mut transaction, false).await?;
    truncate(&mut transaction, &tables).await?;
    found.switch_triggers(&mut transaction, true).await?;
    transaction.commit().await.map_err(failed)?;
    match set_aside {
        Some(set_aside) => rebuild::everything(control, &set_aside, &tables).await,
        None => Ok(()),
    }
}

async fn is_migrated(conn: &mut PgConnection) -> Result<bool, Error> {
    sqlx::query_scalar("SELECT to_regclass('callbench.migration') IS NOT NULL")
        .fetch_one(conn)
        .await
        .map_err(|error| Error::database("looking for the schema", error))
}

/// Those of our tables that are there.
async fn existing_tables(conn: &mut PgConnection) -> Result<Vec<Table>, Error> {
    let found: Vec<String> = sqlx::query_scalar(
        "SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')",
    )
    .fetch_all(conn)
    .await
    .map_err(|error| Error::database("looking for tables", error))?;
    Ok(Table::ALL.into_iter().filter(|table| found.iter().any(|found| found == table.name())).collect())
}

/// Those of the tables that are there which the specification fills.
async fn tables_to_load(conn: &mut PgConnection, spec: &Spec) -> Result<Vec<Table>, Error> {
    let mut tables = existing_tables(conn).await?;
    tables.retain(|&table| spec.fills(table));
    Ok(tables)
}

async fn truncate(conn: &mut PgConnection, tables: &[&str]) -> Result<(), Error> {
    if tables.is_empty() {
        return Ok(());
    }
    let tables: Vec<String> = tables.iter().map(|table| format!("public.{table}")).collect();
    run(conn, "emptying the tables", &format!("TRUNCATE {}", tables.join(", "))).await
}

async fn database_name(conn: &mut PgConnection) -> Result<String, Error> {
    sqlx::query_scalar("SELECT current_database()::text")
        .fetch_one(conn)
        .await
        .map_err(|error| Error::database("asking for the name of the database", error))
}
